package org.tfcompress.demo.measure;

import java.util.Locale;

/** How far a model's outputs here are from those in Python. */
public final class VectorResult {
    /** Runs that were compared. */
    public final int vectors;

    /** Values of all outputs of all runs. */
    public final int values;

    /** Values that are not the same to the last bit. */
    public final int differing;

    /** Largest difference of integer outputs, in quantization steps. */
    public final double largestSteps;

    /** Largest difference of float outputs; infinite where only one side is a number. */
    public final double largestDifference;

    /** Runs whose first output has its largest value in the same place. */
    public final int top1Equal;

    /** Every value is as near as its type's tolerance asks for. */
    public final boolean passed;

    /** Name, version and kernels of the runtime in Python. */
    public final String runtime;

    /** The same of the runtime here. */
    public final String runtimeHere;

    VectorResult(Differences found, String runtime, String runtimeHere) {
        vectors = found.vectors;
        values = found.values;
        differing = found.differing;
        largestSteps = found.largestSteps;
        largestDifference = found.largestDifference;
        top1Equal = found.top1Equal;
        passed = found.passed;
        this.runtime = runtime;
        this.runtimeHere = runtimeHere;
    }

    /** One sentence for the log and tests; screens make their own of the fields. */
    public String text() {
        return String.format(
                Locale.ROOT,
                "same class on %d of %d, %d of %d values differ, by at most %s: %s; %s in Python, %s here",
                top1Equal, vectors, differing, values, most(), bar(), runtime, runtimeHere);
    }

    private String most() {
        String steps = String.format(Locale.ROOT, "%.0f steps", largestSteps);
        return largestDifference > 0 ? String.format(Locale.ROOT, "%.3g", largestDifference) : steps;
    }

    private String bar() {
        if (largestDifference > 0) {
            return passed ? "within the tolerance" : "beyond the tolerance";
        }
        return largestSteps <= 1 ? "within one step" : "not within one step";
    }
}
