package org.tfcompress.demo.model;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.Spoiled;

public class ModelFileTest {
    private static final String[] FORMS = {"float32", "float16", "dynamic", "int8", "uint8", "int16x8"};

    private static String refused(ByteBuffer file) {
        return assertThrows(ModelException.class, () -> ModelFile.check(file)).getMessage();
    }

    @Test
    public void everyFormIsKnownByItsFile() throws Exception {
        for (String form : FORMS) {
            ModelFile file = ModelFile.read(Golden.model(form));
            assertEquals(form, file.kind());
            assertArrayEquals(new int[] {1, 8, 8, 1}, file.inputs().get(0).shape());
            assertArrayEquals(new int[] {1, 10}, file.outputs().get(0).shape());
            assertTrue(file.operators() > 3);
        }
        assertEquals(2, ModelFile.read(Golden.model("two_int8")).inputs().size());
        assertEquals(2, ModelFile.read(Golden.model("two_int8")).outputs().size());
    }

    @Test
    public void weightsThatAreEncodedForMicrocontrollersAreSaidToBe() throws Exception {
        assertEquals(
                "The weights of this file are encoded for microcontrollers, and phones cannot read them; "
                        + "export it with --decode off.",
                refused(Golden.model("encoded")));
    }

    @Test
    public void aFileThatWasShrunkForMicrocontrollersIsSaidToBe() throws Exception {
        String[][] leftOut = {
            {"shrunk", "one zero point stands for all channels"},
            {"shrunk_bias", "scales of biases are left out"},
            {"shrunk_reshape", "shapes that RESHAPE makes are left out"}
        };
        for (String[] one : leftOut) {
            assertEquals(
                    "Phones cannot run this file: it was shrunk for TFLM (" + one[1]
                            + "); convert the model with --runtime litert.",
                    refused(Golden.model(one[0])));
        }
    }

    @Test
    public void aFileWhoseTablesLieOutsideOfItIsToBeCopiedAnew() throws Exception {
        byte[] file = Golden.resource("models/int8.tflite");
        String damaged = "The file is damaged: its tables point outside of it; copy it again, or export it anew.";
        for (int root : new int[] {file.length - 2, Integer.MIN_VALUE, Integer.MAX_VALUE, -1}) {
            byte[] copy = file.clone();
            ByteBuffer.wrap(copy).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(0, root);
            assertEquals(damaged, refused(Golden.direct(copy)));
        }
    }

    @Test
    public void anOperatorThatTheAppDoesNotHaveIsNamed() throws Exception {
        assertTrue(refused(Golden.model("custom")).startsWith("The file needs the custom operator MysteryOperator,"));
        assertTrue(refused(Golden.model("flex")).startsWith("The file needs TensorFlow's operator Erf,"));
        assertTrue(refused(Golden.model("text")).contains("of type string"));
    }

    @Test
    public void whatIsNoModelIsSaidToBeNone() {
        assertTrue(refused(Golden.direct(new byte[0])).contains("0 bytes"));
        byte[] page = "<!doctype html><title>404</title>".getBytes(StandardCharsets.US_ASCII);
        assertTrue(refused(Golden.direct(page)).contains("no TFLite model"));
    }

    @Test
    public void aFileThatWasCutOffIsRefused() throws Exception {
        byte[] whole = Golden.resource("models/int8.tflite");
        byte[] half = java.util.Arrays.copyOf(whole, whole.length / 2);
        assertTrue(refused(Golden.direct(half)).startsWith("The file is damaged: "));
    }

    @Test
    public void anyBytesAreReadOrRefused() throws Exception {
        Spoiled spoiled = new Spoiled(7);
        int refused = 0;
        int all = 0;
        for (String form : new String[] {"float32", "int8", "two_int8", "custom", "text", "encoded"}) {
            byte[] file = Golden.resource("models/" + form + ".tflite");
            for (int i = 0; i < 5000; i++) {
                all++;
                try {
                    ModelFile read = ModelFile.read(ByteBuffer.wrap(spoiled.of(file)));
                    read.kind();
                } catch (ModelException expected) {
                    assertReadable(expected.getMessage());
                    refused++;
                }
            }
        }
        assertTrue(refused + " of " + all + " refused", refused > all / 10 && refused < all);
    }

    private static void assertReadable(String message) {
        assertTrue(message, message.length() < 300 && message.endsWith("."));
        assertTrue(message, message.chars().noneMatch(Character::isISOControl));
    }

    @Test(timeout = 60_000)
    public void aFileThatNamesTheSamePartsAgainAndAgainEndsSoon() {
        // A root whose vectors all lie over each other: 250,000 offsets to one table that has 250,000 offsets ...
        int count = 150_000;
        ByteBuffer file = ByteBuffer.allocate(64 + 4 * count + 4).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        file.putInt(0, 32).putInt(4, 0x334c4654);
        // A vtable at 8 with fields 0 to 4 of a table at 32: version, and three times the vector at 60.
        file.putShort(8, (short) 14).putShort(10, (short) 24);
        file.putShort(12, (short) 4).putShort(14, (short) 8).putShort(16, (short) 12).putShort(20, (short) 16);
        file.putInt(32, 24).putInt(36, 3);
        file.putInt(40, 60 - 40).putInt(44, 60 - 44).putInt(48, 60 - 48);
        file.putInt(60, count);
        for (int i = 0; i < count; i++) {
            file.putInt(64 + 4 * i, 32 - (64 + 4 * i));
        }
        assertTrue(refused(file).startsWith("The file is damaged"));
    }
}
