package org.tfcompress.demo.measure;

import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.runtime.RunnerFactory;

/** Loads a model, times it, looks at the memory, and closes it. Never on the main thread. */
public final class Measurement {
    private static final int PAGE = 4096;

    /** Written so that the reads are not optimized away. */
    private static volatile int touched;

    private final RunnerFactory factory;
    private final LongSupplier nanoTime;

    /** @param nanoTime a clock that only goes forward, such as {@code System::nanoTime} */
    public Measurement(RunnerFactory factory, LongSupplier nanoTime) {
        this.factory = factory;
        this.nanoTime = nanoTime;
    }

    /**
     * Measures one way to run a model.
     *
     * @param model the file's bytes, a direct buffer; all of them count as memory that it takes
     * @param runs timed inferences, at least 1
     * @throws ModelException the model cannot run in this way; another is never tried instead
     * @throws CancellationException {@code cancelled} said so
     */
    public Measured run(
            ByteBuffer model, RunOptions options, int runs, Progress progress, BooleanSupplier cancelled)
            throws ModelException {
        touch(model);
        Memory memory = Memory.start();
        try (ModelRunner runner = factory.open(model, options)) {
            memory.look();
            Timing timing = Benchmark.run(runner, runs, nanoTime, progress, cancelled);
            return new Measured(runner.describe(), timing, memory.peakBytes(model.capacity()));
        }
    }

    /** Reads from every page of a mapped file, so that all of it is in memory before growth is counted. */
    private static void touch(ByteBuffer model) {
        int sum = 0;
        for (int at = 0; at < model.capacity(); at += PAGE) {
            sum += model.get(at);
        }
        touched = sum;
    }
}
