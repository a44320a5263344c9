package org.tfcompress.demo.ui;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.util.AttributeSet;
import android.view.View;
import org.tfcompress.demo.R;

/** A part of a whole as a rounded bar on its track. */
public final class BarView extends View {
    private final Paint track = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint bar = new Paint(Paint.ANTI_ALIAS_FLAG);
    private float part;

    public BarView(Context context, AttributeSet attributes) {
        super(context, attributes);
        track.setColor(context.getColor(R.color.track));
        bar.setColor(context.getColor(R.color.primary));
    }

    /** @param part 0 to 1 */
    public void setPart(float part) {
        this.part = Math.max(0, Math.min(1, part));
        invalidate();
    }

    /** Marks the bar as one among others, or as the first of them. */
    public void setFirst(boolean first) {
        bar.setColor(getContext().getColor(first ? R.color.primary : R.color.bar_rest));
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        float round = getHeight() / 2f;
        canvas.drawRoundRect(0, 0, getWidth(), getHeight(), round, round, track);
        float width = part * getWidth();
        if (width < 0.5f) {
            return;
        }
        boolean mirrored = getLayoutDirection() == LAYOUT_DIRECTION_RTL;
        float left = mirrored ? getWidth() - Math.max(width, getHeight()) : 0;
        canvas.drawRoundRect(left, 0, left + Math.max(width, getHeight()), getHeight(), round, round, bar);
    }
}
