package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.TensorSpec;

public class RandomInputsTest {
    private static final int MANY = 20_000;

    @Test
    public void anInt8InputGetsEveryIntegerOfItsType() {
        ByteBuffer made = one(DType.INT8, 0.1f);
        boolean[] seen = new boolean[256];
        while (made.hasRemaining()) {
            seen[made.get() & 0xff] = true;
        }
        for (boolean one : seen) {
            assertTrue(one);
        }
    }

    @Test
    public void aFloatInputLiesEvenlyInMinusOneToOne() {
        ByteBuffer made = one(DType.FLOAT32, 0);
        float least = 1, most = -1;
        double sum = 0;
        while (made.hasRemaining()) {
            float value = made.getFloat();
            least = Math.min(least, value);
            most = Math.max(most, value);
            sum += value;
        }
        assertTrue(least >= -1 && least < -0.99 && most <= 1 && most > 0.99 && Math.abs(sum / MANY) < 0.02);
    }

    @Test
    public void indicesAreValidInAnyTable() {
        for (DType type : Arrays.asList(DType.INT32, DType.INT64, DType.BOOL)) {
            ByteBuffer made = one(type, 0);
            while (made.hasRemaining()) {
                long value = type == DType.INT32 ? made.getInt() : type == DType.INT64 ? made.getLong() : made.get();
                assertTrue(type + " " + value, value == 0 || value == 1);
            }
        }
    }

    @Test
    public void aQuantizedInt16InputGetsTheWholeRange() {
        ByteBuffer made = one(DType.INT16, 0.001f);
        int least = 0, most = 0;
        while (made.hasRemaining()) {
            int value = made.getShort();
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        assertTrue(least < -32_000 && most > 32_000);
    }

    @Test
    public void theSameSeedMakesTheSameBytesForEveryInput() {
        List<TensorSpec> two = Arrays.asList(spec(DType.INT8, 0.1f), spec(DType.FLOAT32, 0));
        ByteBuffer[] first = RandomInputs.of(two, 7);
        assertEquals(Arrays.asList(first), Arrays.asList(RandomInputs.of(two, 7)));
        assertEquals(MANY, first[0].remaining());
        assertEquals(4 * MANY, first[1].remaining());
    }

    private static ByteBuffer one(DType type, float scale) {
        return RandomInputs.of(Collections.singletonList(spec(type, scale)), 0)[0];
    }

    private static TensorSpec spec(DType type, float scale) {
        return new TensorSpec("x", type, new int[] {1, MANY}, scale, 0);
    }
}
