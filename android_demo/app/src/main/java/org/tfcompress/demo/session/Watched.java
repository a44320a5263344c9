package org.tfcompress.demo.session;

/** Something under way that outlives a screen, and tells the one that shows it of every change. Main thread only. */
abstract class Watched {
    private static final Runnable NOBODY = () -> {};

    private Runnable listener = NOBODY;

    /** Who is told of every change; the last one that asked. */
    public void listen(Runnable told) {
        listener = told;
    }

    /** Tells that one no more. */
    public void forget(Runnable told) {
        if (listener == told) {
            listener = NOBODY;
        }
    }

    final void tell() {
        listener.run();
    }
}
