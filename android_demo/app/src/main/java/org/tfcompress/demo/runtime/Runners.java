package org.tfcompress.demo.runtime;

/** Who opens models in this process. */
public final class Runners {
    /** Android's library; tests on a JVM, where it does not load, put another here before anything is opened. */
    public static volatile RunnerFactory factory = TfliteRunner::new;

    private Runners() {}
}
