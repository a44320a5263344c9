package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import android.view.View;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.MainActivity;
import org.tfcompress.demo.R;

/** The window and its tabs. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FrameTest {
    private final ActivityController<MainActivity> app = Robolectric.buildActivity(MainActivity.class).setup();

    private View tab(MainActivity activity, int index) {
        return ((TabBar) activity.findViewById(R.id.tabs)).getChildAt(index);
    }

    @Test
    public void aTabIsChosenByATouchAndTold() {
        MainActivity activity = app.get();
        assertTrue(tab(activity, 0).isSelected());
        tab(activity, 2).performClick();
        assertTrue(tab(activity, 2).isSelected());
        assertEquals("Benchmark, tab 3 of 4", String.valueOf(tab(activity, 2).getContentDescription()));
    }

    @Test
    public void theTabStaysWhenThePhoneIsTurned() throws Exception {
        tab(app.get(), 3).performClick();
        RuntimeEnvironment.setQualifiers(Screens.LYING);
        app.configurationChange(activityConfiguration());
        assertTrue(tab(app.get(), 3).isSelected());
        assertNotNull(Screens.find(app.get().getWindow().getDecorView(), "About"));
        Screens.shot(app.get(), "frame-lying");
    }

    private android.content.res.Configuration activityConfiguration() {
        return RuntimeEnvironment.getApplication().getResources().getConfiguration();
    }
}
