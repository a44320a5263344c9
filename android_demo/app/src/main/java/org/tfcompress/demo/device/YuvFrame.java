package org.tfcompress.demo.device;

import java.nio.ByteBuffer;
import org.tfcompress.demo.preprocess.Picture;

/** A camera's frame in YUV 4:2:0, of full range as JPEG has it (ITU-R BT.601), in three planes. */
public final class YuvFrame {
    private final int width;
    private final int height;
    private final Plane luma;
    private final Plane blue;
    private final Plane red;

    /** One plane's bytes: sample (x, y) is at y * rowStride + x * pixelStride. */
    public static final class Plane {
        final ByteBuffer bytes;
        final int rowStride;
        final int pixelStride;

        public Plane(ByteBuffer bytes, int rowStride, int pixelStride) {
            this.bytes = bytes;
            this.rowStride = rowStride;
            this.pixelStride = pixelStride;
        }

        int at(int x, int y) {
            return bytes.get(y * rowStride + x * pixelStride) & 0xFF;
        }
    }

    /** The colour planes have half the width and height. */
    public YuvFrame(int width, int height, Plane luma, Plane blue, Plane red) {
        this.width = width;
        this.height = height;
        this.luma = luma;
        this.blue = blue;
        this.red = red;
    }

    /**
     * The largest square in the middle, turned upright.
     *
     * @param turn degrees clockwise: 0, 90, 180 or 270
     */
    public Picture square(int turn) {
        int side = Math.min(width, height);
        int left = (width - side) / 2;
        int top = (height - side) / 2;
        int last = side - 1;
        int[] argb = new int[side * side];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int fromX = turn == 0 ? x : turn == 90 ? y : turn == 180 ? last - x : last - y;
                int fromY = turn == 0 ? y : turn == 90 ? last - x : turn == 180 ? last - y : x;
                argb[y * side + x] = colour(left + fromX, top + fromY);
            }
        }
        return new Picture(side, side, argb);
    }

    private int colour(int x, int y) {
        int light = luma.at(x, y);
        int b = blue.at(x / 2, y / 2) - 128;
        int r = red.at(x / 2, y / 2) - 128;
        // JFIF 1.02: R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb; here times 65536.
        int redness = clip(light + ((91881 * r + 32768) >> 16));
        int greenness = clip(light - ((22554 * b + 46802 * r + 32768) >> 16));
        int blueness = clip(light + ((116130 * b + 32768) >> 16));
        return 0xFF000000 | redness << 16 | greenness << 8 | blueness;
    }

    private static int clip(int value) {
        return value < 0 ? 0 : Math.min(value, 255);
    }
}
