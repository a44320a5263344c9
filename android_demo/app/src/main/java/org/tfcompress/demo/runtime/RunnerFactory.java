package org.tfcompress.demo.runtime;

import java.nio.ByteBuffer;
import org.tfcompress.demo.model.ModelException;

/**
 * Opens models. The app has {@code TfliteRunner::new}; on a JVM, where Android's library does not load, tests have
 * theirs.
 */
public interface RunnerFactory {
    /**
     * Loads a model and allocates its tensors.
     *
     * @param model the file's bytes: a direct buffer in native byte order, kept until the runner is closed
     * @throws ModelException the file cannot run here
     */
    ModelRunner open(ByteBuffer model, RunOptions options) throws ModelException;
}
