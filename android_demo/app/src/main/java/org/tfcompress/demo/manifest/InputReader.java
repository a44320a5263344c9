package org.tfcompress.demo.manifest;

import java.util.List;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/** Reads the `input` of model.json. */
final class InputReader {
    private static final int MOST_VALUES = 1_000_000;

    /** Half a minute at 192 kHz. */
    private static final int MOST_SAMPLES = 192_000 * 30;

    private static final int MOST_FFT = 1 << 18;
    private static final int MOST_MEL_BINS = 1024;

    /** Values of all frames of a clip, and weights of the mel bands; more is a phone's memory. */
    private static final long MOST_VALUES_MADE = 4_000_000;

    /** Samples of all frames; ten seconds of 1024 every 160 at 16 kHz are a million. */
    private static final long MOST_TRANSFORMED = 100_000_000;

    private InputReader() {}

    static InputSpec read(Fields input, List<String> vocabulary) throws ModelException {
        String kind = input.text("kind");
        switch (kind == null ? "" : kind) {
            case "image":
                return image(input);
            case "audio":
                return audio(input);
            case "text":
                return text(input, vocabulary);
            case "features":
                return features(input);
            default:
                throw new ModelException(input.place() + "kind is " + Printable.of(kind, 40)
                        + ", expected image, audio, text or features; export the model anew.");
        }
    }

    private static ImageInput image(Fields input) throws ModelException {
        ImageInput.Channels channels = input.choice("channels", ImageInput.Channels.class);
        input.need("mean");
        input.need("std");
        double[] mean = input.numbers("mean", 0, MOST_VALUES);
        double[] std = input.divisors("std", MOST_VALUES);
        input.sameLength("mean", mean, channels.count);
        input.sameLength("std", std, channels.count);
        return new ImageInput(
                channels,
                input.choice("layout", ImageInput.Layout.class, ImageInput.Layout.NHWC),
                mean,
                std,
                input.choice("drawing", ImageInput.Ink.class, null));
    }

    private static AudioInput audio(Fields input) throws ModelException {
        AudioInput.Features features = input.choice("features", AudioInput.Features.class);
        boolean spectral = features != AudioInput.Features.WAVEFORM;
        boolean mel = features == AudioInput.Features.LOG_MEL || features == AudioInput.Features.MFCC;
        double[] mean = input.numbers("mean", 0, 1);
        double[] std = input.divisors("std", 1);
        int rate = input.whole("sample_rate", 1000, 192_000);
        int samples = input.whole("samples", 1, MOST_SAMPLES);
        AudioInput audio = new AudioInput(
                rate,
                samples,
                input.choice("normalize", AudioInput.Normalize.class, AudioInput.Normalize.INT16),
                features,
                spectral ? frames(input, samples) : null,
                mel ? mel(input, rate, features) : null,
                mean[0],
                std[0]);
        refuseTooMuch(input, audio);
        return audio;
    }

    private static void refuseTooMuch(Fields input, AudioInput audio) throws ModelException {
        int[] shape = audio.featureShape();
        long made = (long) shape[0] * shape[1];
        long transformed = audio.frames == null ? 0 : (long) shape[0] * audio.frames.fftLength;
        long weights = audio.mel == null ? 0 : (audio.frames.fftLength / 2 + 1L) * audio.mel.bins;
        if (Math.max(made, weights) > MOST_VALUES_MADE && audio.frames != null || transformed > MOST_TRANSFORMED) {
            throw new ModelException(input.place() + "features come to " + shape[0] + " frames of " + shape[1]
                    + " values, which is more than a phone can compute; use a larger frame_step or a smaller "
                    + "fft_length.");
        }
    }

    private static AudioInput.Frames frames(Fields input, int samples) throws ModelException {
        int length = input.whole("frame_length", 1, Math.min(samples, MOST_FFT));
        return new AudioInput.Frames(
                length,
                input.whole("frame_step", 1, MOST_SAMPLES),
                input.whole("fft_length", length, MOST_FFT),
                input.has("power") ? input.whole("power", 1, 2) : 1);
    }

    private static AudioInput.Mel mel(Fields input, int rate, AudioInput.Features features) throws ModelException {
        int bins = input.whole("mel_bins", 1, MOST_MEL_BINS);
        double lower = input.number("lower_hz", 0, rate / 2.0 - 1);
        return new AudioInput.Mel(
                bins,
                lower,
                input.number("upper_hz", lower + 1e-3, rate / 2.0),
                input.number("log_offset", Double.MIN_VALUE, 1e6),
                features == AudioInput.Features.MFCC ? input.whole("coefficients", 1, bins) : 0);
    }

    private static TextInput text(Fields input, List<String> vocabulary) throws ModelException {
        if (vocabulary == null || vocabulary.size() < 2) {
            throw new ModelException("The model takes text, but its folder has no vocabulary.txt of at least two lines "
                    + "(padding, unknown words); export it with its vocabulary.");
        }
        TextInput.Mode mode = input.choice("mode", TextInput.Mode.class, TextInput.Mode.INT);
        return new TextInput(
                mode == TextInput.Mode.INT || input.has("length") ? input.whole("length", 1, MOST_VALUES) : 1,
                mode,
                input.choice(
                        "standardize",
                        TextInput.Standardize.class,
                        TextInput.Standardize.LOWER_AND_STRIP_PUNCTUATION),
                vocabulary);
    }

    private static FeaturesInput features(Fields input) throws ModelException {
        return new FeaturesInput(
                input.texts("names", MOST_VALUES),
                input.numbers("mean", 0, MOST_VALUES),
                input.divisors("std", MOST_VALUES));
    }
}
