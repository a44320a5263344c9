package org.tfcompress.demo.shipped;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import org.tfcompress.demo.model.DType;

/** How far a runtime's outputs are from Python's: in steps for integers, in the output's own unit for floats. */
final class Figures {
    final String name;

    /** Who made the expected outputs, and who ran the model here. */
    final String expectedOf;

    final String runtime;
    DType type = DType.BOOL;
    int values;
    int differing;
    double largest;

    /** Outputs whose largest value stands elsewhere. */
    int otherTop;

    Figures(Vectors vectors, String runtime) {
        this(vectors.name, vectors.runtime, runtime);
    }

    private Figures(String name, String expectedOf, String runtime) {
        this.name = name;
        this.expectedOf = expectedOf;
        this.runtime = runtime;
    }

    /** What {@link #line} wrote. */
    static Figures of(String line) {
        String[] words = line.split("\t");
        Figures figures = new Figures(words[0], words[1], words[2]);
        figures.type = DType.valueOf(words[3]);
        figures.values = Integer.parseInt(words[4]);
        figures.differing = Integer.parseInt(words[5]);
        figures.largest = Double.parseDouble(words[6]);
        figures.otherTop = Integer.parseInt(words[7]);
        return figures;
    }

    /** All of it between tabs. */
    String line() {
        return name + "\t" + expectedOf + "\t" + runtime + "\t" + type.name() + "\t" + values + "\t" + differing + "\t"
                + largest + "\t" + otherTop;
    }

    /** For people. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%-18s %-45s against %-42s %4d of %4d values differ, by at most %.3g%s, %s",
                name, runtime, expectedOf, differing, values, largest, type == DType.FLOAT32 ? "" : " steps",
                otherTop == 0 ? "same top-1" : otherTop + " with another top-1");
    }

    /** Whose outputs are compared with whose, whatever the number of threads. */
    String sides() {
        return runtime.replaceAll(", \\d+ threads?", "") + " against " + expectedOf.replaceAll(", \\d+ threads?", "");
    }

    /** The sum of all comparisons between two sides, for people. */
    static String sum(List<Figures> table, String sides) {
        int[] counts = new int[3];
        double steps = 0;
        double distance = 0;
        for (Figures one : table) {
            if (one.sides().equals(sides)) {
                counts[0] += one.differing;
                counts[1] += one.values;
                counts[2] += one.otherTop;
                steps = one.type == DType.FLOAT32 ? steps : Math.max(steps, one.largest);
                distance = one.type == DType.FLOAT32 ? Math.max(distance, one.largest) : distance;
            }
        }
        return String.format(Locale.ROOT, "%d of %d values differ, integers by at most %.0f steps, floats by %.2g; "
                + "%d with another top-1", counts[0], counts[1], steps, distance, counts[2]);
    }

    /** Whether both sides used the same kind of kernels. */
    boolean isSameKernels() {
        return expectedOf.contains("XNNPACK") == runtime.contains("XNNPACK");
    }

    /** Adds an output: the bytes that came, and those that were expected. */
    void add(DType given, ByteBuffer came, byte[] expected) {
        type = given;
        ByteBuffer here = came.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer wanted = ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN);
        if (here.capacity() != wanted.capacity()) {
            throw new AssertionError(here.capacity() + " bytes came, " + wanted.capacity() + " were expected");
        }
        int elements = wanted.capacity() / type.bytes();
        int top = 0;
        int wantedTop = 0;
        for (int i = 0; i < elements; i++) {
            double off = Math.abs(at(here, i) - at(wanted, i));
            values++;
            differing += off == 0 ? 0 : 1; // a NaN differs
            largest = Double.isNaN(off) ? Double.POSITIVE_INFINITY : Math.max(largest, off);
            top = at(here, i) > at(here, top) ? i : top;
            wantedTop = at(wanted, i) > at(wanted, wantedTop) ? i : wantedTop;
        }
        // Of equal values either may be the top.
        otherTop += at(wanted, top) == at(wanted, wantedTop) ? 0 : 1;
    }

    private double at(ByteBuffer buffer, int index) {
        switch (type) {
            case FLOAT32:
                return buffer.getFloat(4 * index);
            case UINT8:
                return buffer.get(index) & 0xff;
            case INT16:
                return buffer.getShort(2 * index);
            case INT32:
                return buffer.getInt(4 * index);
            case INT64:
                return buffer.getLong(8 * index);
            default:
                return buffer.get(index);
        }
    }
}
