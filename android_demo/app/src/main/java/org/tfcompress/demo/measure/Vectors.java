package org.tfcompress.demo.measure;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.tfcompress.demo.manifest.Json;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.Delegate;

/** What vectors.json holds (docs/android.md): runs of a model in Python. */
final class Vectors {
    private static final String FILE = "vectors.json";
    private static final int FORMAT = 1;
    private static final int MOST = 10_000;

    /** Of the model that ran, in lower case. */
    final String sha256;

    /** Name, version and kernels of the runtime that made them. */
    final String runtime;

    private final JSONObject tolerance;
    private final List<Run> runs = new ArrayList<>();

    /** Bytes of every input and output of a run. */
    static final class Run {
        final ByteBuffer[] inputs;
        final ByteBuffer[] outputs;

        Run(ByteBuffer[] inputs, ByteBuffer[] outputs) {
            this.inputs = inputs;
            this.outputs = outputs;
        }
    }

    /** @throws ModelException the text is not of the form, or of other inputs and outputs than the model's */
    Vectors(String text, List<TensorSpec> inputs, List<TensorSpec> outputs) throws ModelException {
        JSONObject file = Json.object(text, FILE);
        if (file.optInt("format", -1) != FORMAT) {
            throw new ModelException(FILE + " is of format " + Printable.of(file.optString("format"), 20)
                    + ", but this app knows " + FORMAT + "; install a newer app.");
        }
        sha256 = file.optString("sha256").toLowerCase(java.util.Locale.ROOT);
        runtime = Printable.of(file.optString("runtime"), 200);
        tolerance = file.optJSONObject("tolerance");
        JSONArray vectors = file.optJSONArray("vectors");
        if (vectors == null || vectors.length() == 0 || vectors.length() > MOST) {
            throw new ModelException(FILE + " has no list of 1 to " + MOST + " vectors; export the model anew.");
        }
        for (int i = 0; i < vectors.length(); i++) {
            JSONObject vector = vectors.optJSONObject(i);
            String place = FILE + ": vectors[" + i + "].";
            runs.add(new Run(tensors(vector, "inputs", inputs, place), tensors(vector, "outputs", outputs, place)));
        }
    }

    /**
     * The kernels that made the outputs, and that are to run the model here: built-in ones where the text names none.
     *
     * @param text of vectors.json
     */
    static Delegate kernels(String text) throws ModelException {
        String word = Json.object(text, FILE).optString("kernels", Delegate.CPU.word);
        Delegate kernels = Delegate.of(word);
        if (kernels == null || kernels == Delegate.NNAPI) {
            throw new ModelException(FILE + " is of kernels " + Printable.of(word, 20)
                    + ", but this app knows cpu and xnnpack; install a newer app.");
        }
        return kernels;
    }

    List<Run> runs() {
        return runs;
    }

    /** How far values of a type may be off; the default where the file does not tell. */
    double tolerance(TensorSpec spec, double otherwise) {
        double told = tolerance == null ? Double.NaN : tolerance.optDouble(spec.type.toString());
        return told >= 0 ? told : otherwise;
    }

    private static ByteBuffer[] tensors(JSONObject vector, String key, List<TensorSpec> specs, String place)
            throws ModelException {
        JSONArray texts = vector == null ? null : vector.optJSONArray(key);
        if (texts == null || texts.length() != specs.size()) {
            throw new ModelException(place + key + " is no list of " + specs.size() + " texts; export the model anew.");
        }
        ByteBuffer[] made = new ByteBuffer[specs.size()];
        for (int i = 0; i < made.length; i++) {
            byte[] bytes = bytes(texts.optString(i), place + key);
            if (bytes.length != specs.get(i).bytes()) {
                throw new ModelException(place + key + " has " + bytes.length + " bytes for " + specs.get(i)
                        + ", which takes "
                        + specs.get(i).bytes() + "; export the model anew.");
            }
            made[i] = ByteBuffer.allocateDirect(bytes.length);
            made[i].put(bytes).rewind();
            made[i].order(ByteOrder.LITTLE_ENDIAN);
        }
        return made;
    }

    private static byte[] bytes(String text, String place) throws ModelException {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException error) {
            throw new ModelException(place + " is no base64; export the model anew.", error);
        }
    }
}
