package org.tfcompress.demo.preprocess;

/**
 * Bilinear resize of 8-bit images as Pillow's `Image.resize(size, Image.BILINEAR)` does it, bit for bit: a triangle as
 * wide as the step where the image becomes smaller, weights of 22 fractional bits, first along the rows and then along
 * the columns, rounded to 8 bits in between.
 */
public final class PillowResize {
    private static final int FRACTION_BITS = 22;

    private PillowResize() {}

    /**
     * Resizes.
     *
     * @param pixels row by row, channels last, each 0 to 255
     * @return as many channels, of the new size
     */
    public static byte[] bilinear(byte[] pixels, int width, int height, int channels, int toWidth, int toHeight) {
        byte[] made = pixels;
        if (toWidth != width) {
            made = along(made, new Line(width, channels), new Line(toWidth, channels), height, width * channels,
                    toWidth * channels, channels);
        }
        if (toHeight != height) {
            int row = toWidth * channels;
            made = along(made, new Line(height, row), new Line(toHeight, row), 1, 0, 0, row);
        }
        return made;
    }

    /** Samples along one dimension: how many, and how far apart in the array. */
    private static final class Line {
        final int size;
        final int stride;

        Line(int size, int stride) {
            this.size = size;
            this.stride = stride;
        }
    }

    private static byte[] along(
            byte[] pixels, Line from, Line to, int lines, int fromLine, int toLine, int neighbours) {
        Weights weights = new Weights(from.size, to.size);
        byte[] made = new byte[lines * to.size * to.stride];
        for (int line = 0; line < lines; line++) {
            for (int x = 0; x < to.size; x++) {
                for (int n = 0; n < neighbours; n++) {
                    int sum = 1 << FRACTION_BITS - 1;
                    int at = line * fromLine + weights.first[x] * from.stride + n;
                    for (int weight : weights.of[x]) {
                        sum += (pixels[at] & 0xff) * weight;
                        at += from.stride;
                    }
                    made[line * toLine + x * to.stride + n] = (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
                }
            }
        }
        return made;
    }

    /** Which samples make each new one, and how much of each. */
    private static final class Weights {
        final int[] first;
        final int[][] of;

        Weights(int from, int to) {
            first = new int[to];
            of = new int[to][];
            double step = (double) from / to;
            double support = Math.max(step, 1);
            for (int x = 0; x < to; x++) {
                double centre = (x + 0.5) * step;
                int low = Math.max(0, (int) (centre - support + 0.5));
                int high = Math.min(from, (int) (centre + support + 0.5));
                first[x] = low;
                of[x] = triangle(low, high, centre, 1 / support);
            }
        }

        private static int[] triangle(int low, int high, double centre, double narrowing) {
            double[] exact = new double[high - low];
            double sum = 0;
            for (int i = 0; i < exact.length; i++) {
                exact[i] = Math.max(0, 1 - Math.abs((i + low - centre + 0.5) * narrowing));
                sum += exact[i];
            }
            int[] rounded = new int[exact.length];
            for (int i = 0; i < exact.length; i++) {
                double weight = sum == 0 ? exact[i] : exact[i] / sum;
                rounded[i] = (int) (0.5 + weight * (1 << FRACTION_BITS));
            }
            return rounded;
        }
    }
}
