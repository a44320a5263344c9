package org.tfcompress.demo.compare;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.measure.Benchmark;
import org.tfcompress.demo.measure.Progress;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.result.Score;
import org.tfcompress.demo.result.Scores;
import org.tfcompress.demo.runtime.Outcome;
import org.tfcompress.demo.runtime.Pipeline;
import org.tfcompress.demo.runtime.RunOptions;

/** One of two models that are compared: what it made of the input, how fast it is and how large. */
public final class Side {
    /** Timed runs: enough for a median, few enough not to wait for. */
    static final int RUNS = 20;

    public final String title;

    /** "int8", "float32", ... */
    public final String kind;

    /** Size of the file. */
    public final long bytes;

    /** Name and version of the runtime, delegate and threads. */
    public final String runtime;

    /** Median time of a run. */
    public final double milliseconds;

    /** What was made of the output to get shares; empty where nothing was. */
    public final String note;

    private final float[] values;
    private final String[] labels;

    private Side(
            String title, String kind, long bytes, String runtime, double milliseconds, Scores scores) {
        this.title = title;
        this.kind = kind;
        this.bytes = bytes;
        this.runtime = runtime;
        this.milliseconds = milliseconds;
        this.note = scores.note;
        values = new float[scores.list.size()];
        labels = new String[values.length];
        for (Score score : scores.list) {
            values[score.index] = score.value;
            labels[score.index] = score.label;
        }
    }

    /**
     * Loads a model, runs it on the input, times it and closes it. Never on the main thread.
     *
     * @param model the file: direct, in native byte order
     * @param input values in the float model's units
     * @param cancelled asked before each timed run
     * @throws ModelException it cannot run, or takes another input
     * @throws java.util.concurrent.CancellationException {@code cancelled} said so
     */
    public static Side run(
            String title, ByteBuffer model, Manifest manifest, List<String> labels, float[] input, RunOptions options,
            BooleanSupplier cancelled) throws ModelException {
        try (Pipeline pipeline = new Pipeline(model, manifest, labels, options)) {
            Outcome outcome = pipeline.run(input);
            TensorSpec spec = pipeline.runner().outputs().get(0);
            double median = Benchmark.run(pipeline.runner(), RUNS, System::nanoTime, Progress.NONE, cancelled).p50();
            Scores scores = manifest.output == Manifest.Output.VALUES
                    ? Scores.values(outcome.outputs[0], labels, Integer.MAX_VALUE)
                    : Scores.of(outcome.outputs[0], spec, labels, Integer.MAX_VALUE);
            String runtime = pipeline.runner().describe();
            return new Side(title, ModelFile.kind(model), model.capacity(), runtime, median, scores);
        }
    }

    /** Share of each class, or each value of a regression. */
    public float[] values() {
        return values.clone();
    }

    public String label(int index) {
        return labels[index];
    }
}
