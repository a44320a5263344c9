package org.tfcompress.demo;

import android.app.Activity;
import android.content.Intent;
import android.os.Build;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.Window;
import android.view.WindowManager;
import android.widget.ProgressBar;
import android.widget.TextView;
import org.tfcompress.demo.wire.Caller;
import org.tfcompress.demo.wire.Desk;
import org.tfcompress.demo.wire.Foreground;

/**
 * Measures a model when a computer asks for it over adb; docs/phones.md is the contract. The debug build's alone.
 *
 * <p>It shows how far it is, keeps the screen on, and finishes when each request that it brought is handled.
 */
public final class BenchmarkActivity extends Activity implements Caller {
    /**
     * How long it may be paused and count as in front. Android pauses an activity for a moment to hand it a new
     * intent, and a request that is refused as busy must not disturb the run.
     */
    private static final long PAUSE_MS = 250;

    private final Foreground foreground = new Foreground();
    private final Handler main = new Handler(Looper.getMainLooper());
    private final Runnable leave = this::leave;
    private int pending;

    @Override
    protected void onCreate(Bundle saved) {
        super.onCreate(saved);
        keepScreenOn();
        setContentView(R.layout.wire);
        if (saved == null) {
            take(getIntent(), true);
        } else {
            // Made anew by Android: the request was taken when it came. A new one may follow as a new intent.
            main.post(this::finishIfIdle);
        }
    }

    @Override
    protected void onNewIntent(Intent intent) {
        super.onNewIntent(intent);
        take(intent, false);
    }

    @Override
    protected void onResume() {
        super.onResume();
        main.removeCallbacks(leave);
        foreground.enter();
    }

    @Override
    protected void onPause() {
        super.onPause();
        main.postDelayed(leave, PAUSE_MS);
    }

    @Override
    protected void onStop() {
        super.onStop();
        main.removeCallbacks(leave);
        leave();
    }

    @Override
    public Foreground foreground() {
        return foreground;
    }

    @Override
    public void progress(int done, int total) {
        runOnUiThread(() -> {
            TextView text = findViewById(R.id.wire_progress);
            text.setText(getString(R.string.wire_progress, done, total));
            ProgressBar bar = findViewById(R.id.wire_bar);
            bar.setIndeterminate(false);
            bar.setMax(total);
            bar.setProgress(done);
        });
    }

    @Override
    public void handled() {
        runOnUiThread(() -> {
            pending--;
            finishIfIdle();
        });
    }

    private void take(Intent intent, boolean isStart) {
        pending++;
        Desk.get().take(intent.getExtras(), this, isStart);
    }

    private void finishIfIdle() {
        if (pending == 0) {
            finish();
        }
    }

    private void leave() {
        foreground.leave();
        Desk.get().left(foreground);
    }

    @SuppressWarnings("deprecation") // Android 8.0 has only the flags.
    private void keepScreenOn() {
        Window window = getWindow();
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        if (Build.VERSION.SDK_INT >= 27) {
            setShowWhenLocked(true);
            setTurnScreenOn(true);
        } else {
            window.addFlags(WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED
                    | WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON);
        }
    }
}
