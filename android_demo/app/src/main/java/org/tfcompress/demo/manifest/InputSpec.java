package org.tfcompress.demo.manifest;

/**
 * How a model's input is made of what the user gives: an image, a clip, a text or numbers. The keys and their meaning
 * are those of docs/android.md.
 */
public abstract class InputSpec {
    /** Subtracted from each value, in the units before scaling: one number for all, or one per channel or value. */
    private final double[] mean;

    /** Each value is divided by it; as many as there are means, or one. Never 0. */
    private final double[] std;

    InputSpec(double[] mean, double[] std) {
        this.mean = mean.clone();
        this.std = std.clone();
    }

    /** "image", "audio", "text" or "features". */
    public abstract String kind();

    public double[] mean() {
        return mean.clone();
    }

    public double[] std() {
        return std.clone();
    }
}
