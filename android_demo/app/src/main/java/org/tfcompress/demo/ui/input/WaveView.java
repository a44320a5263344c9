package org.tfcompress.demo.ui.input;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.util.AttributeSet;
import android.view.View;
import org.tfcompress.demo.R;

/** A clip as its wave, or the loudness of one that is being recorded. */
public final class WaveView extends View {
    private static final int LEVELS = 64;

    private final Paint wave = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint line = new Paint();
    private final float[] levels = new float[LEVELS];
    private float[] clip;
    private float done = -1;

    public WaveView(Context context, AttributeSet attributes) {
        super(context, attributes);
        wave.setColor(context.getColor(R.color.primary));
        wave.setStrokeCap(Paint.Cap.ROUND);
        line.setColor(context.getColor(R.color.outline_variant));
        setClipToOutline(true);
    }

    /** @param clip -1 to 1; null for silence */
    public void show(float[] clip) {
        this.clip = clip;
        done = -1;
        invalidate();
    }

    /**
     * What the microphone hears.
     *
     * @param level 0 to 1
     * @param done how much of the clip was recorded, 0 to 1; 0 begins anew
     */
    public void level(float level, float done) {
        if (this.done < 0 || done < this.done) {
            java.util.Arrays.fill(levels, 0);
        }
        int from = Math.max(0, (int) (Math.max(0, this.done) * LEVELS));
        for (int i = from; i < Math.min(LEVELS, (int) Math.ceil(done * LEVELS)); i++) {
            levels[i] = level;
        }
        this.done = done;
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        float middle = getHeight() / 2f;
        canvas.drawRect(0, middle - 1, getWidth(), middle + 1, line);
        float step = 3 * getResources().getDisplayMetrics().density;
        wave.setStrokeWidth(step * 0.6f);
        int columns = (int) ((getWidth() - 2 * step) / step);
        for (int i = 0; i < columns; i++) {
            float high = done >= 0 ? levels[i * LEVELS / columns] : loudest(i, columns);
            float half = Math.min(1, high) * (middle - step);
            if (half > 0) {
                float x = step * (i + 1.5f);
                canvas.drawLine(x, middle - half, x, middle + half, wave);
            }
        }
    }

    private float loudest(int column, int columns) {
        if (clip == null) {
            return 0;
        }
        int from = (int) ((long) column * clip.length / columns);
        int to = (int) ((long) (column + 1) * clip.length / columns);
        float loudest = 0;
        for (int i = from; i < to; i++) {
            loudest = Math.max(loudest, Math.abs(clip[i]));
        }
        return loudest;
    }
}
