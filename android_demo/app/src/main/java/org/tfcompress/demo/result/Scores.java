package org.tfcompress.demo.result;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.model.TensorSpec;

/**
 * Scores of an output. Values from 0 to 1 that sum to 1 are shares as they are; other values from 0 to 1 are shown as
 * they are; anything else is taken for logits and put through a softmax. What was done is said in {@link #note}.
 */
public final class Scores {
    /** A float softmax sums to 1 but for rounding. */
    private static final double SUM_SLACK = 1e-3;

    /** Steps of what TFLite's softmax makes in int8 or uint8, and in int16. */
    private static final double[] STEPS = {1 / 256.0, 1 / 32768.0};

    /** The best first. */
    public final List<Score> list;

    /** A sentence on what was made of the output; empty where it is shown as it is. */
    public final String note;

    private Scores(List<Score> list, String note) {
        this.list = Collections.unmodifiableList(list);
        this.note = note;
    }

    /** As {@link #of}, the scores alone. */
    public static List<Score> top(float[] output, TensorSpec spec, List<String> labels, int k) {
        return of(output, spec, labels, k).list;
    }

    /**
     * The k best classes.
     *
     * @param output values in the float model's units
     * @param spec of the output, whose scale tells how far a sum may be off
     * @param labels a name per class, or two names for a single value from 0 to 1; may be empty
     */
    public static Scores of(float[] output, TensorSpec spec, List<String> labels, int k) {
        for (float value : output) {
            if (Float.isNaN(value)) {
                return sorted(output, labels, k, "The output holds values that are no numbers.");
            }
        }
        if (output.length == 1) {
            return single(output[0], labels, k);
        }
        double sum = 0;
        boolean shares = true;
        for (float value : output) {
            sum += value;
            shares &= value >= 0 && value <= 1 + SUM_SLACK;
        }
        // Each stored value is off by half a step, and a step may be lost to clipping.
        double slack = SUM_SLACK + step(output, spec) * (1 + output.length / 2.0);
        if (shares && Math.abs(sum - 1) <= slack) {
            return sorted(output, labels, k, "");
        }
        if (shares) {
            return sorted(output, labels, k, "The scores do not sum to 1; each stands for itself.");
        }
        return sorted(softmax(output), labels, k, "The output is no distribution; a softmax was applied.");
    }

    /**
     * What the values are multiples of; 0 for floats. An integer model that was asked for float outputs gives floats
     * that still are: by chance they would not all be.
     */
    private static double step(float[] output, TensorSpec spec) {
        if (spec.isQuantized()) {
            return spec.scale;
        }
        for (double step : STEPS) {
            boolean all = true;
            for (float value : output) {
                all &= value / step == Math.rint(value / step);
            }
            if (all) {
                return step;
            }
        }
        return 0;
    }

    /** Values of a regression in their own order; all are shown as they are. */
    public static Scores values(float[] output, List<String> labels, int k) {
        List<Score> list = new ArrayList<>();
        for (int i = 0; i < Math.min(k, output.length); i++) {
            list.add(new Score(label(labels, i, "value "), i, output[i]));
        }
        return new Scores(list, "");
    }

    private static Scores single(float value, List<String> labels, int k) {
        if (labels.size() == 2 && value >= 0 && value <= 1) {
            return sorted(new float[] {1 - value, value}, labels, k, "");
        }
        if (labels.size() == 2) {
            float share = (float) (1 / (1 + Math.exp(-value)));
            return sorted(new float[] {1 - share, share}, labels, k, "The output is no share; a sigmoid was applied.");
        }
        return sorted(new float[] {value}, labels, k, "");
    }

    private static Scores sorted(float[] shares, List<String> labels, int k, String note) {
        Integer[] order = new Integer[shares.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        // Stable: of equal ones the first comes first, as argmax has it. Float.compare puts what is no number first.
        Arrays.sort(order, (one, other) -> Float.compare(shares[other], shares[one]));
        List<Score> list = new ArrayList<>();
        for (int i = 0; i < Math.min(k, order.length); i++) {
            list.add(new Score(label(labels, order[i], "class "), order[i], shares[order[i]]));
        }
        return new Scores(list, note);
    }

    private static String label(List<String> labels, int index, String otherwise) {
        return index < labels.size() && !labels.get(index).isEmpty() ? labels.get(index) : otherwise + index;
    }

    private static float[] softmax(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double[] powers = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            powers[i] = logits[i] == largest ? 1 : Math.exp(logits[i] - largest);
            sum += powers[i];
        }
        float[] shares = new float[logits.length];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = (float) (powers[i] / sum);
        }
        return shares;
    }
}
