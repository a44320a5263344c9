package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Numbers; a value of the model's input is (value - mean) / std. */
public final class FeaturesInput extends InputSpec {
    /** One per value; may be empty. */
    public final List<String> names;

    public FeaturesInput(List<String> names, double[] mean, double[] std) {
        super(mean, std);
        this.names = Collections.unmodifiableList(new ArrayList<>(names));
    }

    @Override
    public String kind() {
        return "features";
    }
}
