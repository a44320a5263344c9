package org.tfcompress.demo.runtime;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** Tensors' bytes on their way into and out of an interpreter. */
final class Buffers {
    private Buffers() {}

    /**
     * The first bytes of each buffer, exactly as many as its tensor has; positions are not moved.
     *
     * @param what "input" or "output", for messages
     * @throws ModelException too few buffers, or one is not direct or too small
     */
    static ByteBuffer[] exactly(ByteBuffer[] buffers, List<TensorSpec> specs, String what) throws ModelException {
        if (buffers.length != specs.size()) {
            throw new ModelException(buffers.length + " buffers came for " + specs.size() + " " + what
                    + "s of the model.");
        }
        ByteBuffer[] exact = new ByteBuffer[buffers.length];
        for (int i = 0; i < exact.length; i++) {
            int bytes = specs.get(i).bytes();
            if (!buffers[i].isDirect() || buffers[i].capacity() < bytes) {
                throw new ModelException("The " + what + " " + specs.get(i).name + " needs a direct buffer of " + bytes
                        + " bytes, and one of " + buffers[i].capacity() + " came.");
            }
            ByteBuffer whole = buffers[i].duplicate();
            whole.clear();
            whole.limit(bytes);
            exact[i] = whole.slice().order(ByteOrder.nativeOrder());
        }
        return exact;
    }
}
