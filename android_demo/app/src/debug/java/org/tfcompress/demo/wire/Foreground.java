package org.tfcompress.demo.wire;

/** Whether the activity is in front, where Android gives an app its fastest cores. For several threads. */
public final class Foreground {
    /** No time in front: the activity did not come there. */
    static final int NEVER = -1;

    private boolean inFront;
    private int departures;

    /** The activity is in front from now on. */
    public synchronized void enter() {
        inFront = true;
        notifyAll();
    }

    /** It is no more. */
    public synchronized void leave() {
        if (inFront) {
            inFront = false;
            departures++;
        }
    }

    /**
     * Waits until the activity is in front.
     *
     * @return a mark for {@link #leftSince}; {@link #NEVER} if it did not come there in time
     */
    synchronized int await(long milliseconds) throws InterruptedException {
        long end = System.nanoTime() + milliseconds * 1_000_000;
        while (!inFront) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return NEVER;
            }
            wait(left);
        }
        return departures;
    }

    /** Whether the activity was away at any time after the mark. */
    synchronized boolean leftSince(int mark) {
        return departures != mark;
    }
}
