package org.tfcompress.demo.runtime;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Quantizer;

public class RunnerBuffersTest {
    private static void refused(ModelRunner runner, ByteBuffer[] in, ByteBuffer[] out, String words) {
        ModelException error = assertThrows(ModelException.class, () -> runner.run(in, out));
        assertTrue(error.getMessage(), error.getMessage().contains(words));
    }

    @Test
    public void buffersOfAnotherSizeKindOrNumberAreRefused() throws Exception {
        try (ModelRunner runner = new JvmRunner(Golden.model("int8"), new RunOptions(1, Delegate.CPU))) {
            ByteBuffer[] in = {Quantizer.allocate(runner.inputs().get(0))};
            ByteBuffer[] out = {Quantizer.allocate(runner.outputs().get(0))};
            refused(runner, new ByteBuffer[] {ByteBuffer.allocateDirect(63)}, out, "64 bytes, and one of 63 came");
            refused(runner, in, new ByteBuffer[] {ByteBuffer.allocate(10)}, "direct buffer of 10");
            refused(runner, new ByteBuffer[0], out, "0 buffers came for 1 inputs");
        }
    }

    @Test
    public void aBufferIsReadFromItsStartWhereverItsPositionIs() throws Exception {
        try (ModelRunner runner = new JvmRunner(Golden.model("int8"), new RunOptions(1, Delegate.CPU))) {
            ByteBuffer in = ByteBuffer.allocateDirect(100);
            ByteBuffer out = ByteBuffer.allocateDirect(100);
            in.put(5, (byte) 99).position(40);
            out.position(7);
            runner.run(new ByteBuffer[] {in}, new ByteBuffer[] {out});
            ByteBuffer exact = Quantizer.allocate(runner.outputs().get(0));
            ByteBuffer same = Quantizer.allocate(runner.inputs().get(0));
            same.put(5, (byte) 99);
            runner.run(new ByteBuffer[] {same}, new ByteBuffer[] {exact});
            for (int i = 0; i < 10; i++) {
                assertEquals(exact.get(i), out.get(i));
            }
            assertEquals(7, out.position());
        }
    }

    @Test
    public void aRunnerSaysWhatItIs() throws Exception {
        try (ModelRunner runner = new JvmRunner(Golden.model("int8"), new RunOptions(2, Delegate.XNNPACK))) {
            assertEquals("TensorFlow Lite 2.19.0 (XNNPACK, 2 threads)", runner.describe());
        }
    }
}
