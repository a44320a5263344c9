package org.tfcompress.demo.measure;

/** Told how far a measurement is, on the thread that measures. */
public interface Progress {
    /** Tells nobody. */
    Progress NONE = (done, total) -> {};

    /** Timed runs that are done, of all. */
    void at(int done, int total);
}
