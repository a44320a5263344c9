package org.tfcompress.demo.manifest;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.model.ModelException;

public class DemoModelTest {
    private static final String IMAGE =
            "{\"format\": 1, \"title\": \"Digits\", \"sha256\": \"%s\", \"input\": {\"kind\": \"image\", \"channels\": "
                    + "\"gray\", \"mean\": [0], \"std\": [255]}, \"report\": {\"notes\": [\"promised\"]}}";

    private static MemoryFolder folder(String form) throws Exception {
        return new MemoryFolder().with("model.tflite", Golden.resource("models/" + form + ".tflite"));
    }

    private static String ten(String end) {
        return "zero" + end + "one" + end + "2" + end + "3" + end + "4" + end + "5" + end + "6" + end + "7" + end + "8"
                + end + "9";
    }

    @Test
    public void aModelAloneIsEnough() throws Exception {
        DemoModel model = DemoModel.read(folder("int8"));
        assertEquals("folder", model.title);
        assertEquals("int8", model.kind);
        assertEquals(Golden.object("runs_int8").getString("sha256"), model.sha256);
        assertTrue(model.manifest.guessed);
        assertTrue(model.manifest.input instanceof ImageInput);
        assertTrue(model.labels.isEmpty());
        assertTrue(model.warnings.toString(), model.warnings.isEmpty());
        assertFalse(model.hasCompare());
    }

    @Test
    public void aFloatModelAloneSaysWhatIsTakenForGranted() throws Exception {
        DemoModel model = DemoModel.read(folder("float32"));
        assertEquals(Arrays.asList("Without model.json the model's pixels are taken to be 0 to 1."), model.warnings);
        DemoModel other = model.withInput(Guess.image(model.inputs.get(0), Guess.Pixels.MINUS_ONE_TO_ONE));
        assertEquals(127.5, other.manifest.input.mean()[0], 0);
    }

    @Test
    public void labelsAreReadWithAnyLineEnd() throws Exception {
        for (String end : new String[] {"\n", "\r\n"}) {
            for (String last : new String[] {"", end, end + end}) {
                DemoModel model = DemoModel.read(folder("int8").with("labels.txt", "\ufeff" + ten(end) + last));
                assertEquals(10, model.labels.size());
                assertEquals("zero", model.labels.get(0));
                assertTrue(model.warnings.toString(), model.warnings.isEmpty());
            }
        }
    }

    @Test
    public void labelsThatDoNotFitAreSaid() throws Exception {
        DemoModel model = DemoModel.read(folder("int8").with("labels.txt", "cat\ndog\n"));
        assertEquals(Arrays.asList("labels.txt has 2 names, but the model has 10 classes."), model.warnings);
    }

    @Test
    public void aReportOfAnotherFileIsLeftOutAndSaid() throws Exception {
        String sha256 = Golden.object("runs_int8").getString("sha256");
        DemoModel right = DemoModel.read(folder("int8").with("model.json", String.format(IMAGE, sha256)));
        assertEquals(Arrays.asList("promised"), right.manifest.report.notes);
        assertEquals("Digits", right.title);
        assertTrue(right.warnings.isEmpty());
        DemoModel wrong = DemoModel.read(folder("int8").with("model.json", String.format(IMAGE, "00")));
        assertTrue(wrong.manifest.report.isEmpty());
        assertEquals("Digits", wrong.title);
        assertTrue(wrong.warnings.toString(), wrong.warnings.get(0).startsWith("model.json was written for another"));
    }

    @Test
    public void aModelToCompareWithMustTakeTheSameInput() throws Exception {
        byte[] other = Golden.resource("models/float32.tflite");
        DemoModel model = DemoModel.read(folder("int8").with("compare.tflite", other));
        assertTrue(model.hasCompare());
        assertEquals(other.length, model.compareBytes().capacity());
        DemoModel two = DemoModel.read(
                folder("int8").with("compare.tflite", Golden.resource("models/two_float32.tflite")));
        ModelException error = assertThrows(ModelException.class, two::compareBytes);
        assertTrue(error.getMessage(), error.getMessage().contains("the model takes [int8 [1, 8, 8, 1]]"));
    }

    @Test
    public void whatCannotBeReadIsSaid() throws Exception {
        assertThrows(ModelException.class, () -> DemoModel.read(new MemoryFolder()));
        assertThrows(ModelException.class, () -> DemoModel.read(folder("encoded")));
        ModelException error = assertThrows(
                ModelException.class, () -> DemoModel.read(folder("int8").with("model.json", "not json")));
        assertTrue(error.getMessage(), error.getMessage().startsWith("model.json"));
    }
}
