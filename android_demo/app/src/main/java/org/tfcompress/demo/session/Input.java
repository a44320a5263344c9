package org.tfcompress.demo.session;

import java.io.IOException;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.preprocess.Preprocessor;

/** Something to classify: a picture, a drawing, a clip, a text or numbers. */
public interface Input {
    /** The values that the model takes, in the float model's units. Off the main thread. */
    float[] values(Preprocessor preprocessor) throws ModelException, IOException;
}
