package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.manifest.ManifestReader;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

public class TextVectorizerTest {
    private static Preprocessor preprocessor(JSONObject input, List<String> vocabulary, int values) throws Exception {
        Manifest manifest =
                ManifestReader.read(new JSONObject().put("format", 1).put("input", input).toString(), vocabulary);
        return Preprocessor.of(manifest, new TensorSpec("text", DType.INT32, new int[] {1, values}, 0, 0));
    }

    @Test
    public void textsBecomeTheNumbersThatKerasMakesOfThem() throws Exception {
        for (JSONObject each : Golden.cases("text")) {
            List<String> vocabulary = new ArrayList<>();
            for (int i = 0; i < each.getJSONArray("vocabulary").length(); i++) {
                vocabulary.add(each.getJSONArray("vocabulary").getString(i));
            }
            JSONObject input = each.getJSONObject("input");
            Preprocessor preprocessor = preprocessor(input, vocabulary, input.getInt("length"));
            JSONArray texts = each.getJSONArray("texts");
            for (int i = 0; i < texts.length(); i++) {
                int[] expected = Golden.ints(each.getJSONArray("values").getJSONArray(i));
                float[] values = preprocessor.text(texts.getString(i));
                int[] whole = new int[values.length];
                for (int k = 0; k < whole.length; k++) {
                    whole[k] = (int) values[k];
                }
                assertEquals(input + " " + texts.getString(i), Arrays.toString(expected), Arrays.toString(whole));
            }
        }
    }

    @Test
    public void aModelOfAnotherLengthIsRefused() throws Exception {
        JSONObject input = new JSONObject("{kind: text, length: 5, mode: int, standardize: none}");
        List<String> vocabulary = Arrays.asList("", "[UNK]", "a");
        ModelException error = assertThrows(ModelException.class, () -> preprocessor(input, vocabulary, 6));
        assertTrue(error.getMessage(), error.getMessage().contains("5 values"));
    }
}
