package org.tfcompress.demo.session;

import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.runtime.Pipeline;

/** A model that is loaded and ready to run. */
final class Opened {
    final DemoModel model;
    final Preprocessor preprocessor;
    final Pipeline pipeline;

    /** Asked once, here: the pipeline is the worker's. */
    final String runtime;

    Opened(DemoModel model, Preprocessor preprocessor, Pipeline pipeline) {
        this.model = model;
        this.preprocessor = preprocessor;
        this.pipeline = pipeline;
        this.runtime = pipeline.runner().describe();
    }
}
