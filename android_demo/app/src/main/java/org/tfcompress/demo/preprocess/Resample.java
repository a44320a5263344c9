package org.tfcompress.demo.preprocess;

import java.util.Arrays;

/** Clips of another sample rate: a sinc under a Hann window, which lets nothing pass above half the lower rate. */
public final class Resample {
    /** Zero crossings of the sinc on either side. */
    private static final int CROSSINGS = 16;

    private Resample() {}

    /**
     * A clip at another rate, of the same duration or cut.
     *
     * @param rate wanted, Hz
     * @param samples of the clip, in its own rate
     * @param from the clip's rate, Hz
     * @param most samples that are wanted; the rest is left out
     */
    public static float[] to(int rate, float[] samples, int from, int most) {
        if (rate < 1 || from < 1) {
            throw new IllegalArgumentException("rates " + from + " and " + rate + " Hz, expected 1 or more");
        }
        int count = (int) Math.min(most, Math.round((double) samples.length * rate / from));
        if (rate == from) {
            return Arrays.copyOf(samples, count);
        }
        double cutoff = Math.min(1, (double) rate / from);
        double reach = CROSSINGS / cutoff;
        float[] made = new float[count];
        for (int i = 0; i < count; i++) {
            double centre = (double) i * from / rate;
            int first = Math.max(0, (int) Math.ceil(centre - reach));
            int last = Math.min(samples.length - 1, (int) Math.floor(centre + reach));
            double sum = 0;
            for (int k = first; k <= last; k++) {
                double distance = k - centre;
                double window = 0.5 + 0.5 * Math.cos(Math.PI * distance / reach);
                sum += samples[k] * cutoff * sinc(cutoff * distance) * window;
            }
            made[i] = (float) sum;
        }
        return made;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }
}
