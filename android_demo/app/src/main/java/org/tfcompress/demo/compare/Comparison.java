package org.tfcompress.demo.compare;

import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.result.Agreement;

/** Two models on the same input. */
public final class Comparison {
    public final Side first;
    public final Side second;
    public final Agreement agreement;

    /** The outputs are classes, so that the largest one means something. */
    public final boolean classes;

    /** @throws ModelException the outputs cannot be laid side by side */
    public Comparison(Side first, Side second, boolean classes) throws ModelException {
        int ours = first.values().length;
        int theirs = second.values().length;
        if (ours != theirs) {
            throw new ModelException(
                    "The two cannot be compared: " + first.title + " has " + ours + " outputs and " + second.title + " "
                            + theirs + "; choose a model with as many.");
        }
        this.first = first;
        this.second = second;
        this.classes = classes;
        agreement = Agreement.of(first.values(), second.values());
    }

    /** Places to show: the most likely of either model first; for a regression the first ones. */
    public List<Integer> places(int most) {
        float[] ours = first.values();
        float[] theirs = second.values();
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < ours.length; i++) {
            places.add(i);
        }
        if (classes) {
            places.sort((a, b) -> Float.compare(Math.max(ours[b], theirs[b]), Math.max(ours[a], theirs[a])));
        }
        return new ArrayList<>(places.subList(0, Math.min(most, places.size())));
    }

    /** How many times as large the second file is; below 1 if it is smaller. */
    public double sizeFactor() {
        return (double) second.bytes / first.bytes;
    }

    /** How many times as long the second takes; below 1 if it is faster. NaN where the clock could not tell. */
    public double timeFactor() {
        boolean told = first.milliseconds > 0 && second.milliseconds > 0;
        return told ? second.milliseconds / first.milliseconds : Double.NaN;
    }
}
