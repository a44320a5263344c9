package org.tfcompress.demo.manifest;

/** An input to try. */
public final class Sample {
    /** Path in the model's folder, such as "samples/seven.png". */
    public final String file;

    /** The right answer; null where it is not told. */
    public final String label;

    public Sample(String file, String label) {
        this.file = file;
        this.label = label;
    }
}
