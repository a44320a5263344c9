package org.tfcompress.demo.result;

/** A class and its share, or a value of a regression. */
public final class Score {
    /** Name of the class, or "class 3" where it has none. */
    public final String label;

    public final int index;

    public final float value;

    public Score(String label, int index, float value) {
        this.label = label;
        this.index = index;
        this.value = value;
    }

    @Override
    public String toString() {
        return label + " " + value;
    }
}
