package org.tfcompress.demo.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.Intent;
import android.os.Bundle;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Delegate;

/** What a computer may ask for by wire, and what it is told else. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class RequestTest {
    private static final String NAME = "model-0123.tflite";

    @Rule public final TemporaryFolder root = new TemporaryFolder();

    private File folder;
    private Intent intent;

    @Before
    public void aGoodRequest() throws IOException {
        folder = root.newFolder("files");
        assertTrue(new File(folder, NAME).createNewFile());
        intent = Wire.ask(Wire.ID, NAME).putExtra("threads", 4).putExtra("runs", 7).putExtra("delegate", "nnapi");
    }

    private String refused() {
        Bundle extras = intent.getExtras();
        return assertThrows(ModelException.class, () -> Request.read(extras, Wire.ID, folder)).getMessage();
    }

    @Test
    public void aRequestOfTheFormIsTakenAsItStands() throws Exception {
        Request request = Request.read(intent.getExtras(), Wire.ID, folder);
        assertEquals(Wire.ID, request.id);
        assertEquals(4, request.options.threads);
        assertEquals(7, request.runs);
        assertEquals(Delegate.NNAPI, request.options.delegate);
        assertEquals(new File(folder, NAME).toPath().toRealPath(), request.model);
    }

    @Test
    public void theEndsOfTheRangesAreTaken() throws Exception {
        intent.putExtra("threads", 64).putExtra("runs", 100_000);
        assertEquals(64, Request.read(intent.getExtras(), Wire.ID, folder).options.threads);
        intent.putExtra("threads", 1).putExtra("runs", 1);
        assertEquals(1, Request.read(intent.getExtras(), Wire.ID, folder).runs);
    }

    @Test
    public void onlyThirtyTwoHexDigitsAreAnId() {
        Bundle extras = intent.getExtras();
        assertEquals(Wire.ID, Request.id(extras));
        for (String id : new String[] {
            "", "0", Wire.ID.toUpperCase(), Wire.ID + "0", Wire.ID.substring(1), Wire.ID + "\n", " " + Wire.ID,
            "../" + Wire.ID.substring(3), "\u0661" + Wire.ID.substring(1), null
        }) {
            extras.putString("id", id);
            assertNull(id, Request.id(extras));
        }
        extras.putInt("id", 12345678);
        assertNull(Request.id(extras));
    }

    @Test
    public void aNameThatLeavesTheFolderIsRefused() throws IOException {
        assertTrue(root.newFile("secret.tflite").exists());
        for (String name : new String[] {
            "../secret.tflite", "/etc/passwd", root.getRoot() + "/secret.tflite", "a/b.tflite", "..", ".", "",
            "a b.tflite", "a\n.tflite", "a\0.tflite", "ä.tflite", "model.tflite.tmp", "model.TFLITE", "model.tflit",
            repeated('a', 94) + ".tflite"
        }) {
            intent.putExtra("model", name);
            String words = refused();
            assertTrue(words, words.startsWith("model is '") && words.contains("ends in .tflite"));
            assertTrue(words, words.length() < 300 && words.chars().allMatch(letter -> letter >= ' '));
        }
    }

    @Test
    public void aNameOfAHundredLettersIsTaken() throws Exception {
        String name = repeated('a', 93) + ".tflite";
        assertTrue(new File(folder, name).createNewFile());
        intent.putExtra("model", name);
        assertEquals(name, Request.read(intent.getExtras(), Wire.ID, folder).model.getFileName().toString());
    }

    @Test
    public void aFileThatIsNotThereIsTold() {
        intent.putExtra("model", "other.tflite");
        assertEquals("no file other.tflite is in the app's folder; push it there first", refused());
    }

    @Test
    public void aFolderIsNoModel() {
        assertTrue(new File(folder, "folder.tflite").mkdir());
        intent.putExtra("model", "folder.tflite");
        assertTrue(refused().startsWith("no file folder.tflite"));
    }

    @Test
    public void aLinkOutOfTheFolderIsNotFollowed() throws IOException {
        File secret = root.newFile("secret.tflite");
        Files.createSymbolicLink(new File(folder, "link.tflite").toPath(), secret.toPath());
        intent.putExtra("model", "link.tflite");
        assertTrue(refused().startsWith("link.tflite is a link out of the app's folder, which is not followed"));
    }

    @Test
    public void aLinkIntoAFolderOfTheFolderIsNotFollowed() throws IOException {
        File deep = new File(folder, "deep");
        assertTrue(deep.mkdir() && new File(deep, "in.tflite").createNewFile());
        Files.createSymbolicLink(new File(folder, "link.tflite").toPath(), new File(deep, "in.tflite").toPath());
        intent.putExtra("model", "link.tflite");
        assertTrue(refused().contains("not followed"));
    }

    @Test
    public void numbersOutOfRangeAreTold() {
        for (int threads : new int[] {0, -1, 65, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            intent.putExtra("threads", threads);
            assertEquals("threads is " + threads + ", expected 1 to 64", refused());
        }
        intent.putExtra("threads", 1);
        for (int runs : new int[] {0, -1, 100_001}) {
            intent.putExtra("runs", runs);
            assertEquals("runs is " + runs + ", expected 1 to 100000", refused());
        }
    }

    @Test
    public void whatIsMissingOrOfAnotherTypeIsTold() {
        intent.putExtra("threads", "4");
        assertEquals("threads is '4' of type String, expected a number (am start --ei threads ...)", refused());
        intent.putExtra("threads", 4L);
        assertTrue(refused().startsWith("threads is '4' of type Long"));
        intent.removeExtra("threads");
        assertTrue(refused().startsWith("threads is missing"));
        intent.putExtra("threads", 4).putExtra("model", 5);
        assertEquals("model is '5' of type Integer, expected text (am start --es model ...)", refused());
        intent.removeExtra("model");
        assertTrue(refused().startsWith("model is missing"));
        intent.putExtra("model", NAME).putExtra("delegate", true);
        assertTrue(refused().startsWith("delegate is 'true' of type Boolean"));
    }

    @Test
    public void anUnknownDelegateIsToldWithThoseThatThereAre() {
        for (String word : new String[] {"gpu", "", "CPU", "xnnpack "}) {
            intent.putExtra("delegate", word);
            assertTrue(refused().endsWith("expected cpu, xnnpack or nnapi"));
        }
    }

    private static String repeated(char letter, int times) {
        return new String(new char[times]).replace('\0', letter);
    }
}
