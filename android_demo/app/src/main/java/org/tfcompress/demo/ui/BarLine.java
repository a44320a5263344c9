package org.tfcompress.demo.ui;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.util.AttributeSet;
import android.view.View;
import org.tfcompress.demo.R;

/** One horizontal bar on a track. It tells nothing that the text beside it does not, so screen readers pass it over. */
public final class BarLine extends View {
    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final int track;
    private int colour;
    private float share;

    public BarLine(Context context, AttributeSet attributes) {
        super(context, attributes);
        track = context.getColor(R.color.track);
        colour = context.getColor(R.color.primary);
        setImportantForAccessibility(IMPORTANT_FOR_ACCESSIBILITY_NO);
    }

    /**
     * Sets the bar's length.
     *
     * @param share of the track, 0 to 1; what is outside is cut
     */
    public void setShare(double share) {
        this.share = (float) Math.max(0, Math.min(1, share)); // NaN becomes NaN, and then draws nothing
        invalidate();
    }

    /** Sets the bar's colour. */
    public void setColour(int colour) {
        this.colour = colour;
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        float radius = getHeight() / 2f;
        paint.setColor(track);
        canvas.drawRoundRect(0, 0, getWidth(), getHeight(), radius, radius, paint);
        if (share > 0) {
            paint.setColor(colour);
            float width = Math.max(getHeight(), share * getWidth());
            boolean fromRight = getLayoutDirection() == LAYOUT_DIRECTION_RTL;
            float left = fromRight ? getWidth() - width : 0;
            canvas.drawRoundRect(left, 0, left + width, getHeight(), radius, radius, paint);
        }
    }
}
