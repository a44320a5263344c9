package org.tfcompress.demo.ui;

import android.annotation.TargetApi;
import android.os.Build;
import android.view.View;
import android.view.accessibility.AccessibilityManager;
import android.widget.TextView;

/** A sentence at the lower edge that leaves by itself, later for who reads slowly. A touch takes it away. */
public final class SayBar {
    private static final int SHOWN_MS = 5000;

    private final TextView view;
    private final Runnable leave = this::leave;

    public SayBar(TextView view) {
        this.view = view;
        view.setOnClickListener(clicked -> leave());
    }

    /** Shows the sentence in place of the one before. */
    public void say(String sentence) {
        view.removeCallbacks(leave);
        view.setText(sentence);
        view.setVisibility(View.VISIBLE);
        view.postDelayed(leave, shownMs());
    }

    private void leave() {
        view.setVisibility(View.GONE);
    }

    @TargetApi(29)
    private int shownMs() {
        AccessibilityManager manager = view.getContext().getSystemService(AccessibilityManager.class);
        if (Build.VERSION.SDK_INT >= 29 && manager != null) {
            return manager.getRecommendedTimeoutMillis(SHOWN_MS, AccessibilityManager.FLAG_CONTENT_TEXT);
        }
        return SHOWN_MS;
    }
}
