package org.tfcompress.demo;

import android.app.Application;
import android.content.Context;
import android.content.pm.ApplicationInfo;
import android.os.Looper;
import android.os.StrictMode;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.session.Session;

/** Holds the {@link Session}, which outlives every activity. */
public class DemoApp extends Application {
    private Session session;

    @Override
    public void onCreate() {
        super.onCreate();
        Threads.drawing(Looper.getMainLooper().getThread());
        if ((getApplicationInfo().flags & ApplicationInfo.FLAG_DEBUGGABLE) != 0) {
            watch();
        }
        session = new Session(this);
    }

    /** The application's session. */
    public static Session session(Context context) {
        return ((DemoApp) context.getApplicationContext()).session;
    }

    /** Slow calls on the main thread and leaked files or activities are told in the log of a debug build. */
    private static void watch() {
        StrictMode.setThreadPolicy(new StrictMode.ThreadPolicy.Builder().detectAll().penaltyLog().build());
        StrictMode.setVmPolicy(new StrictMode.VmPolicy.Builder().detectAll().penaltyLog().build());
    }
}
