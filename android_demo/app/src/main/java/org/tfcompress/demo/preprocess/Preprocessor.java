package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.manifest.AudioInput;
import org.tfcompress.demo.manifest.FeaturesInput;
import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.manifest.InputSpec;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.manifest.TextInput;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** Makes a model's input, in the float model's units, of what the user gives. Knows one kind; others are refused. */
public abstract class Preprocessor {
    private final InputSpec input;

    Preprocessor(InputSpec input) {
        this.input = input;
    }

    /**
     * The preprocessor of a model.
     *
     * @param spec of the model's first input
     * @throws ModelException the manifest does not fit the model
     */
    public static Preprocessor of(Manifest manifest, TensorSpec spec) throws ModelException {
        InputSpec input = manifest.input;
        if (input instanceof ImageInput) {
            return new ImagePreprocessor((ImageInput) input, spec);
        }
        if (input instanceof AudioInput) {
            return new AudioPreprocessor((AudioInput) input, spec);
        }
        if (input instanceof TextInput) {
            return new TextVectorizer((TextInput) input, spec);
        }
        return new FeaturesPreprocessor((FeaturesInput) input, spec);
    }

    /** Of an image of any size. */
    public float[] picture(Picture picture) throws ModelException {
        throw refused("an image");
    }

    /**
     * Of a clip of any length.
     *
     * @param samples from -1 to 1 (16-bit ones divided by 32768)
     * @param rate samples per second
     */
    public float[] clip(float[] samples, int rate) throws ModelException {
        throw refused("a sound");
    }

    public float[] text(String text) throws ModelException {
        throw refused("a text");
    }

    /** Of numbers in the units that the user knows. */
    public float[] features(float[] values) throws ModelException {
        throw refused("a list of numbers");
    }

    private ModelException refused(String what) {
        return new ModelException("The model takes " + (input instanceof ImageInput ? "an image"
                : input instanceof AudioInput ? "a sound"
                : input instanceof TextInput ? "a text" : "a list of numbers") + ", and " + what + " came.");
    }

    /** (value - mean) / std in doubles, as a float. */
    static float scaled(double value, double[] mean, double[] std, int index) {
        return (float) ((value - mean[mean.length == 1 ? 0 : index]) / std[std.length == 1 ? 0 : index]);
    }
}
