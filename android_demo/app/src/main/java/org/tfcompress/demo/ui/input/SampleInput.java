package org.tfcompress.demo.ui.input;

import java.io.IOException;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.preprocess.Csv;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.preprocess.Wav;
import org.tfcompress.demo.session.Input;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.store.Streams;

/** A sample of a model's folder, read when it is needed. */
public final class SampleInput implements Input {
    private static final int MOST_BYTES = 16 << 20;

    private final ModelFolder folder;
    private final String kind;
    private final String file;

    public SampleInput(DemoModel model, Sample sample) {
        folder = model.folder;
        kind = model.manifest.input.kind();
        file = sample.file;
    }

    @Override
    public float[] values(Preprocessor preprocessor) throws ModelException, IOException {
        Threads.background();
        switch (kind) {
            case "image":
                return preprocessor.picture(Pictures.sample(folder, file));
            case "audio":
                Wav clip = Wav.read(Streams.bytes(folder, file, MOST_BYTES));
                return preprocessor.clip(clip.samples, clip.rate);
            case "text":
                return preprocessor.text(Streams.text(folder, file, MOST_BYTES));
            default:
                return preprocessor.features(Csv.numbers(Streams.text(folder, file, MOST_BYTES)));
        }
    }
}
