package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.manifest.AudioInput;

/**
 * Features of a clip as `tf.signal` makes them (stft, linear_to_mel_weight_matrix, mfccs_from_log_mel_spectrograms),
 * computed in doubles. Tables are made once.
 */
public final class AudioFeatures {
    private static final double MEL_BREAK_HZ = 700;
    private static final double MEL_FACTOR = 1127;

    private final AudioInput input;
    private final Fourier fourier;
    private final double[] window;

    /** [frequency][band]; null where no bands are asked for. */
    private final double[][] bands;

    /** [coefficient][band]; null but for MFCC. */
    private final double[][] cosines;

    public AudioFeatures(AudioInput input) {
        this.input = input;
        boolean waveform = input.features == AudioInput.Features.WAVEFORM;
        fourier = waveform ? null : new Fourier(input.frames.fftLength);
        window = waveform ? null : hann(input.frames.length);
        bands = input.mel == null ? null : bands();
        cosines = input.features == AudioInput.Features.MFCC ? cosines(input.mel.bins, input.mel.coefficients) : null;
    }

    /**
     * The features of a clip.
     *
     * @param wave of the model's length and rate, from -1 to 1
     * @return in row order [frame, feature]
     */
    public double[] of(double[] wave) {
        if (fourier == null) {
            return wave;
        }
        int[] shape = input.featureShape();
        double[] made = new double[shape[0] * shape[1]];
        double[] frame = new double[window.length];
        for (int row = 0; row < shape[0]; row++) {
            for (int i = 0; i < frame.length; i++) {
                frame[i] = wave[row * input.frames.step + i] * window[i];
            }
            System.arraycopy(features(frame), 0, made, row * shape[1], shape[1]);
        }
        return made;
    }

    private double[] features(double[] frame) {
        double[] spectrum = fourier.magnitudes(frame);
        for (int i = 0; input.frames.power == 2 && i < spectrum.length; i++) {
            spectrum[i] *= spectrum[i];
        }
        if (bands == null) {
            return spectrum;
        }
        double[] logs = new double[input.mel.bins];
        for (int band = 0; band < logs.length; band++) {
            double sum = 0;
            for (int i = 0; i < spectrum.length; i++) {
                sum += spectrum[i] * bands[i][band];
            }
            logs[band] = Math.log(sum + input.mel.logOffset);
        }
        if (cosines == null) {
            return logs;
        }
        double[] cepstrum = new double[cosines.length];
        for (int k = 0; k < cepstrum.length; k++) {
            for (int band = 0; band < logs.length; band++) {
                cepstrum[k] += logs[band] * cosines[k][band];
            }
        }
        return cepstrum;
    }

    /** Periodic for even lengths, symmetric for odd ones, as `tf.signal.hann_window` is; 1 for a length of 1. */
    static double[] hann(int length) {
        double[] window = new double[length];
        int period = length - length % 2;
        for (int i = 0; i < length; i++) {
            window[i] = period == 0 ? 1 : 0.5 - 0.5 * Math.cos(2 * Math.PI * i / period);
        }
        return window;
    }

    private double[][] bands() {
        int frequencies = input.frames.fftLength / 2 + 1;
        double[][] weights = new double[frequencies][input.mel.bins];
        double low = mel(input.mel.lowerHz);
        double step = (mel(input.mel.upperHz) - low) / (input.mel.bins + 1);
        // The constant part of the signal adds nothing.
        for (int i = 1; i < frequencies; i++) {
            double mel = mel(input.sampleRate / 2.0 * i / (frequencies - 1));
            for (int band = 0; band < input.mel.bins; band++) {
                double rising = (mel - (low + band * step)) / step;
                double falling = (low + (band + 2) * step - mel) / step;
                weights[i][band] = Math.max(0, Math.min(rising, falling));
            }
        }
        return weights;
    }

    /** Mel scale of HTK. */
    private static double mel(double hertz) {
        return MEL_FACTOR * Math.log1p(hertz / MEL_BREAK_HZ);
    }

    /** Scaled DCT-II. */
    private static double[][] cosines(int bands, int coefficients) {
        double[][] made = new double[coefficients][bands];
        for (int k = 0; k < coefficients; k++) {
            for (int band = 0; band < bands; band++) {
                made[k][band] = Math.sqrt(2.0 / bands) * Math.cos(Math.PI * k * (band + 0.5) / bands);
            }
        }
        return made;
    }
}
