package org.tfcompress.demo.runtime;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.preprocess.Picture;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.preprocess.Wav;
import org.tfcompress.demo.store.DiskFolder;

/** A user who taps a sample of a bundled model sees its own label on top: the app's whole way, from file to scores. */
@RunWith(Parameterized.class)
public class ShippedSamplesTest {
    @Parameterized.Parameters(name = "{0}")
    public static List<String> names() {
        return Shipped.NAMES;
    }

    private final File folder;
    private RunnerFactory before;

    public ShippedSamplesTest(String name) {
        folder = new File(Shipped.MODELS, name);
    }

    @Before
    public void runOnThisComputer() {
        before = Runners.factory;
        Runners.factory = JvmRunner::new;
    }

    @After
    public void putBack() {
        Runners.factory = before;
    }

    @Test
    public void everySampleIsRecognized() throws Exception {
        DemoModel model = DemoModel.read(new DiskFolder(folder));
        assertFalse(model.manifest.samples.isEmpty());
        try (Pipeline pipeline = new Pipeline(model, new RunOptions(1, Delegate.CPU))) {
            Preprocessor preprocessor = Preprocessor.of(model.manifest, pipeline.input());
            for (Sample sample : model.manifest.samples) {
                byte[] content = Files.readAllBytes(new File(folder, sample.file).toPath());
                Outcome outcome = pipeline.run(input(preprocessor, sample.file, content));
                assertEquals(sample.file, sample.label, outcome.scores.get(0).label);
                assertTrue(sample.file + ": " + outcome.scores, outcome.scores.get(0).value > 0.5f);
            }
        }
    }

    private static float[] input(Preprocessor preprocessor, String file, byte[] content) throws Exception {
        if (file.endsWith(".wav")) {
            Wav wav = Wav.read(content);
            return preprocessor.clip(wav.samples, wav.rate);
        }
        if (file.endsWith(".txt")) {
            return preprocessor.text(new String(content, StandardCharsets.UTF_8));
        }
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(content));
        int width = image.getWidth();
        int height = image.getHeight();
        int[] argb = new int[width * height];
        if (image.getRaster().getNumBands() > 1) {
            image.getRGB(0, 0, width, height, argb, 0, width);
        } else {
            // Java would take a gray PNG's values for linear light; Android takes them as they are.
            int[] gray = image.getRaster().getPixels(0, 0, width, height, (int[]) null);
            for (int i = 0; i < argb.length; i++) {
                argb[i] = 0xff000000 | gray[i] * 0x010101;
            }
        }
        return preprocessor.picture(new Picture(width, height, argb));
    }
}
