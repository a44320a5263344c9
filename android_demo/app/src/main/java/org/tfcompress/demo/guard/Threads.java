package org.tfcompress.demo.guard;

/**
 * Keeps slow work off the thread that draws. StrictMode sees no model that is run, and files on a phone only; this is
 * asked where a model is opened or run, and where the app opens files of its own, on a JVM too.
 */
public final class Threads {
    private static volatile Thread main;

    private Threads() {}

    /** Names the thread that draws. The application does so when it starts; without one nothing is refused. */
    public static void drawing(Thread thread) {
        main = thread;
    }

    /** True on the thread that draws. */
    public static boolean isDrawing() {
        return Thread.currentThread() == main;
    }

    /**
     * Said where a file is opened or a model is opened or run.
     *
     * @throws IllegalStateException on the thread that draws: a fault of the program, never of the user
     */
    public static void background() {
        if (isDrawing()) {
            throw new IllegalStateException("a file or a model on the main thread: give it to Session.work");
        }
    }
}
