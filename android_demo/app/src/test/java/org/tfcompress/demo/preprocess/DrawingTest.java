package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.tfcompress.demo.manifest.ImageInput.Ink;

public class DrawingTest {
    private static Drawing seven(float scale, float x, float y) {
        Drawing drawing = new Drawing();
        drawing.add(new float[] {x, y, x + 10 * scale, y, x + 4 * scale, y + 20 * scale});
        return drawing;
    }

    private static int level(Picture picture, int x, int y) {
        return picture.argb[y * picture.width + x] & 0xff;
    }

    /** Left, top, right and bottom of the ink, and its centre of mass. */
    private static double[] ink(Picture picture) {
        double[] box = {99, 99, -1, -1, 0, 0};
        double mass = 0;
        for (int y = 0; y < picture.height; y++) {
            for (int x = 0; x < picture.width; x++) {
                int level = level(picture, x, y);
                if (level > 0) {
                    box[0] = Math.min(box[0], x);
                    box[1] = Math.min(box[1], y);
                    box[2] = Math.max(box[2], x + 1);
                    box[3] = Math.max(box[3], y + 1);
                }
                mass += level;
                box[4] += level * (x + 0.5);
                box[5] += level * (y + 0.5);
            }
        }
        box[4] /= mass;
        box[5] /= mass;
        return box;
    }

    @Test
    public void aDrawingLooksTheSameWhereverAndHoweverLargeItWasDrawn() {
        int[] expected = seven(8, 16, 32).picture(28, 28, Ink.WHITE_ON_BLACK).argb;
        assertArrayEquals(expected, seven(16, 256, 512).picture(28, 28, Ink.WHITE_ON_BLACK).argb);
        assertArrayEquals(expected, seven(2, 1024, 4).picture(28, 28, Ink.WHITE_ON_BLACK).argb);
    }

    @Test
    public void theInkFillsTwentyOfTwentyEightPartsAndItsMassIsInTheMiddle() {
        double[] ink = ink(seven(8, 3, 5).picture(28, 28, Ink.WHITE_ON_BLACK));
        assertEquals(20, ink[3] - ink[1], 1.01);
        assertEquals(14, ink[4], 0.25);
        assertEquals(14, ink[5], 0.25);
        double[] large = ink(seven(8, 3, 5).picture(56, 56, Ink.WHITE_ON_BLACK));
        assertEquals(40, large[3] - large[1], 1.01);
    }

    @Test
    public void blackOnWhiteIsTheNegative() {
        Picture white = seven(8, 3, 5).picture(28, 28, Ink.WHITE_ON_BLACK);
        Picture black = seven(8, 3, 5).picture(28, 28, Ink.BLACK_ON_WHITE);
        for (int i = 0; i < white.argb.length; i++) {
            assertEquals(255, (white.argb[i] & 0xff) + (black.argb[i] & 0xff), 1);
        }
    }

    @Test
    public void aDotAndAnEmptyPadAreImagesToo() {
        Drawing drawing = new Drawing();
        assertEquals(0, ink(drawing.picture(28, 28, Ink.WHITE_ON_BLACK))[2] + 1, 0);
        drawing.add(new float[] {500, 2});
        Picture dot = drawing.picture(28, 28, Ink.WHITE_ON_BLACK);
        assertTrue(level(dot, 14, 14) > 200);
    }
}
