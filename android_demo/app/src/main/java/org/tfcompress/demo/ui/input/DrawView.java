package org.tfcompress.demo.ui.input;

import android.annotation.SuppressLint;
import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.Path;
import android.graphics.Rect;
import android.util.AttributeSet;
import android.view.MotionEvent;
import android.view.View;
import java.util.ArrayList;
import java.util.List;

/** A square to draw on with a finger. Points are parts of its side: x, y, x, y ... from 0 to 1. */
public final class DrawView extends View {
    /** Told of each stroke that was finished. */
    public interface Listener {
        void stroke(float[] points);
    }

    /** Width of a stroke as a part of the side: of the digits that it is made for, about two of 28 pixels. */
    public static final float STROKE = 2.4f / 28;

    private static final float LEAST_STEP = 0.004f;

    private final Paint ink = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final List<Float> current = new ArrayList<>();
    private List<float[]> strokes = new ArrayList<>();
    private final Path edge = new Path();
    private final float round;
    private Bitmap picture;
    private boolean dark = true;
    private Listener listener;

    public DrawView(Context context, AttributeSet attributes) {
        super(context, attributes);
        ink.setStyle(Paint.Style.STROKE);
        ink.setStrokeCap(Paint.Cap.ROUND);
        ink.setStrokeJoin(Paint.Join.ROUND);
        round = 12 * getResources().getDisplayMetrics().density;
    }

    public void setListener(Listener listener) {
        this.listener = listener;
    }

    /** White on black, or else black on white: as the model sees it. */
    public void setDark(boolean dark) {
        this.dark = dark;
        invalidate();
    }

    /** Shows these strokes on an empty ground. */
    public void show(List<float[]> strokes) {
        this.strokes = new ArrayList<>(strokes);
        picture = null;
        invalidate();
    }

    /** Shows a picture, as it is, in place of strokes. */
    public void show(Bitmap picture) {
        strokes.clear();
        this.picture = picture;
        invalidate();
    }

    @SuppressLint("ClickableViewAccessibility") // drawing is no click; samples do the same without a finger
    @Override
    public boolean onTouchEvent(MotionEvent event) {
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                getParent().requestDisallowInterceptTouchEvent(true);
                current.clear();
                add(event.getX(), event.getY());
                break;
            case MotionEvent.ACTION_MOVE:
                for (int i = 0; i < event.getHistorySize(); i++) {
                    add(event.getHistoricalX(i), event.getHistoricalY(i));
                }
                add(event.getX(), event.getY());
                break;
            case MotionEvent.ACTION_UP:
                add(event.getX(), event.getY());
                finish();
                break;
            case MotionEvent.ACTION_CANCEL:
                current.clear();
                break;
            default:
                return false;
        }
        invalidate();
        return true;
    }

    private void add(float x, float y) {
        float partX = Math.max(0, Math.min(1, x / getWidth()));
        float partY = Math.max(0, Math.min(1, y / getHeight()));
        int size = current.size();
        if (size > 0) {
            float step = Math.abs(partX - current.get(size - 2)) + Math.abs(partY - current.get(size - 1));
            if (step < LEAST_STEP) {
                return;
            }
        }
        current.add(partX);
        current.add(partY);
    }

    private void finish() {
        float[] points = array(current);
        current.clear();
        picture = null;
        strokes.add(points);
        if (listener != null) {
            listener.stroke(points);
        }
    }

    private static float[] array(List<Float> list) {
        float[] points = new float[list.size()];
        for (int i = 0; i < points.length; i++) {
            points[i] = list.get(i);
        }
        return points;
    }

    @Override
    protected void onDraw(Canvas canvas) {
        edge.reset();
        edge.addRoundRect(0, 0, getWidth(), getHeight(), round, round, Path.Direction.CW);
        canvas.clipPath(edge);
        canvas.drawColor(dark ? Color.BLACK : Color.WHITE);
        if (picture != null && current.isEmpty()) { // a stroke that Android takes back leaves it there
            canvas.drawBitmap(picture, null, new Rect(0, 0, getWidth(), getHeight()), smooth);
            return;
        }
        ink.setColor(dark ? Color.WHITE : Color.BLACK);
        ink.setStrokeWidth(STROKE * getWidth());
        for (float[] points : strokes) {
            draw(canvas, points);
        }
        draw(canvas, array(current));
    }

    private void draw(Canvas canvas, float[] points) {
        if (points.length == 0) {
            return;
        }
        Path path = new Path();
        path.moveTo(points[0] * getWidth(), points[1] * getHeight());
        // A point alone is a dot: a line without length has round ends too.
        path.lineTo(points[0] * getWidth() + 0.01f, points[1] * getHeight());
        for (int i = 2; i < points.length; i += 2) {
            path.lineTo(points[i] * getWidth(), points[i + 1] * getHeight());
        }
        canvas.drawPath(path, ink);
    }
}
