package org.tfcompress.demo.result;

/** How far two models agree on one input. */
public final class Agreement {
    /** Places of the largest values, counted from 0. */
    public final int topFirst;

    public final int topSecond;

    /** The largest absolute difference of two values in the same place, in the outputs' own unit. */
    public final float largestDifference;

    /** Where it is. */
    public final int place;

    private Agreement(int topFirst, int topSecond, float largestDifference, int place) {
        this.topFirst = topFirst;
        this.topSecond = topSecond;
        this.largestDifference = largestDifference;
        this.place = place;
    }

    /**
     * Compares two outputs.
     *
     * @param first values in real numbers, at least one
     * @param second as many
     */
    public static Agreement of(float[] first, float[] second) {
        if (first.length == 0 || first.length != second.length) {
            throw new IllegalArgumentException(first.length + " and " + second.length + " values cannot be compared");
        }
        int place = 0;
        float largest = 0;
        for (int i = 0; i < first.length; i++) {
            float difference = Math.abs(first[i] - second[i]);
            if (difference > largest || Float.isNaN(difference)) {
                largest = difference;
                place = i;
            }
            if (Float.isNaN(difference)) {
                break;
            }
        }
        return new Agreement(top(first), top(second), largest, place);
    }

    /** Whether both name the same class. */
    public boolean sameTop() {
        return topFirst == topSecond;
    }

    private static int top(float[] values) {
        int top = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[top]) {
                top = i;
            }
        }
        return top;
    }
}
