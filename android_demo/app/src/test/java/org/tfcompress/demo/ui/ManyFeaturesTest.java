package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.view.View;
import android.view.ViewGroup;
import android.widget.EditText;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.R;

/** A model that takes thirty numbers, more than a screen has room for. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ManyFeaturesTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() throws Exception {
        App.has("cells");
        app = App.start();
    }

    @Test
    public void ofThirtyNumbersSamplesRunAndResultAreOnTheFirstScreen() throws Exception {
        app.touch("Sample malignant");
        assertEquals("malignant", app.text(R.id.result_first));
        app.shot("classify-features-thirty");
        int[] from = new int[2];
        for (int id : new int[] {R.id.samples, R.id.features_run, R.id.features_more, R.id.result_first}) {
            View view = app.view(id);
            view.getLocationOnScreen(from);
            int screen = app.activity().getResources().getDisplayMetrics().heightPixels;
            assertTrue(view + " ends at " + (from[1] + view.getHeight()) + " of " + screen,
                    view.isShown() && from[1] + view.getHeight() < screen);
        }
        assertEquals(4, ((ViewGroup) app.view(R.id.features)).getChildCount());
    }

    @Test
    public void allThirtyNumbersCanBeSeenAndChanged() throws Exception {
        app.touch("Sample malignant");
        app.touch("Show all 30 values");
        ViewGroup rest = app.view(R.id.features_rest);
        assertEquals(26, rest.getChildCount());
        assertTrue(rest.isShown());
        app.shot("classify-features-all-thirty");
        float[] before = app.session().input();
        EditText last = (EditText) ((ViewGroup) rest.getChildAt(25)).getChildAt(1);
        last.setText("0.5");
        app.touch("Run");
        assertTrue(before[29] != app.session().input()[29]);
        assertFalse("the result is near again", rest.isShown());
        last.setText("-.");
        app.touch("Run");
        assertTrue("what is wrong is in sight", rest.isShown());
        app.touch("Show only the first 4");
        assertFalse(rest.isShown());
    }
}
