package org.tfcompress.demo.measure;

import java.util.Arrays;

/** Quantiles as the toolkit's reports have them: NumPy's, which interpolates between the two nearest values. */
public final class Quantiles {
    private Quantiles() {}

    /**
     * The value that a share of the values stays under.
     *
     * @param values in any unit and order, at least one; left as they are
     * @param fraction 0 to 1
     */
    public static double of(double[] values, double fraction) {
        if (values.length == 0 || !(fraction >= 0 && fraction <= 1)) {
            throw new IllegalArgumentException("quantile " + fraction + " of " + values.length + " values");
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double place = fraction * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        double between = place - below;
        double step = sorted[above] - sorted[below];
        // From the nearer end, so that the last bit is NumPy's too.
        return between < 0.5 ? sorted[below] + step * between : sorted[above] - step * (1 - between);
    }
}
