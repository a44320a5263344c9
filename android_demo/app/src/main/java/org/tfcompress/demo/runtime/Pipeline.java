package org.tfcompress.demo.runtime;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Quantizer;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.result.Scores;

/**
 * A loaded model with the way from an input's values to scores. Used by one thread at a time, never by the main one.
 */
public final class Pipeline implements AutoCloseable {
    /** Scores that are kept; a screen shows the first few. */
    private static final int SCORES = 10;

    private final ModelRunner runner;
    private final Manifest manifest;
    private final List<String> labels;
    private final ByteBuffer[] inputs;
    private final ByteBuffer[] outputs;

    /** @throws ModelException the model cannot run here */
    public Pipeline(DemoModel model, RunOptions options) throws ModelException {
        this(model.bytes, model.manifest, model.labels, options);
    }

    /**
     * Loads a model.
     *
     * @param model the file: direct, in native byte order; position 0
     * @throws ModelException the model cannot run here
     */
    public Pipeline(ByteBuffer model, Manifest manifest, List<String> labels, RunOptions options)
            throws ModelException {
        this.manifest = manifest;
        this.labels = Collections.unmodifiableList(new ArrayList<>(labels));
        Threads.background();
        runner = Runners.factory.open(model, options);
        try {
            inputs = room(runner.inputs());
            outputs = room(runner.outputs());
        } catch (OutOfMemoryError tooLarge) {
            runner.close();
            throw new ModelException("The model's inputs and outputs are too large for this phone's memory.", tooLarge);
        }
    }

    private static ByteBuffer[] room(List<TensorSpec> specs) {
        ByteBuffer[] buffers = new ByteBuffer[specs.size()];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = Quantizer.allocate(specs.get(i));
        }
        return buffers;
    }

    public ModelRunner runner() {
        return runner;
    }

    /** The first input, which is the one that the app fills. */
    public TensorSpec input() {
        return runner.inputs().get(0);
    }

    /**
     * Runs a model of one input.
     *
     * @param input values in the float model's units
     * @throws ModelException the number of values is wrong, the model takes several inputs, or the runtime refused
     */
    public Outcome run(float[] input) throws ModelException {
        return run(new float[][] {input});
    }

    /** As {@link #run(float[])}, with values for each input. */
    public Outcome run(float[][] values) throws ModelException {
        if (values.length != inputs.length) {
            throw new ModelException("The model takes " + inputs.length + " inputs, and the app fills " + values.length
                    + "; its speed can still be measured.");
        }
        for (int i = 0; i < inputs.length; i++) {
            Quantizer.quantize(values[i], runner.inputs().get(i), inputs[i]);
        }
        Threads.background();
        long start = System.nanoTime();
        runner.run(inputs, outputs);
        double milliseconds = (System.nanoTime() - start) / 1e6;
        float[][] results = new float[outputs.length][];
        for (int i = 0; i < outputs.length; i++) {
            results[i] = Quantizer.dequantize(outputs[i], runner.outputs().get(i));
        }
        return new Outcome(results, scores(results[0]), milliseconds);
    }

    private Scores scores(float[] output) {
        return manifest.output == Manifest.Output.VALUES
                ? Scores.values(output, labels, SCORES)
                : Scores.of(output, runner.outputs().get(0), labels, SCORES);
    }

    @Override
    public void close() {
        runner.close();
    }
}
