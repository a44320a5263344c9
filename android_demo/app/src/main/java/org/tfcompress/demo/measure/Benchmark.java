package org.tfcompress.demo.measure;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.ModelRunner;

/** Repeated runs of a loaded model, timed one by one, as the toolkit's own benchmark does it on a computer. */
public final class Benchmark {
    /** The first runs fill caches and let the clock rise; half a second is enough of that for a slow model. */
    static final int WARM_UP_RUNS = 5;

    static final long WARM_UP_NANOSECONDS = 500_000_000L;

    /** Of the random inputs. */
    static final long SEED = 0;

    private Benchmark() {}

    /**
     * Times a model on random inputs, after a warm-up that is not counted.
     *
     * @param runs timed inferences, at least 1
     * @param nanoTime a clock that only goes forward, such as {@code System::nanoTime}
     * @param cancelled asked before each run
     * @throws ModelException the runtime refused
     * @throws CancellationException {@code cancelled} said so
     */
    public static Timing run(
            ModelRunner runner, int runs, LongSupplier nanoTime, Progress progress, BooleanSupplier cancelled)
            throws ModelException {
        if (runs < 1) {
            throw new IllegalArgumentException("runs " + runs + ", expected at least 1");
        }
        ByteBuffer[] inputs = RandomInputs.of(runner.inputs(), SEED);
        ByteBuffer[] outputs = room(runner.outputs());
        warmUp(runner, inputs, outputs, nanoTime, cancelled);
        double[] milliseconds = new double[runs];
        int stride = Math.max(1, runs / 100);
        for (int done = 0; done < runs; ) {
            stopIf(cancelled);
            long start = nanoTime.getAsLong();
            runner.run(inputs, outputs);
            milliseconds[done++] = (nanoTime.getAsLong() - start) / 1e6;
            if (done % stride == 0 || done == runs) {
                progress.at(done, runs);
            }
        }
        return new Timing(milliseconds);
    }

    private static void warmUp(
            ModelRunner runner, ByteBuffer[] inputs, ByteBuffer[] outputs, LongSupplier nanoTime,
            BooleanSupplier cancelled) throws ModelException {
        long start = nanoTime.getAsLong();
        for (int done = 0; done < WARM_UP_RUNS; done++) {
            stopIf(cancelled);
            runner.run(inputs, outputs);
            if (nanoTime.getAsLong() - start > WARM_UP_NANOSECONDS) {
                return;
            }
        }
    }

    private static void stopIf(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) {
            throw new CancellationException("the measurement was stopped");
        }
    }

    private static ByteBuffer[] room(List<TensorSpec> outputs) {
        ByteBuffer[] buffers = new ByteBuffer[outputs.size()];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = ByteBuffer.allocateDirect(outputs.get(i).bytes()).order(ByteOrder.nativeOrder());
        }
        return buffers;
    }
}
