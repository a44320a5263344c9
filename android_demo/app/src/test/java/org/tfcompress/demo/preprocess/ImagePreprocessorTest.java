package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.manifest.ManifestReader;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

public class ImagePreprocessorTest {
    private static TensorSpec spec(int... shape) {
        return new TensorSpec("image", DType.FLOAT32, shape, 0, 0);
    }

    private static Manifest manifest(JSONObject input) throws Exception {
        return ManifestReader.read(new JSONObject().put("format", 1).put("input", input).toString(), null);
    }

    @Test
    public void aPictureBecomesTheValuesThatPythonMakesOfIt() throws Exception {
        for (JSONObject each : Golden.cases("image")) {
            byte[] rgb = Golden.bytes(each.getString("pixels"));
            int[] argb = new int[rgb.length / 3];
            for (int i = 0; i < argb.length; i++) {
                argb[i] = 0x7f << 24 | (rgb[3 * i] & 0xff) << 16 | (rgb[3 * i + 1] & 0xff) << 8 | rgb[3 * i + 2] & 0xff;
            }
            Manifest manifest = manifest(each.getJSONObject("input"));
            Preprocessor preprocessor = Preprocessor.of(manifest, spec(Golden.ints(each.getJSONArray("shape"))));
            float[] values = preprocessor.picture(new Picture(13, 11, argb));
            assertArrayEquals(each.getString("input"), Golden.floats(each.getString("values")), values, 0);
        }
    }

    @Test
    public void aGrayModelMayHaveNoDimensionForItsChannel() throws Exception {
        JSONObject input = new JSONObject("{kind: image, channels: gray, layout: nhwc, mean: [0], std: [255]}");
        float[] values = Preprocessor.of(manifest(input), spec(1, 2, 3)).picture(new Picture(1, 1, new int[] {-1}));
        assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1}, values, 0);
    }

    @Test
    public void aModelOfOtherChannelsIsRefusedWithBothNamed() throws Exception {
        JSONObject input = new JSONObject("{kind: image, channels: rgb, layout: nhwc, mean: [0], std: [255]}");
        for (int[] shape : new int[][] {{1, 8, 8, 1}, {1, 3, 8, 8}, {2, 8, 8, 3}, {1, 64}, {}}) {
            ModelException error =
                    assertThrows(ModelException.class, () -> Preprocessor.of(manifest(input), spec(shape)));
            assertTrue(error.getMessage(), error.getMessage().contains("3 channels"));
        }
    }

    @Test
    public void aSoundIsNoPicture() throws Exception {
        JSONObject input = new JSONObject("{kind: image, channels: gray, layout: nhwc, mean: [0], std: [255]}");
        Preprocessor preprocessor = Preprocessor.of(manifest(input), spec(1, 8, 8, 1));
        ModelException error = assertThrows(ModelException.class, () -> preprocessor.clip(new float[1], 8000));
        assertEquals("The model takes an image, and a sound came.", error.getMessage());
        assertThrows(ModelException.class, () -> preprocessor.text("a"));
        assertThrows(ModelException.class, () -> preprocessor.features(new float[64]));
    }
}
