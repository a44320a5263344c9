package org.tfcompress.demo.preprocess;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.manifest.ImageInput;

/**
 * Strokes of a finger, made into an image as MNIST's digits were: the ink's box is scaled, with its proportions, to 20
 * of 28 parts of the image, and its centre of mass is put in the middle. Strokes are as thick as a pen's there, however
 * large the drawing was. Used by one thread.
 */
public final class Drawing {
    private static final double BOX = 20.0 / 28;

    /** Half the width of a stroke, as a part of the image. */
    private static final double RADIUS = 1.2 / 28;

    /** Places in a pixel, each way, at which ink is looked for. */
    private static final int FINE = 4;

    /** x, y, x, y, ... in any unit. */
    private final List<float[]> strokes = new ArrayList<>();

    /** Adds a stroke: x, y, x, y, ... in the same unit as the others; a point by itself is a dot. */
    public void add(float[] stroke) {
        if (stroke.length >= 2 && stroke.length % 2 == 0) {
            strokes.add(stroke.clone());
        }
    }

    /**
     * The image.
     *
     * @param width of the model's image
     * @param height of the model's image
     */
    public Picture picture(int width, int height, ImageInput.Ink ink) {
        double size = Math.min(width, height);
        double[] box = box();
        double radius = RADIUS * size;
        double extent = Math.max(box[2] - box[0], box[3] - box[1]);
        double scale = extent == 0 ? 1 : (BOX * size - 2 * radius) / extent;
        double left = width / 2.0 - scale * (box[0] + box[2]) / 2;
        double top = height / 2.0 - scale * (box[1] + box[3]) / 2;
        double[] once = render(width, height, scale, left, top, radius);
        double[] mass = centreOfMass(once, width, height);
        left += width / 2.0 - mass[0];
        top += height / 2.0 - mass[1];
        double[] cover = render(width, height, scale, left, top, radius);
        int[] argb = new int[cover.length];
        for (int i = 0; i < argb.length; i++) {
            int level = (int) Math.round(255 * (ink == ImageInput.Ink.WHITE_ON_BLACK ? cover[i] : 1 - cover[i]));
            argb[i] = 0xff000000 | level * 0x010101;
        }
        return new Picture(width, height, argb);
    }

    /** Left, top, right and bottom of the points. */
    private double[] box() {
        double[] box = {Double.MAX_VALUE, Double.MAX_VALUE, -Double.MAX_VALUE, -Double.MAX_VALUE};
        for (float[] stroke : strokes) {
            for (int i = 0; i < stroke.length; i += 2) {
                box[0] = Math.min(box[0], stroke[i]);
                box[1] = Math.min(box[1], stroke[i + 1]);
                box[2] = Math.max(box[2], stroke[i]);
                box[3] = Math.max(box[3], stroke[i + 1]);
            }
        }
        return strokes.isEmpty() ? new double[4] : box;
    }

    /** How much of each pixel is covered by ink, 0 to 1. */
    private double[] render(int width, int height, double scale, double left, double top, double radius) {
        boolean[] fine = new boolean[width * FINE * height * FINE];
        for (float[] stroke : strokes) {
            for (int i = 0; i < stroke.length; i += 2) {
                int from = Math.max(0, i - 2);
                fill(fine, width * FINE, height * FINE, radius * FINE, new double[] {
                    FINE * (scale * stroke[from] + left), FINE * (scale * stroke[from + 1] + top),
                    FINE * (scale * stroke[i] + left), FINE * (scale * stroke[i + 1] + top)
                });
            }
        }
        double[] cover = new double[width * height];
        for (int i = 0; i < fine.length; i++) {
            int x = i % (width * FINE) / FINE;
            int y = i / (width * FINE) / FINE;
            cover[y * width + x] += fine[i] ? 1.0 / (FINE * FINE) : 0;
        }
        return cover;
    }

    /** Inks what is no farther than the radius from the line between two points. */
    private static void fill(boolean[] fine, int width, int height, double radius, double[] line) {
        int x0 = (int) Math.max(0, Math.floor(Math.min(line[0], line[2]) - radius));
        int x1 = (int) Math.min(width - 1, Math.ceil(Math.max(line[0], line[2]) + radius));
        int y0 = (int) Math.max(0, Math.floor(Math.min(line[1], line[3]) - radius));
        int y1 = (int) Math.min(height - 1, Math.ceil(Math.max(line[1], line[3]) + radius));
        double dx = line[2] - line[0];
        double dy = line[3] - line[1];
        double square = dx * dx + dy * dy;
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                double px = x + 0.5 - line[0];
                double py = y + 0.5 - line[1];
                double along = square == 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / square));
                if (Math.hypot(px - along * dx, py - along * dy) <= radius) {
                    fine[y * width + x] = true;
                }
            }
        }
    }

    /** In pixels; the middle where there is no ink. */
    private static double[] centreOfMass(double[] cover, int width, int height) {
        double mass = 0;
        double x = 0;
        double y = 0;
        for (int i = 0; i < cover.length; i++) {
            mass += cover[i];
            x += cover[i] * (i % width + 0.5);
            y += cover[i] * (i / width + 0.5);
        }
        return mass == 0 ? new double[] {width / 2.0, height / 2.0} : new double[] {x / mass, y / mass};
    }
}
