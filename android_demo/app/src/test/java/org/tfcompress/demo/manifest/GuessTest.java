package org.tfcompress.demo.manifest;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.TensorSpec;

public class GuessTest {
    private static TensorSpec spec(DType type, float scale, int zeroPoint, int... shape) {
        return new TensorSpec("x", type, shape, scale, zeroPoint);
    }

    private static Guess.Pixels pixels(DType type, float scale, int zeroPoint) {
        return Guess.pixels(spec(type, scale, zeroPoint, 1, 8, 8, 1));
    }

    @Test
    public void anImageIsKnownByItsShape() {
        ImageInput gray = (ImageInput) Guess.input(spec(DType.FLOAT32, 0, 0, 1, 28, 28, 1));
        assertEquals(ImageInput.Channels.GRAY, gray.channels);
        assertEquals(ImageInput.Ink.WHITE_ON_BLACK, gray.drawing);
        ImageInput first = (ImageInput) Guess.input(spec(DType.FLOAT32, 0, 0, 1, 3, 96, 64));
        assertEquals(ImageInput.Layout.NCHW, first.layout);
        assertEquals(ImageInput.Channels.RGB, first.channels);
        assertNull(first.drawing);
        assertEquals(ImageInput.Layout.NHWC, ((ImageInput) Guess.input(spec(DType.FLOAT32, 0, 0, 1, 3, 3, 3))).layout);
        for (int[] shape : new int[][] {{1, 10}, {1, 8, 8, 2}, {2, 8, 8, 3}, {1, 49, 10}}) {
            assertTrue(Guess.input(spec(DType.FLOAT32, 0, 0, shape)) instanceof FeaturesInput);
        }
    }

    @Test
    public void howPixelsAreScaledFollowsFromTheRange() {
        assertEquals(Guess.Pixels.ZERO_TO_ONE, pixels(DType.INT8, 1 / 255f, -128));
        assertEquals(Guess.Pixels.ZERO_TO_ONE, pixels(DType.UINT8, 0.0038f, 0));
        assertEquals(Guess.Pixels.MINUS_ONE_TO_ONE, pixels(DType.INT8, 2 / 255f, -1));
        assertEquals(Guess.Pixels.MINUS_ONE_TO_ONE, pixels(DType.UINT8, 1 / 128f, 128));
        assertEquals(Guess.Pixels.ZERO_TO_255, pixels(DType.INT8, 1, -128));
        assertEquals(Guess.Pixels.ZERO_TO_255, pixels(DType.UINT8, 1, 0));
        assertEquals(Guess.Pixels.ZERO_TO_255, pixels(DType.UINT8, 0, 0));
        assertEquals(Guess.Pixels.MINUS_128_TO_127, pixels(DType.INT8, 1, 0));
        assertNull(pixels(DType.INT8, 0.02f, 0));
        assertNull(pixels(DType.INT16, 1 / 32768f, 0));
        assertNull(pixels(DType.FLOAT32, 0, 0));
    }
}
