package org.tfcompress.demo.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** What an unplugged computer left behind goes, and nothing that is the user's. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class LeftoversTest {
    private static final long NOW = 1_800_000_000_000L;
    private static final long DAY = 86_400_000L;

    @Rule public final TemporaryFolder root = new TemporaryFolder();

    private File aged(String name, long milliseconds) throws IOException {
        File file = new File(root.getRoot(), name);
        Files.write(file.toPath(), new byte[] {1});
        assertTrue(file.setLastModified(NOW - milliseconds));
        return file;
    }

    private Set<String> left() {
        return new TreeSet<>(Arrays.asList(root.getRoot().list()));
    }

    private static Set<String> set(String... names) {
        return new TreeSet<>(Arrays.asList(names));
    }

    @Test
    public void onlyModelsAndResultsOlderThanADayGo() throws IOException {
        aged("model-1.tflite", DAY + 1000);
        aged("result-1.json", DAY + 1000);
        aged("result-1.json.tmp", DAY + 1000);
        aged("model-2.tflite", DAY - 1000);
        aged("result-2.json", DAY - 1000);
        aged("result-2.json.tmp", -DAY); // the computer's clock is ahead
        Leftovers.remove(root.getRoot(), NOW, null);
        assertEquals(set("model-2.tflite", "result-2.json", "result-2.json.tmp"), left());
    }

    @Test
    public void whateverElseIsThereStays() throws IOException {
        String[] others = {"mymodel-1.tflite", "model.tflite", "model-1.tflite.bak", "results.json", "notes.txt"};
        for (String name : others) {
            aged(name, 100 * DAY);
        }
        Leftovers.remove(root.getRoot(), NOW, null);
        assertEquals(set(others), left());
    }

    @Test
    public void theModelThatIsAskedForStaysHoweverOldItLooks() throws IOException {
        aged("model-1.tflite", 3 * DAY);
        aged("model-2.tflite", 3 * DAY);
        Leftovers.remove(root.getRoot(), NOW, "model-1.tflite");
        assertEquals(set("model-1.tflite"), left());
    }

    @Test
    public void aFolderOfThatNameStaysWithWhatIsInIt() throws IOException {
        File folder = root.newFolder("model-1.tflite");
        assertTrue(new File(folder, "model-2.tflite").createNewFile());
        assertTrue(new File(folder, "model-2.tflite").setLastModified(NOW - 3 * DAY));
        assertTrue(folder.setLastModified(NOW - 3 * DAY));
        assertTrue(root.newFolder("result-1.json").setLastModified(NOW - 3 * DAY));
        Leftovers.remove(root.getRoot(), NOW, null);
        assertEquals(set("model-1.tflite", "result-1.json"), left());
        assertEquals(1, folder.list().length);
    }

    @Test
    public void aLinkGoesAndNotTheFileThatItLeadsTo() throws IOException {
        File precious = aged("precious", 9 * DAY);
        Files.createSymbolicLink(new File(root.getRoot(), "model-1.tflite").toPath(), precious.toPath());
        Leftovers.remove(root.getRoot(), NOW + 10_000 * DAY, null);
        assertEquals(set("precious"), left());
    }

    @Test
    public void aFolderThatIsGoneIsNoError() {
        Leftovers.remove(new File(root.getRoot(), "gone"), NOW, null);
        assertEquals(set(), left());
    }
}
