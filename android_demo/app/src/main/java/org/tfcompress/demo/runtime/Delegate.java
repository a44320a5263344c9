package org.tfcompress.demo.runtime;

/** Who computes. There is no falling back from one to another: what cannot run is said. */
public enum Delegate {
    /** TFLite's built-in kernels, XNNPACK off. */
    CPU("cpu", "built-in kernels"),
    XNNPACK("xnnpack", "XNNPACK"),
    /** Android's neural networks API, which gives what no accelerator takes back to the built-in kernels. */
    NNAPI("nnapi", "NNAPI");

    /** The word on the wire (docs/phones.md). */
    public final String word;

    /** The name in reports and on the screen. */
    public final String title;

    Delegate(String word, String title) {
        this.word = word;
        this.title = title;
    }

    /** The delegate of that word on the wire; null if there is none. */
    public static Delegate of(String word) {
        for (Delegate delegate : values()) {
            if (delegate.word.equals(word)) {
                return delegate;
            }
        }
        return null;
    }
}
