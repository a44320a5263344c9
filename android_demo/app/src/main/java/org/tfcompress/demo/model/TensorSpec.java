package org.tfcompress.demo.model;

import java.util.Arrays;

/** An input or output as the file itself declares it; nothing of it is known to the app beforehand. */
public final class TensorSpec {
    public final String name;
    public final DType type;
    private final int[] shape;

    /** real = scale * (stored - zeroPoint); 0 where the tensor is not quantized. */
    public final float scale;

    public final int zeroPoint;

    public TensorSpec(String name, DType type, int[] shape, float scale, int zeroPoint) {
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
        this.scale = scale;
        this.zeroPoint = zeroPoint;
    }

    /** Dimensions, the batch first. */
    public int[] shape() {
        return shape.clone();
    }

    public boolean isQuantized() {
        return scale != 0;
    }

    /** Number of elements. */
    public int elements() {
        int count = 1;
        for (int size : shape) {
            count = Math.multiplyExact(count, size);
        }
        return count;
    }

    /** Size in bytes. */
    public int bytes() {
        return Math.multiplyExact(elements(), type.bytes());
    }

    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape);
    }
}
