package org.tfcompress.demo.ui;

import android.view.View;

/** Listens while a view is in a window, so that nothing holds a window that Android has closed. */
final class WhileAttached implements View.OnAttachStateChangeListener {
    private final Runnable listen;
    private final Runnable forget;

    private WhileAttached(Runnable listen, Runnable forget) {
        this.listen = listen;
        this.forget = forget;
    }

    /** Calls the one when the view comes into a window, at once if it is in one, the other when it leaves it. */
    static void to(View view, Runnable listen, Runnable forget) {
        view.addOnAttachStateChangeListener(new WhileAttached(listen, forget));
        if (view.isAttachedToWindow()) {
            listen.run();
        }
    }

    @Override
    public void onViewAttachedToWindow(View view) {
        listen.run();
    }

    @Override
    public void onViewDetachedFromWindow(View view) {
        forget.run();
    }
}
