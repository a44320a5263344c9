package org.tfcompress.demo.store;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class ModelLibraryTest {
    private final Context context = RuntimeEnvironment.getApplication();
    private final ModelLibrary library = new ModelLibrary(context);

    /** What the app leaves to its worker is done by the test's only thread here. */
    @Before
    public void beTheWorker() {
        Threads.drawing(null);
    }

    private static List<String> names(List<ModelFolder> folders) {
        List<String> names = new ArrayList<>();
        for (ModelFolder folder : folders) {
            names.add(folder.name());
        }
        return names;
    }

    @Test
    public void everyBundledModelIsListedAndReadable() throws Exception {
        List<String> names = names(library.folders());
        assertEquals(Shipped.andOthers(), names);
        assertTrue(names.toString(), names.containsAll(Shipped.NAMES));
        for (ModelFolder folder : library.folders()) {
            DemoModel model = DemoModel.read(folder);
            boolean shipped = Shipped.NAMES.contains(folder.name());
            assertTrue(model.warnings.toString(), model.warnings.isEmpty() || !shipped);
            assertTrue(model.bytes.isDirect());
            assertEquals(ByteOrder.nativeOrder(), model.bytes.order());
            assertEquals(Shipped.model(folder.name()).length(), model.bytes.capacity());
            assertFalse(library.canDelete(folder));
        }
    }

    @Test
    public void noAssetIsOpenedOnTheThreadThatDraws() {
        Threads.drawing(Thread.currentThread());
        AssetFolder folder = new AssetFolder(context.getAssets(), "models/spam");
        assertThrows(IllegalStateException.class, () -> folder.has("model.tflite"));
        assertThrows(IllegalStateException.class, () -> folder.map("model.tflite"));
    }

    @Test
    public void anAssetFolderGivesNothingThatIsOutsideOfIt() {
        AssetManager assets = context.getAssets();
        AssetFolder folder = new AssetFolder(assets, "models/handwritten_digits");
        assertTrue(folder.has("model.json"));
        assertFalse(folder.has("nothing.json"));
        assertFalse(folder.has("../handwritten_digits/model.json"));
        assertThrows(IOException.class, () -> folder.open("../handwritten_digits/model.json"));
        assertThrows(IOException.class, () -> folder.map("nothing.tflite"));
    }

    @Test
    public void aFileByItselfIsAFolderWithJustThat() throws Exception {
        AssetFolder folder = new AssetFolder(context.getAssets(), "models/handwritten_digits/model.tflite");
        assertEquals("model", folder.name());
        assertTrue(folder.has("model.tflite"));
        assertFalse(folder.has("model.json"));
        byte[] expected = Files.readAllBytes(Shipped.model(Shipped.DIGITS).toPath());
        ByteBuffer mapped = folder.map("model.tflite");
        byte[] bytes = new byte[mapped.remaining()];
        mapped.get(bytes);
        org.junit.Assert.assertArrayEquals(expected, bytes);
    }

    @Test
    public void anOpenedModelIsListedAfterTheBundledOnesUntilItIsRemoved() throws Exception {
        int bundled = library.folders().size();
        byte[] model = Golden.resource("models/int8.tflite");
        ModelFolder opened = library.importFile("mine.tflite", new ByteArrayInputStream(model));
        assertEquals("mine", library.folders().get(bundled).name());
        assertEquals("mine", new ModelLibrary(context).folders().get(bundled).name());
        assertTrue(library.canDelete(opened));
        library.delete(library.folders().get(0));
        library.delete(opened);
        assertEquals(bundled, library.folders().size());
    }
}
