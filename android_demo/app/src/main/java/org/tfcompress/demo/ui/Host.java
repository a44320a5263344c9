package org.tfcompress.demo.ui;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.Intent;
import org.tfcompress.demo.session.Session;

/** What a screen may ask of the activity that shows it. Main thread only. */
public interface Host {
    Activity activity();

    Session session();

    /** Says a sentence to the user, in a bar that leaves by itself and that a screen reader reads. */
    void say(String sentence);

    /**
     * Starts another app's activity, such as the document picker. The answer comes to {@link Screen#answer} of the same
     * kind of screen, also when Android made this activity anew meanwhile. Says so if no app can do it.
     *
     * @param code 0 to 99, the screen's own
     */
    void ask(Screen screen, Intent intent, int code);

    /**
     * Asks for a permission; the answer comes to {@link Screen#permission}, at once if it is there already.
     *
     * @param name such as {@code Manifest.permission.CAMERA}
     */
    void askPermission(Screen screen, String name);

    /** True if Android would not ask the user any more: only its settings can give the permission now. */
    boolean neverAsksAgain(String name);

    /** Opens this app's page in Android's settings. */
    void openSettings();

    /** Opens the list of models. */
    void chooseModel();

    /** Shows a dialog, and takes it away with the activity. */
    AlertDialog keep(AlertDialog dialog);

    /** Lets the user pick a model file. */
    void openModel();
}
