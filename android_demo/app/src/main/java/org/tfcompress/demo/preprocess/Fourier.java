package org.tfcompress.demo.preprocess;

/** Magnitudes of the discrete Fourier transform of real numbers, of any length; in doubles. */
final class Fourier {
    private final int length;

    /** Length of the transform that is computed: `length`, or a power of two that a convolution of it fits in. */
    private final int inner;

    private final double[] cosines;
    private final double[] sines;

    /** Of Bluestein's algorithm, for lengths that are no power of two; else null. */
    private final double[][] chirp;

    private final double[][] chirpTransform;

    Fourier(int length) {
        this.length = length;
        boolean power = (length & length - 1) == 0;
        inner = power ? length : Integer.highestOneBit(2 * length - 1) * 2;
        cosines = new double[inner / 2];
        sines = new double[inner / 2];
        for (int i = 0; i < inner / 2; i++) {
            cosines[i] = Math.cos(2 * Math.PI * i / inner);
            sines[i] = -Math.sin(2 * Math.PI * i / inner);
        }
        chirp = power ? null : chirp();
        chirpTransform = power ? null : chirpTransform();
    }

    /** exp(-i pi n^2 / length). */
    private double[][] chirp() {
        double[][] made = new double[2][length];
        for (int n = 0; n < length; n++) {
            // n^2 modulo 2 length keeps the angle small, and so exact.
            double angle = Math.PI * ((long) n * n % (2L * length)) / length;
            made[0][n] = Math.cos(angle);
            made[1][n] = -Math.sin(angle);
        }
        return made;
    }

    private double[][] chirpTransform() {
        double[][] made = new double[2][inner];
        for (int n = 0; n < length; n++) {
            int mirrored = (inner - n) % inner;
            made[0][n] = made[0][mirrored] = chirp[0][n];
            made[1][n] = made[1][mirrored] = -chirp[1][n];
        }
        transform(made[0], made[1]);
        return made;
    }

    /**
     * |transform| of real numbers.
     *
     * @param reals at most `length` numbers; zeros follow
     * @return of frequencies 0 to length / 2
     */
    double[] magnitudes(double[] reals) {
        double[] re = new double[inner];
        double[] im = new double[inner];
        if (chirp == null) {
            System.arraycopy(reals, 0, re, 0, reals.length);
            transform(re, im);
        } else {
            bluestein(reals, re, im);
        }
        double[] magnitudes = new double[length / 2 + 1];
        for (int k = 0; k < magnitudes.length; k++) {
            magnitudes[k] = Math.hypot(re[k], im[k]);
        }
        return magnitudes;
    }

    /** Up to a factor exp(-i pi k^2 / length) of each number, which has no magnitude. */
    private void bluestein(double[] reals, double[] re, double[] im) {
        for (int n = 0; n < reals.length; n++) {
            re[n] = reals[n] * chirp[0][n];
            im[n] = reals[n] * chirp[1][n];
        }
        transform(re, im);
        for (int k = 0; k < inner; k++) {
            double product = re[k] * chirpTransform[0][k] - im[k] * chirpTransform[1][k];
            im[k] = -(re[k] * chirpTransform[1][k] + im[k] * chirpTransform[0][k]);
            re[k] = product;
        }
        // The inverse is the transform of the conjugate, conjugated and divided; magnitudes need only the division.
        transform(re, im);
        for (int k = 0; k < inner; k++) {
            re[k] /= inner;
            im[k] /= inner;
        }
    }

    /** In place; `inner` is a power of two. */
    private void transform(double[] re, double[] im) {
        for (int i = 1, j = 0; i < inner; i++) {
            int bit = inner >> 1;
            for (; (j & bit) != 0; bit >>= 1) {
                j ^= bit;
            }
            j ^= bit;
            if (i < j) {
                swap(re, i, j);
                swap(im, i, j);
            }
        }
        for (int half = 1; half < inner; half *= 2) {
            for (int start = 0; start < inner; start += 2 * half) {
                for (int i = 0; i < half; i++) {
                    butterfly(re, im, start + i, start + i + half, i * (inner / (2 * half)));
                }
            }
        }
    }

    private void butterfly(double[] re, double[] im, int upper, int lower, int turn) {
        double real = re[lower] * cosines[turn] - im[lower] * sines[turn];
        double imaginary = re[lower] * sines[turn] + im[lower] * cosines[turn];
        re[lower] = re[upper] - real;
        im[lower] = im[upper] - imaginary;
        re[upper] += real;
        im[upper] += imaginary;
    }

    private static void swap(double[] values, int i, int j) {
        double kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
}
