package org.tfcompress.demo.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Between the float model's units and the bytes of a tensor: stored = round(value / scale) + zeroPoint, clipped to the
 * type; the quotient is of 32 bits, as the runtimes make it, and ties go away from zero, as the toolkit and TFLite's
 * reference kernels have it. Without a scale integers are plain numbers.
 */
public final class Quantizer {
    private Quantizer() {}

    /** A direct buffer in native byte order for a tensor's bytes. */
    public static ByteBuffer allocate(TensorSpec spec) {
        return ByteBuffer.allocateDirect(spec.bytes()).order(ByteOrder.nativeOrder());
    }

    /**
     * Writes values from position 0; the buffer's position and limit stay as they are.
     *
     * @param values as many as the tensor has elements
     * @param into of the tensor's size, in native byte order
     * @throws ModelException another number of values, or one that is not a number where integers are stored
     */
    public static void quantize(float[] values, TensorSpec spec, ByteBuffer into) throws ModelException {
        if (values.length != spec.elements()) {
            throw new ModelException(values.length + " values came for " + spec.name + ", which takes "
                    + spec.elements() + " (" + spec + ").");
        }
        for (int i = 0; i < values.length; i++) {
            if (spec.type == DType.FLOAT32) {
                into.putFloat(4 * i, values[i]);
            } else if (Float.isNaN(values[i])) {
                throw new ModelException("Value " + i + " of the input is not a number, which " + spec.type
                        + " cannot hold; give numbers only.");
            } else {
                store(into, spec, i, values[i]);
            }
        }
    }

    private static void store(ByteBuffer into, TensorSpec spec, int i, float value) {
        double whole = spec.isQuantized() ? rounded(value / spec.scale) + spec.zeroPoint : rounded(value);
        switch (spec.type) {
            case INT8:
                into.put(i, (byte) clip(whole, Byte.MIN_VALUE, Byte.MAX_VALUE));
                break;
            case UINT8:
                into.put(i, (byte) clip(whole, 0, 255));
                break;
            case INT16:
                into.putShort(2 * i, (short) clip(whole, Short.MIN_VALUE, Short.MAX_VALUE));
                break;
            case INT32:
                into.putInt(4 * i, (int) whole);
                break;
            case INT64:
                into.putLong(8 * i, (long) whole);
                break;
            default:
                into.put(i, (byte) (value != 0 ? 1 : 0));
        }
    }

    /** Ties away from zero; in double precision, which holds any float and a half. */
    private static double rounded(float quotient) {
        return Math.copySign(Math.floor(Math.abs((double) quotient) + 0.5), quotient);
    }

    private static int clip(double value, int low, int high) {
        return (int) Math.max(low, Math.min(high, value));
    }

    /** The values that a tensor's bytes stand for: scale * (stored - zeroPoint), or the plain numbers. */
    public static float[] dequantize(ByteBuffer from, TensorSpec spec) {
        float[] values = new float[spec.elements()];
        for (int i = 0; i < values.length; i++) {
            if (spec.type == DType.FLOAT32) {
                values[i] = from.getFloat(4 * i);
            } else {
                long stored = stored(from, spec.type, i);
                values[i] = spec.isQuantized() ? (float) (stored - spec.zeroPoint) * spec.scale : stored;
            }
        }
        return values;
    }

    /**
     * An element as it is stored.
     *
     * @param type an integer type or bool
     */
    public static long stored(ByteBuffer from, DType type, int i) {
        switch (type) {
            case INT8:
                return from.get(i);
            case UINT8:
                return from.get(i) & 0xff;
            case INT16:
                return from.getShort(2 * i);
            case INT32:
                return from.getInt(4 * i);
            case INT64:
                return from.getLong(8 * i);
            case BOOL:
                return from.get(i) != 0 ? 1 : 0;
            default:
                throw new IllegalArgumentException(type + " is not stored as an integer");
        }
    }
}
