package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.View;
import java.lang.reflect.Field;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.R;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.ui.input.InputPanel;

/** Handwritten digits, as they are shipped. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class DrawPanelTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() {
        App.shows("bundled/" + Shipped.DIGITS);
        app = App.start();
    }

    /** A finger that goes from point to point; parts of the pad's side. */
    static void draw(App app, float... points) {
        View pad = app.view(R.id.draw);
        long down = SystemClock.uptimeMillis();
        for (int i = 0; i < points.length; i += 2) {
            int action = i == 0 ? MotionEvent.ACTION_DOWN : MotionEvent.ACTION_MOVE;
            send(pad, down, action, points[i], points[i + 1]);
        }
        send(pad, down, MotionEvent.ACTION_UP, points[points.length - 2], points[points.length - 1]);
        app.settle();
    }

    private static void send(View pad, long down, int action, float x, float y) {
        MotionEvent event = MotionEvent.obtain(
                down, SystemClock.uptimeMillis(), action, x * pad.getWidth(), y * pad.getHeight(), 0);
        assertTrue(pad.dispatchTouchEvent(event));
        event.recycle();
    }

    static void drawSeven(App app) {
        draw(app, .25f, .2f, .45f, .2f, .75f, .2f, .6f, .5f, .45f, .85f);
    }

    @Test
    public void aDrawnSevenIsASevenAndItsLatencyIsTold() throws Exception {
        app.shot("classify-draw-empty");
        assertTrue(app.text(R.id.result_hint).startsWith("Draw, or"));
        drawSeven(app);
        assertEquals("7", app.text(R.id.result_first));
        assertTrue(app.text(R.id.result_latency), app.text(R.id.result_latency).matches("[0-9.]+ ms, .*1 thread.*"));
        app.shot("classify-draw");
    }

    @Test
    public void eachStrokeIsClassifiedAndCanBeTakenBack() {
        draw(app, .5f, .15f, .5f, .85f);
        assertEquals("1", app.text(R.id.result_first));
        float[] one = app.session().input();
        draw(app, .2f, .5f, .8f, .5f);
        assertFalse(java.util.Arrays.equals(one, app.session().input()));
        app.touch("Take the last stroke back");
        assertEquals("1", app.text(R.id.result_first));
        app.touch("Clear the pad");
        assertNull(app.session().outcome());
        assertTrue(app.text(R.id.result_hint).startsWith("Draw, or"));
        assertFalse(app.view(R.id.draw_undo).isEnabled());
        assertFalse(app.view(R.id.draw_clear).isEnabled());
    }

    /** As where Android takes the touch for a gesture of its own. */
    @Test
    public void aStrokeThatIsTakenBackLeavesTheSampleOnThePad() {
        app.touch("Sample 8");
        Bitmap before = pad();
        View pad = app.view(R.id.draw);
        long down = SystemClock.uptimeMillis();
        send(pad, down, MotionEvent.ACTION_DOWN, .1f, .1f);
        send(pad, down, MotionEvent.ACTION_MOVE, .5f, .5f);
        assertFalse(before.sameAs(pad()));
        send(pad, down, MotionEvent.ACTION_CANCEL, .5f, .5f);
        app.settle();
        assertTrue(before.sameAs(pad()));
        assertEquals("8", app.text(R.id.result_first));
    }

    private Bitmap pad() {
        View pad = app.view(R.id.draw);
        Bitmap drawn = Bitmap.createBitmap(pad.getWidth(), pad.getHeight(), Bitmap.Config.ARGB_8888);
        pad.draw(new Canvas(drawn));
        return drawn;
    }

    /** The session outlives the activity, and would keep it and all its views from being freed. */
    @Test
    public void whatTheSessionKeepsOfADrawingHoldsNoPanel() {
        drawSeven(app);
        for (Field captured : app.session().given().getClass().getDeclaredFields()) {
            assertFalse(captured.toString(), InputPanel.class.isAssignableFrom(captured.getType()));
        }
    }

    @Test
    public void everySampleIsWhatItsLabelSays() throws Exception {
        int right = 0;
        for (String digit : new String[] {"0", "2", "3", "5", "7", "8"}) {
            app.touch("Sample " + digit);
            right += digit.equals(app.text(R.id.result_first)) ? 1 : 0;
            assertTrue(Screens.find(app.view(R.id.root), "Sample " + digit).isSelected());
        }
        assertEquals(6, right);
        app.shot("classify-sample");
        drawSeven(app);
        assertFalse(Screens.find(app.view(R.id.root), "Sample 8").isSelected());
    }

    @Test
    public void drawingAndResultStayWhenThePhoneIsTurned() throws Exception {
        drawSeven(app);
        org.tfcompress.demo.runtime.Outcome outcome = app.session().outcome();
        app.turn(Screens.LYING);
        app.shot("classify-draw-lying");
        assertEquals("7", app.text(R.id.result_first));
        assertEquals(outcome, app.session().outcome());
        assertEquals(1, app.session().inputs().strokes().size());
        app.turn(Screens.PHONE);
        assertEquals("7", app.text(R.id.result_first));
        app.touch("Take the last stroke back");
        assertNull(app.session().outcome());
    }

    @Test
    @Config(qualifiers = "+night")
    public void itCanBeReadInTheDark() throws Exception {
        drawSeven(app);
        app.shot("classify-draw-dark");
        app.turn("+land");
        assertEquals("7", app.text(R.id.result_first));
    }

    @Test
    public void theFirstClassIsReadAloudAndEachBarIsOne() {
        drawSeven(app);
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE, app.view(R.id.result_first).getAccessibilityLiveRegion());
        BarsView bars = app.view(R.id.bars);
        assertEquals(5, bars.getChildCount());
        String first = String.valueOf(bars.getChildAt(0).getContentDescription());
        assertTrue(first, first.matches("7: [0-9.]+ %"));
        assertNotNull(app.view(R.id.draw).getContentDescription());
    }
}
