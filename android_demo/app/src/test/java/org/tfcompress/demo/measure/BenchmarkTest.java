package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.RunOptions;

/** With a real model, and a clock that goes on by itself. */
public class BenchmarkTest {
    private static final long MILLISECOND = 1_000_000;

    private final RunOptions options = new RunOptions(1, Delegate.CPU);
    private ByteBuffer model;
    private ModelRunner runner;

    @Before
    public void open() throws IOException, ModelException {
        byte[] file = Files.readAllBytes(Paths.get("app/src/main/assets/models/handwritten_digits/model.tflite"));
        model = ByteBuffer.allocateDirect(file.length).order(ByteOrder.nativeOrder());
        model.put(file).rewind();
        runner = new JvmRunner(model, options);
    }

    @After
    public void close() {
        runner.close();
    }

    @Test
    public void everyRunIsTimedByItselfAfterTheWarmUp() throws ModelException {
        // The clock is asked once at the start of the warm-up, once after each of its five runs, then twice a run.
        AtomicInteger asked = new AtomicInteger();
        AtomicLong now = new AtomicLong();
        LongSupplier clock = () -> {
            int number = asked.incrementAndGet() - 6;
            return now.addAndGet(number > 0 && number % 2 == 0 ? number * MILLISECOND : 7);
        };
        Timing timing = Benchmark.run(runner, 4, clock, Progress.NONE, () -> false);
        assertEquals(4, timing.runs());
        assertEquals(2, timing.quantile(0), 0);
        assertEquals(5, timing.p50(), 0);
        assertEquals(8, timing.quantile(1), 0);
    }

    @Test
    public void aSlowModelIsNotWarmedUpFiveTimes() throws ModelException {
        AtomicInteger asked = new AtomicInteger();
        AtomicLong now = new AtomicLong();
        Benchmark.run(runner, 1, () -> {
            asked.incrementAndGet();
            return now.addAndGet(600 * MILLISECOND);
        }, Progress.NONE, () -> false);
        assertEquals(2 + 2, asked.get());
    }

    @Test
    public void progressIsToldEveryFewRunsAndAtTheEnd() throws ModelException {
        List<Integer> told = new ArrayList<>();
        Benchmark.run(runner, 250, System::nanoTime, (done, total) -> told.add(done), () -> false);
        assertEquals(125, told.size());
        assertEquals(250, (int) told.get(told.size() - 1));
    }

    @Test
    public void itEndsWhereItIsStopped() {
        AtomicInteger asked = new AtomicInteger();
        assertThrows(CancellationException.class, () -> Benchmark.run(
                runner, 1000, System::nanoTime, Progress.NONE, () -> asked.incrementAndGet() > 8));
        assertEquals(9, asked.get());
    }

    @Test
    public void noRunsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Benchmark.run(
                runner, 0, System::nanoTime, Progress.NONE, () -> false));
    }

    @Test
    public void aMeasurementTellsWhoRanAndCountsTheFileAsMemory() throws ModelException {
        Measurement measurement = new Measurement(JvmRunner::new, System::nanoTime);
        Measured measured = measurement.run(model, options, 3, Progress.NONE, () -> false);
        assertTrue(measured.runtime, measured.runtime.endsWith("(built-in kernels, 1 thread)"));
        assertEquals(3, measured.timing.runs());
        assertTrue(measured.peakBytes.getAsLong() >= model.capacity());
    }

    @Test
    public void whatCannotRunIsAnErrorAndNothingElseIsTried() {
        Measurement measurement = new Measurement(JvmRunner::new, System::nanoTime);
        RunOptions nnapi = new RunOptions(1, Delegate.NNAPI);
        assertThrows(ModelException.class, () -> measurement.run(model, nnapi, 3, Progress.NONE, () -> false));
    }
}
