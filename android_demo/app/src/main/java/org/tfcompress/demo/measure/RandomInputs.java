package org.tfcompress.demo.measure;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.TensorSpec;

/**
 * Inputs to time a model with, spread as the toolkit's own: quantized and 8-bit inputs get every integer of their type
 * alike, floats lie evenly in -1..1. Wider integers are 0 or 1: they are most often indices, and those two are valid
 * in any table.
 */
final class RandomInputs {
    private RandomInputs() {}

    /** A direct buffer per input, of its type and size; the same seed makes the same bytes. */
    static ByteBuffer[] of(List<TensorSpec> specs, long seed) {
        Random random = new Random(seed);
        ByteBuffer[] made = new ByteBuffer[specs.size()];
        for (int i = 0; i < made.length; i++) {
            made[i] = input(specs.get(i), random);
        }
        return made;
    }

    private static ByteBuffer input(TensorSpec spec, Random random) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(spec.bytes()).order(ByteOrder.nativeOrder());
        boolean whole = spec.isQuantized() || spec.type.bytes() == 1 && spec.type != DType.BOOL;
        while (buffer.hasRemaining()) {
            put(buffer, spec.type, whole, random);
        }
        buffer.rewind();
        return buffer;
    }

    private static void put(ByteBuffer into, DType type, boolean whole, Random random) {
        long bits = whole ? random.nextLong() : random.nextInt(2);
        switch (type) {
            case FLOAT32:
                into.putFloat(random.nextFloat() * 2 - 1);
                break;
            case INT16:
                into.putShort((short) bits);
                break;
            case INT32:
                into.putInt((int) bits);
                break;
            case INT64:
                into.putLong(bits);
                break;
            default:
                into.put((byte) bits);
        }
    }
}
