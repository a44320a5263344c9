package org.tfcompress.demo.measure;

/** How long each of a model's timed runs took. */
public final class Timing {
    private final double[] milliseconds;

    /** @param milliseconds of each run after the warm-up, at least one */
    public Timing(double[] milliseconds) {
        this.milliseconds = milliseconds.clone();
    }

    /** Number of timed runs. */
    public int runs() {
        return milliseconds.length;
    }

    /** Milliseconds that a share of the runs, 0 to 1, stayed under. */
    public double quantile(double fraction) {
        return Quantiles.of(milliseconds, fraction);
    }

    /** The median in milliseconds. */
    public double p50() {
        return quantile(0.5);
    }

    /** Milliseconds that 90 % of the runs stayed under. */
    public double p90() {
        return quantile(0.9);
    }

    /** Milliseconds that 99 % of the runs stayed under. */
    public double p99() {
        return quantile(0.99);
    }
}
