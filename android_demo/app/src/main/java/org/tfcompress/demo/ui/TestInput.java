package org.tfcompress.demo.ui;

import java.io.IOException;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.session.Input;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.ui.input.SampleInput;

/** What two models are compared on: the input that was classified last, or else the model's first sample. */
final class TestInput {
    private final Input input;
    private final Sample sample;

    private TestInput(Input input, Sample sample) {
        this.input = input;
        this.sample = sample;
    }

    /** Whether there is any. */
    static boolean isThere(Session session, DemoModel model) {
        return session.given() != null || !model.manifest.samples.isEmpty();
    }

    /** The input; only where {@link #isThere}. */
    static TestInput of(Session session, DemoModel model) {
        if (session.given() != null) {
            return new TestInput(session.given(), null);
        }
        Sample sample = model.manifest.samples.get(0);
        return new TestInput(new SampleInput(model, sample), sample);
    }

    /** The values that a model takes. Off the main thread. */
    float[] values(Preprocessor preprocessor) throws ModelException, IOException {
        return input.values(preprocessor);
    }

    /** Tells it from other inputs. */
    Object key() {
        return sample == null ? input : sample.file;
    }

    /** What to call the sample; null where it is what was classified last. */
    String sample() {
        return sample == null ? null : sample.label == null ? sample.file : sample.label;
    }
}
