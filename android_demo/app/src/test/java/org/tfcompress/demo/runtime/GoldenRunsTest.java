package org.tfcompress.demo.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.measure.VectorCheck;
import org.tfcompress.demo.measure.VectorResult;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.Quantizer;
import org.tfcompress.demo.model.TensorSpec;

/** Every form of a file, with both kernel sets, against what Python's LiteRT made of the same inputs. */
@RunWith(Parameterized.class)
public class GoldenRunsTest {
    @Parameterized.Parameters(name = "{0}")
    public static String[] forms() {
        return new String[] {
            "float32", "float16", "dynamic", "dynamic_per_channel", "int8", "uint8", "int16x8", "int16x8_logits",
            "two_float32", "two_int8"
        };
    }

    private final String form;

    public GoldenRunsTest(String form) {
        this.form = form;
    }

    private ModelRunner open(Delegate delegate) throws Exception {
        return new JvmRunner(Golden.model(form), new RunOptions(1, delegate));
    }

    private String vectors(String kernels) throws Exception {
        JSONObject golden = Golden.object("runs_" + form);
        JSONObject made = golden.getJSONObject("kernels").getJSONObject(kernels);
        made.put("tolerance", golden.getJSONObject("tolerance"));
        return made.put("format", 1).put("sha256", golden.getString("sha256")).toString();
    }

    private void check(Delegate delegate, String kernels) throws Exception {
        try (ModelRunner runner = open(delegate)) {
            String sha256 = Golden.object("runs_" + form).getString("sha256");
            String kind = ModelFile.kind(Golden.model(form));
            VectorResult result = VectorCheck.run(vectors(kernels), sha256, kind, runner);
            System.out.println(form + ": " + result.text());
            assertTrue(result.text(), result.passed);
            assertEquals(result.text(), result.vectors, result.top1Equal);
            assertEquals(20, result.vectors);
            // The one exception, which the golden file tells of: a softmax of 16 bits at the end.
            assertTrue(result.text(), result.largestSteps <= 1 || form.equals("int16x8"));
        }
    }

    @Test
    public void builtInKernelsGiveWhatPythonsGive() throws Exception {
        check(Delegate.CPU, "builtin");
    }

    @Test
    public void xnnpackGivesWhatPythonsGives() throws Exception {
        check(Delegate.XNNPACK, "default");
    }

    @Test
    public void realInputsAreStoredAsInPython() throws Exception {
        JSONArray reals = Golden.object("runs_" + form).getJSONArray("reals");
        JSONArray vectors = new JSONObject(vectors("builtin")).getJSONArray("vectors");
        try (ModelRunner runner = open(Delegate.CPU)) {
            for (int i = 0; i < reals.length(); i++) {
                for (int input = 0; input < runner.inputs().size(); input++) {
                    TensorSpec spec = runner.inputs().get(input);
                    ByteBuffer stored = Quantizer.allocate(spec);
                    Quantizer.quantize(Golden.floats(reals.getJSONArray(i).getString(input)), spec, stored);
                    byte[] bytes = new byte[spec.bytes()];
                    stored.get(bytes);
                    String expected = vectors.getJSONObject(i).getJSONArray("inputs").getString(input);
                    assertArrayEquals(spec + " " + i, Golden.bytes(expected), bytes);
                }
            }
        }
    }
}
