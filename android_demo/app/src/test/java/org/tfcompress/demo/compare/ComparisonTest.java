package org.tfcompress.demo.compare;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.BeforeClass;
import org.junit.Test;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.manifest.Guess;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.runtime.Runners;

public class ComparisonTest {
    private static final String FOLDER = Shipped.MODELS + "/" + Shipped.DIGITS + "/";

    @BeforeClass
    public static void onThisMachine() {
        Runners.factory = JvmRunner::new;
    }

    @Test
    public void bothSidesHaveAValuePerClassAndTheLikeliestComeFirst() throws IOException, ModelException {
        Comparison found = new Comparison(side("model.tflite"), side("compare.tflite"), true);
        assertEquals(10, found.first.values().length);
        List<Integer> places = found.places(3);
        assertEquals(3, places.size());
        float[] first = found.first.values();
        float[] second = found.second.values();
        for (int i = 0; i < 10; i++) {
            boolean shown = places.contains(i);
            float least = Math.max(first[places.get(2)], second[places.get(2)]);
            assertTrue(shown || Math.max(first[i], second[i]) <= least);
        }
    }

    @Test
    public void theFactorsAreOfTheSecondToTheFirst() throws IOException, ModelException {
        Comparison found = new Comparison(side("model.tflite"), side("compare.tflite"), true);
        assertEquals((double) found.second.bytes / found.first.bytes, found.sizeFactor(), 0);
        assertEquals(found.second.milliseconds / found.first.milliseconds, found.timeFactor(), 0);
        assertTrue(found.sizeFactor() > 2);
    }

    @Test
    public void placesOfARegressionStayInTheirOrder() throws IOException, ModelException {
        Comparison found = new Comparison(side("model.tflite"), side("compare.tflite"), false);
        assertEquals(Arrays.asList(0, 1, 2), found.places(3));
    }

    @Test
    public void aComparisonCanBeStopped() {
        assertThrows(CancellationException.class, () -> side("model.tflite", new float[784], true));
    }

    @Test
    public void anInputOfAnotherSizeIsSaid() {
        assertThrows(ModelException.class, () -> side("model.tflite", new float[100], false));
    }

    private static Side side(String file) throws IOException, ModelException {
        float[] input = new float[784];
        Arrays.fill(input, 300, 500, 0.9f);
        return side(file, input, false);
    }

    private static Side side(String file, float[] input, boolean stopped) throws IOException, ModelException {
        byte[] bytes = Files.readAllBytes(Paths.get(FOLDER + file));
        ByteBuffer model = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        model.put(bytes).rewind();
        Manifest manifest = Manifest.guessed(Guess.input(ModelFile.read(model).inputs().get(0)));
        RunOptions options = new RunOptions(1, Delegate.CPU);
        return Side.run(file, model, manifest, Collections.emptyList(), input, options, () -> stopped);
    }
}
