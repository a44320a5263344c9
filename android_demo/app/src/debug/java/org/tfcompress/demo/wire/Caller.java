package org.tfcompress.demo.wire;

import android.content.Context;

/** The activity that brings a request. Told on other threads than its own. */
public interface Caller {
    /** The app's context, which outlives the activity. */
    Context getApplicationContext();

    Foreground foreground();

    /** Timed runs that are done, of all. */
    void progress(int done, int total);

    /** A request is answered, or cannot be. Said once for each. */
    void handled();
}
