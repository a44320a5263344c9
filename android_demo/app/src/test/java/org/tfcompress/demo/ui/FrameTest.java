package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.graphics.Insets;
import android.text.Layout;
import android.view.View;
import android.view.ViewGroup;
import android.view.WindowInsets;
import android.widget.EditText;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.DemoApp;
import org.tfcompress.demo.MainActivity;
import org.tfcompress.demo.R;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.Runners;

/** The window and its tabs. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FrameTest {
    private ActivityController<MainActivity> app;

    @Before
    public void start() {
        Runners.factory = JvmRunner::new;
        app = Robolectric.buildActivity(MainActivity.class).setup();
    }

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
        app.recreate();
        assertTrue(tab(app.get(), 3).isSelected());
        assertNotNull(Screens.find(app.get().getWindow().getDecorView(), "About"));
        Screens.shot(app.get(), "frame-lying");
    }

    @Test
    public void nothingLiesUnderTheSystemsBars() {
        View root = app.get().findViewById(R.id.root);
        root.dispatchApplyWindowInsets(new WindowInsets.Builder()
                .setSystemWindowInsets(Insets.of(11, 22, 33, 44))
                .build());
        assertEquals(11, root.getPaddingLeft());
        assertEquals(22, root.getPaddingTop());
        assertEquals(33, root.getPaddingRight());
        assertEquals(44, root.getPaddingBottom());
    }

    @Test
    public void whatIsSaidLeavesByItselfOrByATouch() {
        MainActivity activity = app.get();
        activity.say("One sentence.");
        assertNotNull(Screens.find(activity.findViewById(R.id.root), "One sentence."));
        Screens.pass(6000);
        assertNull(Screens.find(activity.findViewById(R.id.root), "One sentence."));
        activity.say("Another one.");
        activity.findViewById(R.id.say).performClick();
        assertNull(Screens.find(activity.findViewById(R.id.root), "Another one."));
    }

    @Test
    public void whatCanBeTouchedIsLargeEnoughAndHasAName() {
        Screens.settle(DemoApp.session(app.get()));
        List<String> wrong = new ArrayList<>();
        check(app.get().findViewById(R.id.root), wrong);
        assertEquals(Collections.emptyList(), wrong);
    }

    static void check(View view, List<String> wrong) {
        float dp = view.getResources().getDisplayMetrics().density;
        if (view.isShown() && view.isClickable() && !(view instanceof EditText)) {
            boolean named = view.getContentDescription() != null
                    || view instanceof TextView && ((TextView) view).length() > 0;
            if (!named || view.getHeight() < 48 * dp || view.getWidth() < 48 * dp) {
                wrong.add(view + " " + view.getWidth() / dp + " x " + view.getHeight() / dp + " dp, named " + named);
            }
        }
        for (int i = 0; view instanceof ViewGroup && i < ((ViewGroup) view).getChildCount(); i++) {
            check(((ViewGroup) view).getChildAt(i), wrong);
        }
    }

    @Test
    public void noTextIsCutWhereTheUserHasItLarge() throws Exception {
        RuntimeEnvironment.setFontScale(1.3f);
        app.recreate();
        Screens.settle(DemoApp.session(app.get()));
        for (String qualifiers : new String[] {Screens.PHONE, Screens.LYING}) {
            RuntimeEnvironment.setQualifiers(qualifiers);
            app.recreate();
            Screens.settle(DemoApp.session(app.get()));
            List<String> cut = new ArrayList<>();
            cut(app.get().findViewById(R.id.root), cut);
            Screens.shot(app.get(), "large-text-" + (qualifiers.equals(Screens.PHONE) ? "upright" : "lying"));
            assertEquals(Collections.emptyList(), cut);
        }
    }

    static void cut(View view, List<String> cut) {
        if (view instanceof TextView && view.isShown() && ((TextView) view).getLayout() != null) {
            Layout layout = ((TextView) view).getLayout();
            int room = view.getHeight() - view.getPaddingTop() - view.getPaddingBottom();
            int last = layout.getLineCount() - 1;
            if (last >= 0 && (layout.getHeight() > room || layout.getEllipsisCount(last) > 0)) {
                cut.add(((TextView) view).getText().toString());
            }
        }
        for (int i = 0; view instanceof ViewGroup && i < ((ViewGroup) view).getChildCount(); i++) {
            cut(((ViewGroup) view).getChildAt(i), cut);
        }
    }
}
