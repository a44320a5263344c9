package org.tfcompress.demo.ui;

import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.app.Dialog;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Looper;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.tfcompress.demo.session.Session;

/** What tests of screens share: waiting, finding, and keeping what a user would see as target/screens/NAME.png. */
public final class Screens {
    /** A usual phone, upright; two pixels per dp. */
    public static final String PHONE = "w411dp-h891dp-port-xhdpi";

    /** The same, lying. */
    public static final String LYING = "w891dp-h411dp-land-xhdpi";

    private Screens() {}

    /** Waits until the worker has run all it was given, and what that led to, and the main thread has drawn it. */
    public static void settle(Session session) {
        try {
            int quiet = 0;
            for (long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1); quiet < 3; ) {
                // The worker may wait for the main thread in its turn, as it does while a model is tried out.
                quiet = session.worker().await(20) ? quiet + 1 : 0;
                shadowOf(Looper.getMainLooper()).idle();
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("the worker is stuck");
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Lets that much time go by for animations and timers. */
    public static void pass(int milliseconds) {
        shadowOf(Looper.getMainLooper()).idleFor(milliseconds, TimeUnit.MILLISECONDS);
    }

    /** The first view below that one that shows exactly this text, or is described by it; null if there is none. */
    public static View find(View below, String text) {
        boolean shows = below instanceof TextView && text.contentEquals(((TextView) below).getText());
        if (below.getVisibility() != View.VISIBLE) {
            return null;
        }
        if (shows || text.contentEquals(String.valueOf(below.getContentDescription()))) {
            return below;
        }
        for (int i = 0; below instanceof ViewGroup && i < ((ViewGroup) below).getChildCount(); i++) {
            View found = find(((ViewGroup) below).getChildAt(i), text);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** All text that is on the screen, a line each. */
    public static String text(View below) {
        StringBuilder all = new StringBuilder();
        collect(below, all);
        return all.toString();
    }

    /** Draws the activity's window to target/screens/NAME.png. */
    public static void shot(Activity activity, String name) throws IOException {
        save(activity.getWindow().getDecorView(), name);
    }

    /** Draws a dialog's window to target/screens/NAME.png. */
    public static void shot(Dialog dialog, String name) throws IOException {
        save(dialog.getWindow().getDecorView(), name);
    }

    private static void save(View view, String name) throws IOException {
        shadowOf(Looper.getMainLooper()).idle();
        Bitmap bitmap = Bitmap.createBitmap(view.getWidth(), view.getHeight(), Bitmap.Config.ARGB_8888);
        view.draw(new Canvas(bitmap));
        File folder = new File("target/screens");
        folder.mkdirs();
        try (FileOutputStream out = new FileOutputStream(new File(folder, name + ".png"))) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, out);
        }
        bitmap.recycle();
    }

    private static void collect(View view, StringBuilder all) {
        if (view.getVisibility() != View.VISIBLE) {
            return;
        }
        if (view instanceof TextView) {
            all.append(((TextView) view).getText()).append('\n');
        }
        for (int i = 0; view instanceof ViewGroup && i < ((ViewGroup) view).getChildCount(); i++) {
            collect(((ViewGroup) view).getChildAt(i), all);
        }
    }
}
