package org.tfcompress.demo.runtime;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.manifest.Guess;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.Quantizer;

public class PipelineTest {
    private static final RunOptions OPTIONS = new RunOptions(1, Delegate.CPU);
    private static final List<String> LABELS =
            Arrays.asList("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine");

    private static RunnerFactory before;

    @BeforeClass
    public static void onThisMachine() {
        before = Runners.factory;
        Runners.factory = JvmRunner::new;
    }

    @AfterClass
    public static void asBefore() {
        Runners.factory = before;
    }

    private static Pipeline open(String form) throws Exception {
        ByteBuffer model = Golden.model(form);
        Manifest manifest = Manifest.guessed(Guess.input(ModelFile.read(model).inputs().get(0)));
        return new Pipeline(model, manifest, LABELS, OPTIONS);
    }

    private static float[] digit(String form, int i) throws Exception {
        return Golden.floats(Golden.object("runs_" + form).getJSONArray("reals").getJSONArray(i).getString(0));
    }

    @Test
    public void anyFormIsRunWithoutAnythingButItsFile() throws Exception {
        for (String form : new String[] {"float32", "float16", "dynamic", "int8", "uint8", "int16x8"}) {
            try (Pipeline pipeline = open(form)) {
                for (int i = 0; i < 20; i++) {
                    Outcome outcome = pipeline.run(digit(form, i));
                    String named = outcome.scores.get(0).label;
                    assertEquals(form + " " + i, top(form, i), outcome.scores.get(0).index);
                    assertEquals(LABELS.get(outcome.scores.get(0).index), named);
                    assertTrue(outcome.note, outcome.note.isEmpty());
                    assertTrue(outcome.milliseconds > 0);
                    assertEquals(10, outcome.scores.size());
                }
            }
        }
    }

    /** The class that Python's output names. */
    private static int top(String form, int i) throws Exception {
        String output = Golden.object("runs_" + form).getJSONObject("kernels").getJSONObject("builtin")
                .getJSONArray("vectors").getJSONObject(i).getJSONArray("outputs").getString(0);
        ByteBuffer bytes = Golden.direct(Golden.bytes(output));
        float[] values = Quantizer.dequantize(bytes, ModelFile.read(Golden.model(form)).outputs().get(0));
        int best = 0;
        for (int k = 1; k < values.length; k++) {
            best = values[k] > values[best] ? k : best;
        }
        return best;
    }

    @Test
    public void aModelOfSeveralInputsTakesThemAllAtOnce() throws Exception {
        try (Pipeline pipeline = open("two_float32")) {
            Outcome outcome = pipeline.run(new float[][] {new float[3], new float[4]});
            assertEquals(2, outcome.outputs.length);
            assertEquals(4, outcome.outputs[0].length);
            ModelException error = assertThrows(ModelException.class, () -> pipeline.run(new float[3]));
            assertTrue(error.getMessage(), error.getMessage().startsWith("The model takes 2 inputs"));
        }
    }

    @Test
    public void anotherNumberOfValuesIsRefusedAndTheModelStillRuns() throws Exception {
        try (Pipeline pipeline = open("int8")) {
            assertThrows(ModelException.class, () -> pipeline.run(new float[63]));
            float[] noNumbers = new float[64];
            Arrays.fill(noNumbers, Float.NaN);
            assertThrows(ModelException.class, () -> pipeline.run(noNumbers));
            assertEquals(10, pipeline.run(new float[64]).outputs[0].length);
        }
    }

    @Test
    public void twoLoadedModelsDoNotDisturbEachOther() throws Exception {
        try (Pipeline one = open("float32");
                Pipeline other = open("int8")) {
            float[] first = one.run(digit("float32", 3)).outputs[0];
            other.run(digit("int8", 4));
            one.run(digit("float32", 5));
            assertArrayEquals(first, one.run(digit("float32", 3)).outputs[0], 0);
        }
    }
}
