package org.tfcompress.demo.runtime;

import java.util.List;
import org.tfcompress.demo.result.Score;
import org.tfcompress.demo.result.Scores;

/** What a model made of an input. */
public final class Outcome {
    /** Values of each output, in the float model's units. */
    public final float[][] outputs;

    /** Of the first output, the best first; for a regression in the output's order. */
    public final List<Score> scores;

    /** What was made of the output to get scores; empty where nothing was. */
    public final String note;

    /** Of the inference alone. */
    public final double milliseconds;

    Outcome(float[][] outputs, Scores scores, double milliseconds) {
        this.outputs = outputs;
        this.scores = scores.list;
        this.note = scores.note;
        this.milliseconds = milliseconds;
    }
}
