package org.tfcompress.demo.measure;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Quantizer;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.runtime.RunnerFactory;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.store.Streams;

/** Runs the inputs of vectors.json and compares the outputs with those that Python's LiteRT made. */
public final class VectorCheck {
    private static final int MOST_BYTES = 64 << 20;

    private VectorCheck() {}

    /**
     * Loads a model with the kernels that its vectors were made with, on one thread, and checks it.
     *
     * @throws ModelException vectors.json is missing, damaged or of another model, or the runtime refused
     */
    public static VectorResult run(DemoModel model, RunnerFactory factory) throws ModelException {
        String text = text(model);
        try (ModelRunner runner = factory.open(model.bytes, new RunOptions(1, Vectors.kernels(text)))) {
            return run(text, model.sha256, model.kind, runner);
        }
    }

    private static String text(DemoModel model) throws ModelException {
        try {
            return Streams.text(model.folder, ModelFolder.VECTORS, MOST_BYTES);
        } catch (IOException error) {
            throw new ModelException("The vectors cannot be read (" + error.getMessage() + "); export the model anew.",
                    error);
        }
    }

    /**
     * Checks a loaded model.
     *
     * @param text of vectors.json
     * @param sha256 of the model, in lower case
     * @param kind of the model, see {@link org.tfcompress.demo.model.ModelFile#kind()}
     */
    public static VectorResult run(String text, String sha256, String kind, ModelRunner runner) throws ModelException {
        List<TensorSpec> specs = runner.outputs();
        Vectors vectors = new Vectors(text, runner.inputs(), specs);
        if (!vectors.sha256.equals(sha256)) {
            throw new ModelException("vectors.json was made of another model.tflite; export the model anew.");
        }
        Differences found = new Differences();
        ByteBuffer[] outputs = new ByteBuffer[specs.size()];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = Quantizer.allocate(specs.get(i));
        }
        for (Vectors.Run run : vectors.runs()) {
            runner.reset();
            runner.run(run.inputs, outputs);
            for (int i = 0; i < outputs.length; i++) {
                TensorSpec spec = specs.get(i);
                found.add(run.outputs[i], outputs[i], spec, vectors.tolerance(spec, usual(spec, kind)));
            }
            found.addTop1(run.outputs[0], outputs[0], specs.get(0));
        }
        return new VectorResult(found, vectors.runtime, runner.describe());
    }

    /** What may differ where the file does not tell it. */
    private static double usual(TensorSpec spec, String kind) {
        if (spec.type != DType.FLOAT32) {
            return spec.isQuantized() ? 1 : 0;
        }
        return kind.equals("float32") ? 1e-5 : 1e-3;
    }
}
