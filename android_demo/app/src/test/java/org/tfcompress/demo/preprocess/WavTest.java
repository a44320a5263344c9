package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.model.ModelException;

public class WavTest {
    @Test
    public void filesOfPythonsWaveModuleAreRead() throws Exception {
        for (JSONObject each : Golden.cases("wav")) {
            Wav wav = Wav.read(Golden.bytes(each.getString("wav")));
            assertEquals(each.getInt("rate"), wav.rate);
            assertArrayEquals(Golden.floats(each.getString("samples")), wav.samples, 0);
        }
    }

    private static byte[] wav(int kind, int channels, int bits, byte[] data) {
        ByteBuffer file = ByteBuffer.allocate(44 + 10 + data.length).order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(46 + data.length);
        file.put("WAVEjunk".getBytes(StandardCharsets.US_ASCII)).putInt(1).put((byte) 9).put((byte) 0);
        file.put("fmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
        file.putShort((short) kind).putShort((short) channels);
        file.putInt(16000).putInt(16000 * channels * bits / 8).putShort((short) (channels * bits / 8));
        file.putShort((short) bits).put("data".getBytes(StandardCharsets.US_ASCII)).putInt(data.length).put(data);
        return file.array();
    }

    @Test
    public void floatsAreReadAndOtherPartsArePassedOver() throws Exception {
        byte[] data = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(0.25f).putFloat(-1f).putFloat(Float.NaN).array();
        assertArrayEquals(new float[] {0.25f, -1, 0}, Wav.read(wav(3, 1, 32, data)).samples, 0);
    }

    @Test
    public void whatIsNotReadIsSaidInASentence() {
        assertSays(wav(2, 1, 4, new byte[8]), "4-bit samples of format 2");
        assertSays(wav(1, 0, 16, new byte[8]), "0 channels");
        assertSays("<html>no sound</html>".getBytes(StandardCharsets.US_ASCII), "no .wav");
        assertSays(new byte[0], "no .wav");
        assertSays(Arrays.copyOf(wav(1, 1, 16, new byte[8]), 40), "no sound in it");
    }

    private static void assertSays(byte[] file, String words) {
        ModelException error = assertThrows(ModelException.class, () -> Wav.read(file));
        assertTrue(error.getMessage(), error.getMessage().contains(words));
    }

    @Test
    public void aFileThatWasCutOffGivesWhatIsThere() throws Exception {
        byte[] whole = wav(1, 1, 16, new byte[100]);
        assertEquals(20, Wav.read(Arrays.copyOf(whole, whole.length - 60)).samples.length);
    }

    @Test
    public void anyBytesAreReadOrRefused() throws Exception {
        byte[] file = Golden.bytes(Golden.cases("wav").get(3).getString("wav"));
        Random random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] spoiled = Arrays.copyOf(file, random.nextInt(4) == 0 ? random.nextInt(file.length) : file.length);
            for (int k = random.nextInt(4); k >= 0 && spoiled.length > 0; k--) {
                spoiled[random.nextInt(Math.min(60, spoiled.length))] = (byte) random.nextInt();
            }
            try {
                Wav.read(spoiled);
            } catch (ModelException expected) {
                refused++;
            }
        }
        assertTrue(refused + " refused", refused > 1000 && refused < 20_000);
    }
}
