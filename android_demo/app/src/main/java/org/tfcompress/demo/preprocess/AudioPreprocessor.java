package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.manifest.AudioInput;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** Clips: to the model's rate and length, normalized, made into features, (feature - mean) / std. */
public final class AudioPreprocessor extends Preprocessor {
    private final AudioInput input;
    private final AudioFeatures features;

    /** @throws ModelException the model's input has not as many values as the features of a clip */
    public AudioPreprocessor(AudioInput input, TensorSpec spec) throws ModelException {
        super(input);
        int[] shape = input.featureShape();
        if (shape[0] * shape[1] != spec.elements()) {
            throw new ModelException("model.json tells of " + shape[0] + " x " + shape[1]
                    + " features of a clip, but the model takes " + spec + "; export the model anew.");
        }
        this.input = input;
        this.features = new AudioFeatures(input);
    }

    @Override
    public float[] clip(float[] samples, int rate) {
        float[] here = Resample.to(input.sampleRate, samples, rate, input.samples);
        double[] wave = new double[input.samples];
        double peak = 0;
        for (int i = 0; i < Math.min(wave.length, here.length); i++) {
            wave[i] = here[i];
            peak = Math.max(peak, Math.abs(wave[i]));
        }
        // Silence stays silence.
        if (input.normalize == AudioInput.Normalize.PEAK && peak > 0) {
            for (int i = 0; i < wave.length; i++) {
                wave[i] /= peak;
            }
        }
        double[] made = features.of(wave);
        double[] mean = input.mean();
        double[] std = input.std();
        float[] values = new float[made.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = scaled(made[i], mean, std, 0);
        }
        return values;
    }
}
