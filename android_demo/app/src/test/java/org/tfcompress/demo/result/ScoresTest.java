package org.tfcompress.demo.result;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.TensorSpec;

public class ScoresTest {
    private static final List<String> NONE = Collections.emptyList();

    private static TensorSpec floats(int count) {
        return new TensorSpec("y", DType.FLOAT32, new int[] {1, count}, 0, 0);
    }

    private static Scores of(float[] values, String... labels) {
        return Scores.of(values, floats(values.length), Arrays.asList(labels), 3);
    }

    @Test
    public void sharesAreShownAsTheyAreTheBestFirst() {
        Scores scores = of(new float[] {0.1f, 0.2f, 0.65f, 0.05f}, "a", "b", "c");
        assertEquals("[c 0.65, b 0.2, a 0.1]", scores.list.toString());
        assertEquals("", scores.note);
        assertEquals("class 3", Scores.of(new float[] {0, 0, 0, 1}, floats(4), NONE, 1).list.get(0).label);
    }

    @Test
    public void ofEqualOnesTheFirstComesFirst() {
        assertEquals(1, of(new float[] {0.2f, 0.4f, 0.4f}).list.get(0).index);
    }

    @Test
    public void aQuantizedDistributionIsOneThoughItsSumIsOff() {
        TensorSpec spec = new TensorSpec("y", DType.INT8, new int[] {1, 10}, 1 / 256f, -128);
        float[] values = new float[10];
        Arrays.fill(values, 25 / 256f);
        assertEquals("", Scores.of(values, spec, NONE, 3).note);
    }

    @Test
    public void floatOutputsOfAnIntegerModelAreADistributionThoughTheirSumIsOff() {
        assertEquals("", of(new float[] {250 / 256f, 3 / 256f, 1 / 256f, 0}).note); // 0.992
        float[] many = new float[1000];
        many[3] = 32001 / 32768f; // 767 steps were lost to classes of less than half of one
        assertTrue(of(many).note, of(many).note.contains("do not sum to 1"));
        many[3] = 32500 / 32768f;
        assertEquals("", of(many).note);
        assertTrue("floats that sum to 0.992", of(new float[] {0.97f, 0.02f, 0.002f}).note.contains("do not sum to 1"));
        assertTrue("9 of 256 steps", of(new float[] {247 / 256f, 0, 0, 0}).note.contains("do not sum to 1"));
    }

    @Test
    public void logitsBecomeSharesAndItIsSaid() {
        Scores scores = of(new float[] {1, 3, -2});
        assertEquals(Math.exp(3) / (Math.exp(1) + Math.exp(3) + Math.exp(-2)), scores.list.get(0).value, 1e-6);
        assertTrue(scores.note, scores.note.contains("softmax"));
        float sum = 0;
        for (Score score : of(new float[] {1e30f, -1e30f, Float.NEGATIVE_INFINITY}).list) {
            sum += score.value;
        }
        assertEquals(1, sum, 1e-6);
        assertEquals(1, of(new float[] {0, Float.POSITIVE_INFINITY, 5}).list.get(0).index);
    }

    @Test
    public void valuesThatDoNotSumToOneStandForThemselvesAndItIsSaid() {
        Scores scores = of(new float[] {0.9f, 0.8f, 0.1f});
        assertEquals(0.9f, scores.list.get(0).value, 0);
        assertTrue(scores.note, scores.note.contains("do not sum to 1"));
    }

    @Test
    public void aSingleValueWithTwoNamesIsTheSecondOnesShare() {
        Scores scores = of(new float[] {0.2f}, "ham", "spam");
        assertEquals("ham", scores.list.get(0).label);
        assertEquals(0.8f, scores.list.get(0).value, 1e-6);
        assertEquals("", scores.note);
        Scores logit = of(new float[] {2}, "ham", "spam");
        assertEquals("spam", logit.list.get(0).label);
        assertEquals(1 / (1 + Math.exp(-2)), logit.list.get(0).value, 1e-6);
        assertTrue(logit.note, logit.note.contains("sigmoid"));
        assertEquals(1, of(new float[] {0.2f}).list.size());
    }

    @Test
    public void whatIsNoNumberIsSaid() {
        assertTrue(of(new float[] {0.1f, Float.NaN}).note.contains("no numbers"));
    }

    @Test
    public void aRegressionKeepsItsOrderAndUnits() {
        Scores scores = Scores.values(new float[] {-3, 250}, Arrays.asList("width"), 5);
        assertEquals("[width -3.0, value 1 250.0]", scores.list.toString());
    }
}
