package org.tfcompress.demo.preprocess;

/**
 * Bilinear resize of 8-bit images as `Image.resize(size, Image.BILINEAR)` of Pillow 13 does it, bit for bit: a triangle
 * as wide as the step where the image becomes smaller, weights of 22 fractional bits, along the rows and then along the
 * columns, rounded to 8 bits in between. Where it becomes lower by more than twice what it becomes narrower by, columns
 * come first; earlier versions of Pillow do not do that, and their pixels are then another by the rounding in between.
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
        boolean columnsFirst = height > toHeight && height - toHeight > 2L * (width - toWidth);
        byte[] half = columnsFirst
                ? columns(pixels, height, width * channels, toHeight)
                : rows(pixels, width, height, channels, toWidth);
        return columnsFirst
                ? rows(half, width, toHeight, channels, toWidth)
                : columns(half, height, toWidth * channels, toHeight);
    }

    private static byte[] rows(byte[] pixels, int width, int height, int channels, int toWidth) {
        return toWidth == width
                ? pixels
                : along(pixels, new Line(width, channels), new Line(toWidth, channels), height);
    }

    /** Each column is one of `row` values that lie beside each other. */
    private static byte[] columns(byte[] pixels, int height, int row, int toHeight) {
        return toHeight == height ? pixels : along(pixels, new Line(height, row), new Line(toHeight, row), 1);
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

    /** Resizes so many lines that follow each other; each sample is as many values as it is apart from the next. */
    private static byte[] along(byte[] pixels, Line from, Line to, int lines) {
        Weights weights = new Weights(from.size, to.size);
        byte[] made = new byte[lines * to.size * to.stride];
        for (int line = 0; line < lines; line++) {
            for (int x = 0; x < to.size; x++) {
                int first = (line * from.size + weights.first[x]) * from.stride;
                for (int n = 0; n < to.stride; n++) {
                    int sum = 1 << FRACTION_BITS - 1;
                    int at = first + n;
                    for (int weight : weights.of[x]) {
                        sum += (pixels[at] & 0xff) * weight;
                        at += from.stride;
                    }
                    int level = Math.max(0, Math.min(255, sum >> FRACTION_BITS));
                    made[(line * to.size + x) * to.stride + n] = (byte) level;
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
