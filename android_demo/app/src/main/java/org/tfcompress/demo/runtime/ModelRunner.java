package org.tfcompress.demo.runtime;

import java.nio.ByteBuffer;
import java.util.List;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** A loaded model. Used by one thread at a time, never by the main thread. */
public interface ModelRunner extends AutoCloseable {
    List<TensorSpec> inputs();

    List<TensorSpec> outputs();

    /**
     * Runs once.
     *
     * @param inputs direct buffers in native byte order, of each input's own type and size, read from position 0
     * @param outputs direct buffers of each output's size, written from position 0
     * @throws ModelException the runtime refused, or a size is wrong
     */
    void run(ByteBuffer[] inputs, ByteBuffer[] outputs) throws ModelException;

    /** Forgets what a model with state (recurrent layers) kept of earlier runs. */
    default void reset() {}

    /** Name and version of the runtime, delegate and threads: "TensorFlow Lite 2.16.1 (XNNPACK, 1 thread)". */
    String describe();

    @Override
    void close();
}
