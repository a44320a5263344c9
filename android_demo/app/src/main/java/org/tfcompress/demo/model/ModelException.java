package org.tfcompress.demo.model;

/** What is wrong with a model or its files, as one sentence for the user: what came, what was expected, what to do. */
public final class ModelException extends Exception {
    public ModelException(String message) {
        super(message);
    }

    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
