package org.tfcompress.demo.measure;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public class QuantilesTest {
    // Of numpy.quantile(TIMES, [0, .5, .9, .99, 1]), to the last bit.
    private static final double[] TIMES = {1.31, 0.97, 4.003, 1.1, 1.27, 0.88, 12.6, 1.05, 1.19, 1.22};

    @Test
    public void quantilesAreNumpysToTheLastBit() {
        double[] fractions = {0, 0.5, 0.9, 0.99, 1};
        double[] expected = {0.88, 1.205, 4.862699999999997, 11.826270000000001, 12.6};
        for (int i = 0; i < fractions.length; i++) {
            assertEquals(expected[i], Quantiles.of(TIMES, fractions[i]), 0);
        }
    }

    @Test
    public void oneRunIsItsOwnQuantile() {
        assertEquals(3.5, Quantiles.of(new double[] {3.5}, 0.99), 0);
    }

    @Test
    public void theTimesStayInTheirOrder() {
        double[] times = {3, 1, 2};
        Quantiles.of(times, 0.5);
        assertArrayEquals(new double[] {3, 1, 2}, times, 0);
    }

    @Test
    public void nothingHasNoQuantile() {
        assertThrows(IllegalArgumentException.class, () -> Quantiles.of(new double[0], 0.5));
        assertThrows(IllegalArgumentException.class, () -> Quantiles.of(TIMES, 1.01));
        assertThrows(IllegalArgumentException.class, () -> Quantiles.of(TIMES, Double.NaN));
    }
}
