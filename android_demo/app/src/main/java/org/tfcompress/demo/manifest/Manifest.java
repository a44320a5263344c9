package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What model.json says, or what was guessed where there is none. */
public final class Manifest {
    /** Null where it is not told. */
    public final String title;

    /** SHA-256 of the model that it was written for, in lower case; null where it is not told. */
    public final String sha256;

    /** Null where it is not told. */
    public final String madeBy;

    public final InputSpec input;

    public final Output output;

    public final List<Sample> samples;

    public final Promise report;

    /** There is no model.json. */
    public final boolean guessed;

    /** What the model's output stands for. */
    public enum Output {
        CLASSES,
        /** Of a regression. */
        VALUES
    }

    Manifest(
            String title, String sha256, String madeBy, InputSpec input, Output output, List<Sample> samples,
            Promise report, boolean guessed) {
        this.title = title;
        this.sha256 = sha256;
        this.madeBy = madeBy;
        this.input = input;
        this.output = output;
        this.samples = Collections.unmodifiableList(new ArrayList<>(samples));
        this.report = report;
        this.guessed = guessed;
    }

    /** A guess: no title, samples or report. */
    public static Manifest guessed(InputSpec input) {
        return new Manifest(null, null, null, input, Output.CLASSES, Collections.emptyList(), none(), true);
    }

    static Promise none() {
        return new Promise(Collections.emptyList(), null, Collections.emptyList());
    }

    /** The same with another input, as the user chose it. */
    public Manifest withInput(InputSpec other) {
        return new Manifest(title, sha256, madeBy, other, output, samples, report, guessed);
    }

    /** The same without a report, which tells of another file. */
    public Manifest withoutReport() {
        return new Manifest(title, sha256, madeBy, input, output, samples, none(), guessed);
    }
}
