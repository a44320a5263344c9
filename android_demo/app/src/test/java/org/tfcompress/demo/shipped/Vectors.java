package org.tfcompress.demo.shipped;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.tfcompress.demo.Shipped;

/** A model with inputs and the outputs that Python's LiteRT made of them with one of its kernel sets. */
final class Vectors {
    /** The models that come with the app. */
    private static final File SHIPPED = Shipped.MODELS;

    /** Models of the tests in every form, and what both kernel sets make of them. */
    private static final File MODELS = new File("app/src/test/resources/models");

    private static final File GOLDEN = new File("app/src/test/resources/golden");
    private static final String RUNS = "runs_";

    final String name;
    final File model;

    /** Which runtime and kernels made the outputs: "LiteRT 2.3.0 (XNNPACK, 1 thread)". */
    final String runtime;

    /** By vector and port, the bytes of a tensor. */
    final List<List<byte[]>> inputs = new ArrayList<>();

    final List<List<byte[]>> outputs = new ArrayList<>();

    private Vectors(String name, File model, JSONObject made) throws JSONException {
        this.name = name;
        this.model = model;
        runtime = made.getString("runtime");
        JSONArray vectors = made.getJSONArray("vectors");
        for (int i = 0; i < vectors.length(); i++) {
            inputs.add(tensors(vectors.getJSONObject(i).getJSONArray("inputs")));
            outputs.add(tensors(vectors.getJSONObject(i).getJSONArray("outputs")));
        }
    }

    /** Those of the app's models ({@code vectors.json} of docs/android.md), and of the tests'. */
    static List<Vectors> all() throws IOException, JSONException {
        List<Vectors> found = new ArrayList<>();
        for (String name : Shipped.NAMES) {
            File file = new File(new File(SHIPPED, name), "vectors.json");
            found.add(new Vectors(name, Shipped.model(name), json(file)));
        }
        for (File file : sorted(GOLDEN)) {
            if (file.getName().startsWith(RUNS)) {
                String name = file.getName().substring(RUNS.length()).replace(".json", "");
                JSONObject kernels = json(file).getJSONObject("kernels");
                for (String set : new String[] {"builtin", "default"}) {
                    found.add(new Vectors(name, new File(MODELS, name + ".tflite"), kernels.getJSONObject(set)));
                }
            }
        }
        return found;
    }

    private static File[] sorted(File folder) {
        File[] files = folder.isDirectory() ? folder.listFiles() : new File[0];
        Arrays.sort(files);
        return files;
    }

    private static JSONObject json(File file) throws IOException, JSONException {
        return new JSONObject(new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8));
    }

    /** Whether the model comes with the app. */
    boolean isShipped() {
        return model.getParentFile().getParentFile().equals(SHIPPED);
    }

    /** The file as an interpreter takes it. */
    ByteBuffer bytes() throws IOException {
        return direct(Files.readAllBytes(model.toPath()));
    }

    static ByteBuffer direct(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        buffer.put(bytes).rewind();
        return buffer;
    }

    private static List<byte[]> tensors(JSONArray texts) throws JSONException {
        List<byte[]> tensors = new ArrayList<>();
        for (int i = 0; i < texts.length(); i++) {
            tensors.add(Base64.getDecoder().decode(texts.getString(i)));
        }
        return tensors;
    }
}
