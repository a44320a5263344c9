package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.Spoiled;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.MemoryFolder;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.RunOptions;

public class VectorCheckTest {
    private ModelRunner runner;
    private String vectors;

    @Before
    public void open() throws Exception {
        runner = new JvmRunner(Golden.model("int8"), new RunOptions(1, Delegate.CPU));
        JSONObject golden = Golden.object("runs_int8");
        JSONObject made = golden.getJSONObject("kernels").getJSONObject("builtin");
        vectors = made.put("format", 1).put("sha256", golden.getString("sha256")).toString();
    }

    @After
    public void close() {
        runner.close();
    }

    private DemoModel model(String text) throws Exception {
        return DemoModel.read(new MemoryFolder()
                .with("model.tflite", Golden.resource("models/int8.tflite"))
                .with("vectors.json", text));
    }

    /** The vectors with the first value of the first output set to its lowest. */
    private String withOneValueOff(String tolerance) throws Exception {
        JSONObject file = new JSONObject(vectors);
        JSONObject vector = file.getJSONArray("vectors").getJSONObject(0);
        byte[] output = Golden.bytes(vector.getJSONArray("outputs").getString(0));
        int most = 0;
        for (int i = 0; i < output.length; i++) {
            most = output[i] > output[most] ? i : most;
        }
        output[most] = -128;
        vector.getJSONArray("outputs").put(0, java.util.Base64.getEncoder().encodeToString(output));
        return file.put("tolerance", new JSONObject(tolerance)).toString();
    }

    @Test
    public void theModelIsRunWithTheKernelsThatTheFileNames() throws Exception {
        JSONObject file = new JSONObject(vectors);
        String plain = VectorCheck.run(model(vectors), JvmRunner::new).runtimeHere;
        assertTrue(plain, plain.contains("(built-in kernels, 1 thread)"));
        String xnnpack = file.put("kernels", "xnnpack").toString();
        assertTrue(VectorCheck.run(model(xnnpack), JvmRunner::new).runtimeHere.contains("(XNNPACK, 1 thread)"));
        String other = file.put("kernels", "gpu").toString();
        ModelException refused =
                assertThrows(ModelException.class, () -> VectorCheck.run(model(other), JvmRunner::new));
        String said = refused.getMessage();
        assertTrue(said, said.contains("kernels gpu, but this app knows cpu and xnnpack"));
    }

    @Test
    public void outputsThatAreThoseOfPythonPass() throws Exception {
        VectorResult result = VectorCheck.run(model(vectors), JvmRunner::new);
        assertTrue(result.text(), result.passed);
        assertEquals(20, result.vectors);
        assertEquals(200, result.values);
        assertTrue(result.runtime, result.runtime.startsWith("LiteRT "));
        assertTrue(result.runtime, result.runtime.contains("built-in kernels"));
        assertEquals(runner.describe(), result.runtimeHere);
    }

    @Test
    public void aValueThatIsOffIsCaughtAndCounted() throws Exception {
        VectorResult result = VectorCheck.run(model(withOneValueOff("{}")), JvmRunner::new);
        assertFalse(result.text(), result.passed);
        assertTrue(result.text(), result.differing >= 1);
        assertTrue(result.text(), result.largestSteps > 100);
        assertEquals(result.text(), 19, result.top1Equal);
        assertTrue(VectorCheck.run(model(withOneValueOff("{\"int8\": 255}")), JvmRunner::new).passed);
    }

    @Test
    public void vectorsOfAnotherModelAreRefused() throws Exception {
        String other = new JSONObject(vectors).put("sha256", "00").toString();
        ModelException error = assertThrows(ModelException.class, () -> VectorCheck.run(model(other), JvmRunner::new));
        assertTrue(error.getMessage(), error.getMessage().contains("another model.tflite"));
        assertThrows(ModelException.class,
                () -> VectorCheck.run(model(vectors.replace("\"format\":1", "\"format\":2")), JvmRunner::new));
    }

    @Test
    public void anyBytesAreReadOrRefused() throws Exception {
        String sha256 = Golden.object("runs_int8").getString("sha256");
        JSONObject two = new JSONObject(vectors);
        while (two.getJSONArray("vectors").length() > 2) {
            two.getJSONArray("vectors").remove(2);
        }
        byte[] file = two.toString().getBytes(StandardCharsets.UTF_8);
        Spoiled spoiled = new Spoiled(5);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            try {
                VectorCheck.run(new String(spoiled.of(file), StandardCharsets.UTF_8), sha256, "int8", runner);
            } catch (ModelException expected) {
                refused++;
                assertTrue(expected.getMessage(), expected.getMessage().length() < 400);
            }
        }
        assertTrue(refused + " refused", refused > 300 && refused < 3000);
    }
}
