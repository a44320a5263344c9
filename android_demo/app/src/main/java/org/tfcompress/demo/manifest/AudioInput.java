package org.tfcompress.demo.manifest;

/** A clip of sound; a value of the model's input is (feature - mean) / std, in row order [frame, feature]. */
public final class AudioInput extends InputSpec {
    /** How samples become numbers from -1 to 1. */
    public enum Normalize {
        /** 16-bit samples are divided by 32768. */
        INT16,
        /** The clip is divided by its largest absolute value. */
        PEAK
    }

    /** What the model is given of the clip. */
    public enum Features {
        WAVEFORM,
        SPECTROGRAM,
        LOG_MEL,
        MFCC
    }

    /** Hz. */
    public final int sampleRate;

    /** Length of the clip. */
    public final int samples;

    public final Normalize normalize;
    public final Features features;

    /** Of the spectrum; null for WAVEFORM. */
    public final Frames frames;

    /** Null but for LOG_MEL and MFCC. */
    public final Mel mel;

    public AudioInput(
            int sampleRate, int samples, Normalize normalize, Features features, Frames frames, Mel mel,
            double mean, double std) {
        super(new double[] {mean}, new double[] {std});
        this.sampleRate = sampleRate;
        this.samples = samples;
        this.normalize = normalize;
        this.features = features;
        this.frames = frames;
        this.mel = mel;
    }

    @Override
    public String kind() {
        return "audio";
    }

    /** Seconds of the clip. */
    public double seconds() {
        return (double) samples / sampleRate;
    }

    /** Values of a frame, and of how many frames; [samples, 1] for a waveform. */
    public int[] featureShape() {
        if (features == Features.WAVEFORM) {
            return new int[] {samples, 1};
        }
        int count = samples < frames.length ? 0 : 1 + (samples - frames.length) / frames.step;
        if (features == Features.SPECTROGRAM) {
            return new int[] {count, frames.fftLength / 2 + 1};
        }
        return new int[] {count, features == Features.MFCC ? mel.coefficients : mel.bins};
    }

    /** How a clip is cut into frames, in samples. */
    public static final class Frames {
        public final int length;
        public final int step;
        public final int fftLength;

        /** 1: magnitudes, 2: their squares. */
        public final int power;

        public Frames(int length, int step, int fftLength, int power) {
            this.length = length;
            this.step = step;
            this.fftLength = fftLength;
            this.power = power;
        }
    }

    /** How a spectrum becomes mel bands: log(mel + logOffset). */
    public static final class Mel {
        public final int bins;

        /** Hz. */
        public final double lowerHz;

        /** Hz. */
        public final double upperHz;

        public final double logOffset;

        /** The first so many of the cosine transform, for MFCC; else 0. */
        public final int coefficients;

        public Mel(int bins, double lowerHz, double upperHz, double logOffset, int coefficients) {
            this.bins = bins;
            this.lowerHz = lowerHz;
            this.upperHz = upperHz;
            this.logOffset = logOffset;
            this.coefficients = coefficients;
        }
    }
}
