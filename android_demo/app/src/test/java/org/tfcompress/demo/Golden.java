package org.tfcompress.demo;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What tests/android/make_goldens.py wrote, and the models that it made. */
public final class Golden {
    private Golden() {}

    /** Bytes of a file of the tests' resources. */
    public static byte[] resource(String path) throws IOException {
        try (InputStream from = Golden.class.getResourceAsStream("/" + path)) {
            if (from == null) {
                throw new IOException("there is no " + path + "; run tests/android/make_goldens.py");
            }
            ByteArrayOutputStream to = new ByteArrayOutputStream();
            byte[] part = new byte[65536];
            for (int read = from.read(part); read >= 0; read = from.read(part)) {
                to.write(part, 0, read);
            }
            return to.toByteArray();
        }
    }

    /** A model by name, as an app has it in memory. */
    public static ByteBuffer model(String name) throws IOException {
        return direct(resource("models/" + name + ".tflite"));
    }

    public static ByteBuffer direct(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        buffer.put(bytes).rewind();
        return buffer;
    }

    private static String text(String name) throws IOException {
        return new String(resource("golden/" + name + ".json"), StandardCharsets.UTF_8);
    }

    /** The cases of a golden file. */
    public static List<JSONObject> cases(String name) throws IOException, JSONException {
        JSONArray array = new JSONArray(text(name));
        List<JSONObject> cases = new ArrayList<>();
        for (int i = 0; i < array.length(); i++) {
            cases.add(array.getJSONObject(i));
        }
        return cases;
    }

    public static JSONObject object(String name) throws IOException, JSONException {
        return new JSONObject(text(name));
    }

    public static byte[] bytes(String base64) {
        return Base64.getDecoder().decode(base64);
    }

    public static float[] floats(String base64) {
        ByteBuffer bytes = ByteBuffer.wrap(bytes(base64)).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[bytes.capacity() / 4];
        bytes.asFloatBuffer().get(floats);
        return floats;
    }

    public static short[] shorts(String base64) {
        ByteBuffer bytes = ByteBuffer.wrap(bytes(base64)).order(ByteOrder.LITTLE_ENDIAN);
        short[] shorts = new short[bytes.capacity() / 2];
        bytes.asShortBuffer().get(shorts);
        return shorts;
    }

    public static int[] ints(JSONArray array) throws JSONException {
        int[] ints = new int[array.length()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = array.getInt(i);
        }
        return ints;
    }
}
