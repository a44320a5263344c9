package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.manifest.FeaturesInput;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** Numbers: (value - mean) / std. */
public final class FeaturesPreprocessor extends Preprocessor {
    private final double[] mean;
    private final double[] std;

    /** How many numbers the model takes. */
    public final int count;

    /** @throws ModelException means, deviations or names for another number of values */
    public FeaturesPreprocessor(FeaturesInput input, TensorSpec spec) throws ModelException {
        super(input);
        mean = input.mean();
        std = input.std();
        count = spec.elements();
        refuse("mean", mean.length, mean.length == 1);
        refuse("std", std.length, std.length == 1);
        refuse("names", input.names.size(), input.names.isEmpty());
    }

    private void refuse(String key, int came, boolean forAll) throws ModelException {
        if (!forAll && came != count) {
            throw new ModelException("model.json has " + came + " values for input." + key + ", but the model takes "
                    + count
                    + " numbers; export the model anew.");
        }
    }

    @Override
    public float[] features(float[] values) throws ModelException {
        if (values.length != count) {
            throw new ModelException(values.length + " numbers came, the model takes " + count + ".");
        }
        float[] made = new float[count];
        for (int i = 0; i < count; i++) {
            made[i] = scaled(values[i], mean, std, i);
        }
        return made;
    }
}
