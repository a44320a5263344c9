package org.tfcompress.demo.session;

import android.os.Bundle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.preprocess.Picture;

/** What the user gave last, of each kind, so that neither a rotation nor another model takes it away. */
public final class Inputs {
    private static final String STROKES = "strokes";
    private static final String TEXT = "text";
    private static final String NUMBERS = "numbers";
    /** Letters, or numbers of strokes; of each kind 80 kB at the most. */
    private static final int MOST_KEPT = 20_000;

    private final List<float[]> strokes = new ArrayList<>();
    private Picture picture;
    private boolean live;
    private boolean front;
    private float[] clip;
    private int rate;
    private String text = "";
    private String[] numbers = {};
    private String sample;

    /** Strokes of the drawing, each x, y, x, y ... as parts of the pad's side. */
    public List<float[]> strokes() {
        return Collections.unmodifiableList(strokes);
    }

    public void draw(float[] stroke) {
        picture = null;
        strokes.add(stroke);
    }

    /** Takes the last stroke back; false if there is none. */
    public boolean undo() {
        return !strokes.isEmpty() && strokes.remove(strokes.size() - 1) != null;
    }

    /** Nothing is drawn and no picture chosen. */
    public void wipe() {
        strokes.clear();
        picture = null;
    }

    /** A picked picture or sample; null if there is none. */
    public Picture picture() {
        return picture;
    }

    public void choose(Picture chosen) {
        wipe();
        picture = chosen;
        live = false;
    }

    /** The camera is what is looked at. */
    public boolean live() {
        return live;
    }

    public void setLive(boolean live) {
        this.live = live;
    }

    /** The camera that looks at the user. */
    public boolean front() {
        return front;
    }

    public void setFront(boolean front) {
        this.front = front;
    }

    /** A clip, -1 to 1; null if there is none. */
    public float[] clip() {
        return clip;
    }

    /** Samples of the clip per second. */
    public int rate() {
        return rate;
    }

    public void hear(float[] heard, int samplesPerSecond) {
        clip = heard;
        rate = samplesPerSecond;
    }

    public String text() {
        return text;
    }

    public void write(String written) {
        text = written;
    }

    /** Numbers as the user wrote them. */
    public String[] numbers() {
        return numbers.clone();
    }

    public void fill(String[] written) {
        numbers = written.clone();
    }

    /** The sample's file that is given now; null if it is the user's own. */
    public String sample() {
        return sample;
    }

    public void setSample(String file) {
        sample = file;
    }

    /** Keeps what is small, in case Android ends the process: it ends an app that gives it more than about 1 MB. */
    public void save(Bundle state) {
        int points = 0;
        for (float[] stroke : strokes) {
            points += stroke.length;
        }
        if (points <= MOST_KEPT) {
            for (int i = 0; i < strokes.size(); i++) {
                state.putFloatArray(STROKES + i, strokes.get(i));
            }
            state.putInt(STROKES, strokes.size());
        }
        if (text.length() <= MOST_KEPT) {
            state.putString(TEXT, text);
        }
        if (String.join("", numbers).length() + numbers.length <= MOST_KEPT) {
            state.putStringArray(NUMBERS, numbers);
        }
    }

    /** Takes back what was kept, unless the process is still the same and has it anyway. */
    public void restore(Bundle state) {
        if (strokes.isEmpty() && picture == null) {
            for (int i = 0; i < state.getInt(STROKES); i++) {
                strokes.add(state.getFloatArray(STROKES + i));
            }
        }
        text = text.isEmpty() ? state.getString(TEXT, "") : text;
        String[] kept = state.getStringArray(NUMBERS);
        numbers = numbers.length == 0 && kept != null ? kept : numbers;
    }
}
