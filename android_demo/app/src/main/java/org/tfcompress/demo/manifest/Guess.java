package org.tfcompress.demo.manifest;

import java.util.Collections;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.TensorSpec;

/** What a model's input is likely to be where no model.json says it. */
public final class Guess {
    /** How wide of the mark an end of a range may be, as a part of the range. */
    private static final double ABOUT = 0.1;

    private static final int LARGEST_DRAWING = 64;

    private Guess() {}

    /** How pixels from 0 to 255 become a model's values; the user may choose among them. */
    public enum Pixels {
        ZERO_TO_ONE(0, 255, 0, 1),
        MINUS_ONE_TO_ONE(127.5, 127.5, -1, 1),
        ZERO_TO_255(0, 1, 0, 255),
        MINUS_128_TO_127(128, 1, -128, 127);

        public final double mean;
        public final double std;
        private final double low;
        private final double high;

        Pixels(double mean, double std, double low, double high) {
            this.mean = mean;
            this.std = std;
            this.low = low;
            this.high = high;
        }

        private boolean fits(double from, double to) {
            double slack = ABOUT * (high - low);
            return Math.abs(from - low) <= slack && Math.abs(to - high) <= slack;
        }
    }

    /**
     * [1, height, width, 1 or 3] is an image, [1, 1 or 3, height, width] one with its channels first; else features.
     */
    public static InputSpec input(TensorSpec spec) {
        Pixels pixels = pixels(spec);
        return image(spec, pixels == null ? Pixels.ZERO_TO_ONE : pixels);
    }

    /** As {@link #input}, with pixels scaled as the user chose. */
    public static InputSpec image(TensorSpec spec, Pixels pixels) {
        int[] shape = spec.shape();
        boolean four = shape.length == 4 && shape[0] == 1;
        boolean last = four && (shape[3] == 1 || shape[3] == 3);
        boolean first = four && !last && (shape[1] == 1 || shape[1] == 3);
        double[] mean = {pixels.mean};
        double[] std = {pixels.std};
        if (!last && !first) {
            return new FeaturesInput(Collections.emptyList(), new double[] {0}, new double[] {1});
        }
        int channels = last ? shape[3] : shape[1];
        int height = last ? shape[1] : shape[2];
        int width = last ? shape[2] : shape[3];
        boolean drawn = channels == 1 && height == width && height <= LARGEST_DRAWING;
        return new ImageInput(
                channels == 1 ? ImageInput.Channels.GRAY : ImageInput.Channels.RGB,
                last ? ImageInput.Layout.NHWC : ImageInput.Layout.NCHW,
                mean,
                std,
                drawn ? ImageInput.Ink.WHITE_ON_BLACK : null);
    }

    /** What the range of a quantized 8-bit input tells; null where it tells nothing. Plain uint8 is 0 to 255. */
    public static Pixels pixels(TensorSpec spec) {
        if (!spec.isQuantized()) {
            return spec.type == DType.UINT8 ? Pixels.ZERO_TO_255 : null;
        }
        double low;
        double high;
        switch (spec.type) {
            case INT8:
                low = Byte.MIN_VALUE;
                high = Byte.MAX_VALUE;
                break;
            case UINT8:
                low = 0;
                high = 255;
                break;
            default:
                return null;
        }
        for (Pixels pixels : Pixels.values()) {
            if (pixels.fits(spec.scale * (low - spec.zeroPoint), spec.scale * (high - spec.zeroPoint))) {
                return pixels;
            }
        }
        return null;
    }
}
