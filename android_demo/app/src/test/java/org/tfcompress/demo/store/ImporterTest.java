package org.tfcompress.demo.store;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.Spoiled;
import org.tfcompress.demo.model.ModelException;

public class ImporterTest {
    @Rule
    public final TemporaryFolder temporary = new TemporaryFolder();

    private File root;
    private Importer importer;
    private byte[] model;

    @Before
    public void setUp() throws Exception {
        root = new File(temporary.getRoot(), "files/models");
        importer = new Importer(root);
        model = Golden.resource("models/int8.tflite");
    }

    /** A .zip of names and contents. */
    private static byte[] zip(Object... entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < entries.length; i += 2) {
                zip.putNextEntry(new ZipEntry((String) entries[i]));
                Object content = entries[i + 1];
                zip.write(content instanceof byte[]
                        ? (byte[]) content
                        : ((String) content).getBytes(StandardCharsets.UTF_8));
                zip.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    private DiskFolder take(String name, byte[] file) throws ModelException {
        return importer.importFile(name, new ByteArrayInputStream(file));
    }

    private String refused(String name, byte[] file) {
        String message = assertThrows(ModelException.class, () -> take(name, file)).getMessage();
        assertTrue("something was left of " + name, importer.folders().isEmpty());
        assertTrue(Arrays.toString(root.list()), root.list() == null || root.list().length == 0);
        return message;
    }

    @Test
    public void aModelFileBecomesAFolderOfItsName() throws Exception {
        DiskFolder folder = take("My model (2).TFLITE", model);
        assertEquals("My model (2)", folder.name());
        ByteBuffer mapped = folder.map("model.tflite");
        byte[] bytes = new byte[mapped.remaining()];
        mapped.get(bytes);
        assertArrayEquals(model, bytes);
        assertTrue(mapped.isDirect());
        assertEquals("My model (2) 2", take("My model (2).tflite", model).name());
        assertEquals(2, importer.folders().size());
    }

    @Test
    public void aZipOfAnExportedFolderIsTakenWholeAndNoMore() throws Exception {
        DiskFolder folder = take("digits.zip", zip(
                "digits/", "", "digits/model.tflite", model, "digits/labels.txt", "a\nb\n", "digits/samples/", "",
                "digits/samples/7.png", "png", "digits/README.md", "for people", "__MACOSX/digits/._model.tflite", "x",
                "digits/samples/deep/8.png", "png", "digits/LICENSE.txt", "free"));
        assertEquals("digits", folder.name());
        assertTrue(folder.has("model.tflite") && folder.has("labels.txt") && folder.has("samples/7.png"));
        assertTrue(folder.has("LICENSE.txt"));
        assertFalse(folder.has("README.md") || folder.has("samples/deep/8.png"));
        assertTrue(take("flat.zip", zip("model.tflite", model, "samples/a.wav", "wav")).has("samples/a.wav"));
    }

    @Test
    public void noPathLeavesTheFolder() throws Exception {
        for (String path : new String[] {
            "../model.tflite", "digits/../../evil.txt", "/etc/model.tflite", "samples/../../x.png", "C:\\x.tflite",
            "a//b", "..",
            "samples\\..\\..\\x.png", "digits/samples/..", "./model.tflite"
        }) {
            String message = refused("a.zip", zip("model.tflite", model, path, "evil"));
            assertTrue(message, message.contains("outside of its folder"));
        }
        assertEquals(1, temporary.getRoot().list().length);
    }

    @Test
    public void twoModelsInOneZipAreRefused() throws Exception {
        String message = refused("a.zip", zip("one/model.tflite", model, "two/model.tflite", model));
        assertTrue(message, message.contains("model.tflite twice"));
    }

    @Test
    public void anArchiveThatUnpacksToFarMoreIsRefused() throws Exception {
        byte[] zeros = new byte[17 << 20];
        String large = refused("a.zip", zip("model.tflite", model, "labels.txt", zeros));
        assertTrue(large, large.contains("labels.txt has more than"));
        assertTrue(refused("a.zip", zip("model.tflite", model, "samples/a.wav", zeros)).contains("more than"));
        Object[] many = new Object[2 * 1100];
        for (int i = 0; i < many.length; i += 2) {
            many[i] = "samples/" + i + ".txt";
            many[i + 1] = "";
        }
        assertTrue(refused("a.zip", zip(many)).contains("more than 1000 files"));
        Object[] passed = new Object[2 * 40];
        for (int i = 0; i < passed.length; i += 2) {
            passed[i] = "other" + i + ".bin";
            passed[i + 1] = zeros;
        }
        assertTrue(refused("a.zip", zip(passed)).contains("no part of a model"));
    }

    @Test
    public void aFileThatTheAppCannotRunIsNotKept() throws Exception {
        assertTrue(refused("a.tflite", Golden.resource("models/encoded.tflite")).contains("--decode off"));
        assertTrue(refused("a.tflite", Golden.resource("models/custom.tflite")).contains("MysteryOperator"));
        assertTrue(refused("a.tflite", Arrays.copyOf(model, 1000)).contains("damaged"));
        assertTrue(refused("a.zip", zip("model.tflite", model, "model.json", "{}")).contains("format"));
        assertTrue(refused("a.zip", zip("labels.txt", "a")).contains("no model.tflite"));
        assertTrue(refused("cat.jpg", new byte[] {1, 2, 3}).contains("neither"));
        assertTrue(refused("empty", new byte[0]).contains("neither"));
        assertTrue(refused("a.zip", Arrays.copyOf(zip("model.tflite", model), 5000)).contains("damaged"));
    }

    @Test
    public void aStreamThatBreaksOffLeavesNothing() {
        InputStream broken = new InputStream() {
            private int sent;

            @Override
            public int read() throws IOException {
                if (sent == 2000) {
                    throw new IOException("the card was taken out");
                }
                return model[sent++] & 0xff;
            }
        };
        ModelException error = assertThrows(ModelException.class, () -> importer.importFile("a.tflite", broken));
        assertTrue(error.getMessage(), error.getMessage().contains("the card was taken out"));
        assertTrue(importer.folders().isEmpty());
        assertEquals(0, root.list().length);
    }

    @Test
    public void whatAnInterruptedImportLeftIsNeitherListedNorKept() throws Exception {
        File half = new File(root, ".import");
        assertTrue(half.mkdirs());
        Files.write(new File(half, "model.tflite").toPath(), model);
        assertTrue(importer.folders().isEmpty());
        assertFalse(half.exists());
    }

    @Test
    public void aModelIsRemovedAndOthersStay() throws Exception {
        DiskFolder one = take("one.tflite", model);
        DiskFolder two = take("two.tflite", model);
        importer.delete(one);
        assertEquals("two", importer.folders().get(0).name());
        importer.delete(new DiskFolder(temporary.getRoot()));
        assertTrue(two.has("model.tflite"));
    }

    @Test
    public void aNameIsMadeOfAnyFileName() {
        assertEquals("model", Importer.nameFor(".tflite"));
        assertEquals("model", Importer.nameFor("../../.."));
        assertEquals("evil", Importer.nameFor("../../evil.tflite"));
        assertEquals("数字", Importer.nameFor("数字.zip"));
        assertEquals("a_b_c", Importer.nameFor("a:b\u0000c.tflite"));
        assertEquals(60, Importer.nameFor(new String(new char[500]).replace('\0', 'x')).length());
    }

    @Test
    public void aFolderGivesNothingThatIsOutsideOfIt() throws Exception {
        DiskFolder folder = take("one.tflite", model);
        take("two.tflite", model);
        assertFalse(folder.has("../two/model.tflite"));
        assertThrows(IOException.class, () -> folder.open("../two/model.tflite"));
        assertThrows(IOException.class, () -> folder.map("nothing.tflite"));
    }

    @Test
    public void anyArchiveIsTakenOrRefusedAndNothingHalfIsLeft() throws Exception {
        byte[] whole = zip("digits/model.tflite", model, "digits/labels.txt", "a\nb\n", "digits/samples/7.png", "png");
        Spoiled spoiled = new Spoiled(11);
        int taken = 0;
        for (int i = 0; i < 400; i++) {
            try {
                importer.delete(take("a.zip", spoiled.of(whole)));
                taken++;
            } catch (ModelException expected) {
                assertTrue(expected.getMessage(), expected.getMessage().endsWith("."));
            }
            assertEquals(0, root.list().length);
        }
        assertTrue(taken + " taken", taken < 400);
    }
}
