package org.tfcompress.demo.wire;

import android.util.Log;
import org.tfcompress.demo.model.Printable;

/** A run's lines in the phone's log: each begins with its id, by which the computer finds the last one. */
final class RunLog {
    static final String TAG = "tfcompress";
    private static final int MOST = 400;

    private final String id;

    RunLog(String id) {
        this.id = id;
    }

    void say(String what) {
        Log.i(TAG, id + " " + Printable.line(what, MOST));
    }

    /** A line of no run: there is no id that could stand there. */
    static void sayWithoutRun(String what) {
        Log.w(TAG, Printable.line(what, MOST));
    }
}
