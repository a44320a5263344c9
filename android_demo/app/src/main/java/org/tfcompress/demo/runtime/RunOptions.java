package org.tfcompress.demo.runtime;

/** How a model is run: number of threads and delegate. */
public final class RunOptions {
    /** How the app runs models where nobody chose: as the toolkit measures them on the computer, one thread. */
    public static final RunOptions USUAL = new RunOptions(1, Delegate.XNNPACK);

    public final int threads;
    public final Delegate delegate;

    public RunOptions(int threads, Delegate delegate) {
        if (threads < 1 || threads > 64) {
            throw new IllegalArgumentException("threads " + threads + ", expected 1 to 64");
        }
        this.threads = threads;
        this.delegate = delegate;
    }

    /** One thread is "1 thread". */
    @Override
    public String toString() {
        return delegate.title + ", " + threads + (threads == 1 ? " thread" : " threads");
    }
}
