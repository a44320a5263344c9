package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.store.DiskFolder;
import org.tfcompress.demo.store.ModelFolder;

/** Every model that the app ships with: whole, without warnings, and with the outputs that Python made. */
@RunWith(Parameterized.class)
public class ShippedModelsTest {
    /**
     * Models that this computer's TFLite 2.19 computes otherwise than Python: its XNNPACK leaves 8-bit operators to the
     * built-in kernels. ShippedLibraryTest holds them with the APK's library, whose XNNPACK takes them.
     */
    private static final List<String> APART = Arrays.asList(Shipped.SPOKEN, Shipped.DEEP);

    @Parameterized.Parameters(name = "{0}")
    public static List<String> names() {
        return Shipped.NAMES;
    }

    private final DiskFolder folder;

    public ShippedModelsTest(String name) {
        folder = new DiskFolder(new File(Shipped.MODELS, name));
    }

    @Test
    public void itsFolderIsWholeAndFitsTogether() throws Exception {
        DemoModel model = DemoModel.read(folder);
        assertTrue(model.warnings.toString(), model.warnings.isEmpty());
        Preprocessor.of(model.manifest, model.inputs.get(0));
        assertTrue(model.manifest.samples.size() + " samples", !model.manifest.samples.isEmpty());
        for (org.tfcompress.demo.manifest.Sample sample : model.manifest.samples) {
            assertTrue(sample.file, folder.has(sample.file));
        }
        if (model.hasCompare()) {
            new JvmRunner(model.compareBytes(), new RunOptions(1, Delegate.CPU)).close();
        }
    }

    @Test
    public void itsOutputsAreThoseOfPython() throws Exception {
        DemoModel model = DemoModel.read(folder);
        assertTrue(folder.name() + " has no vectors.json", folder.has(ModelFolder.VECTORS));
        VectorResult result = VectorCheck.run(model, JvmRunner::new);
        System.out.println(folder.name() + ": " + result.text());
        assertTrue(result.text(), result.runtime.contains("XNNPACK") && result.runtimeHere.contains("XNNPACK"));
        assertEquals(result.text(), 24, result.vectors);
        if (APART.contains(folder.name())) {
            assertTrue(result.text(), result.top1Equal >= 21);
            assertEquals(result.text(), result.passed, result.text().contains(": within one step; "));
        } else {
            assertTrue(result.text(), result.passed && result.text().contains(": within one step; "));
            assertEquals(result.text(), result.vectors, result.top1Equal);
        }
    }
}
