package org.tfcompress.demo.measure;

import java.nio.ByteBuffer;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.Quantizer;
import org.tfcompress.demo.model.TensorSpec;

/** Counts how outputs differ from those that were expected. */
final class Differences {
    int vectors;
    int values;
    int differing;
    double largestSteps;
    double largestDifference;
    int top1Equal;
    boolean passed = true;

    /** Buffers in little endian order, which is that of every Android phone. */
    void add(ByteBuffer expected, ByteBuffer came, TensorSpec spec, double tolerance) {
        for (int i = 0; i < spec.elements(); i++) {
            double difference = spec.type == DType.FLOAT32
                    ? floats(expected.getFloat(4 * i), came.getFloat(4 * i))
                    : integers(Quantizer.stored(expected, spec.type, i), Quantizer.stored(came, spec.type, i));
            values++;
            differing += difference == 0 ? 0 : 1;
            passed &= difference <= tolerance;
            if (spec.type == DType.FLOAT32) {
                largestDifference = Math.max(largestDifference, difference);
            } else {
                largestSteps = Math.max(largestSteps, difference);
            }
        }
    }

    private static double integers(long expected, long came) {
        return Math.abs((double) expected - came);
    }

    private static double floats(float expected, float came) {
        if (expected == came || Float.isNaN(expected) && Float.isNaN(came)) {
            return 0;
        }
        double difference = Math.abs((double) expected - came);
        return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
    }

    void addTop1(ByteBuffer expected, ByteBuffer came, TensorSpec spec) {
        vectors++;
        top1Equal += largest(expected, spec) == largest(came, spec) ? 1 : 0;
    }

    /** Of several largest ones the first, as NumPy's argmax has it. */
    private static int largest(ByteBuffer buffer, TensorSpec spec) {
        float[] values = Quantizer.dequantize(buffer, spec);
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
