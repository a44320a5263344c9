package org.tfcompress.demo.device;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import java.nio.ByteBuffer;
import org.junit.Test;
import org.tfcompress.demo.preprocess.Picture;

public class YuvFrameTest {
    /** Strides as phones have them: rows with a margin, the two colours interleaved. */
    private static YuvFrame frame(int width, int height, int[] luma, int blue, int red) {
        int stride = width + 5;
        ByteBuffer light = ByteBuffer.allocate(stride * height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                light.put(y * stride + x, (byte) luma[y * width + x]);
            }
        }
        ByteBuffer colours = ByteBuffer.allocate(width * height);
        for (int i = 0; i + 1 < colours.capacity(); i += 2) {
            colours.put(i, (byte) blue);
            colours.put(i + 1, (byte) red);
        }
        ByteBuffer second = colours.duplicate();
        second.position(1);
        return new YuvFrame(
                width,
                height,
                new YuvFrame.Plane(light, stride, 1),
                new YuvFrame.Plane(colours, width, 2),
                new YuvFrame.Plane(second.slice(), width, 2));
    }

    private static int[] grays(Picture picture) {
        int[] grays = new int[picture.argb.length];
        for (int i = 0; i < grays.length; i++) {
            grays[i] = picture.argb[i] & 0xFF;
        }
        return grays;
    }

    @Test
    public void theSquareInTheMiddleIsTurnedClockwise() {
        int[] luma = {
            9, 1, 2, 9,
            9, 3, 4, 9,
        };
        YuvFrame frame = frame(4, 2, luma, 128, 128);
        assertArrayEquals(new int[] {1, 2, 3, 4}, grays(frame.square(0)));
        assertArrayEquals(new int[] {3, 1, 4, 2}, grays(frame.square(90)));
        assertArrayEquals(new int[] {4, 3, 2, 1}, grays(frame.square(180)));
        assertArrayEquals(new int[] {2, 4, 1, 3}, grays(frame.square(270)));
    }

    @Test
    public void coloursAreThoseOfJpeg() {
        int[] luma = {76, 76, 76, 76};
        // JFIF: pure red is Y 76, Cb 85, Cr 255.
        assertEquals(0xFFFE0000, frame(2, 2, luma, 85, 255).square(0).argb[0]);
        int[] white = {255, 255, 255, 255};
        assertEquals(0xFFFFFFFF, frame(2, 2, white, 128, 128).square(0).argb[3]);
    }

    @Test
    public void aFrameIsTurnedByWhatSensorAndDisplayDiffer() {
        assertEquals(90, Turn.upright(90, 0, false));
        assertEquals(0, Turn.upright(90, 90, false));
        assertEquals(180, Turn.upright(90, 270, false));
        assertEquals(270, Turn.upright(270, 0, true));
        assertEquals(0, Turn.upright(270, 90, true));
        assertEquals(180, Turn.upright(270, 270, true));
    }
}
