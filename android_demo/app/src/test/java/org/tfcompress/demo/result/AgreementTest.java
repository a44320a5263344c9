package org.tfcompress.demo.result;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class AgreementTest {
    @Test
    public void modelsAgreeThatNameTheSameClass() {
        Agreement found = Agreement.of(new float[] {0.1f, 0.7f, 0.2f}, new float[] {0.3f, 0.6f, 0.1f});
        assertTrue(found.sameTop());
        assertEquals(1, found.topFirst);
        assertEquals(0.2f, found.largestDifference, 1e-6f);
        assertEquals(0, found.place);
    }

    @Test
    public void modelsThatNameDifferentClassesDoNot() {
        Agreement found = Agreement.of(new float[] {0.6f, 0.4f}, new float[] {0.4f, 0.6f});
        assertFalse(found.sameTop());
        assertEquals(0, found.topFirst);
        assertEquals(1, found.topSecond);
    }

    @Test
    public void equalOutputsDifferByNothing() {
        assertEquals(0, Agreement.of(new float[] {5, -5}, new float[] {5, -5}).largestDifference, 0);
    }

    @Test
    public void aValueThatIsNoNumberIsNotPassedOver() {
        Agreement found = Agreement.of(new float[] {1, Float.NaN, 2}, new float[] {1, 0, 9});
        assertTrue(Float.isNaN(found.largestDifference));
        assertEquals(1, found.place);
    }

    @Test
    public void outputsOfDifferentLengthsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Agreement.of(new float[2], new float[3]));
    }
}
