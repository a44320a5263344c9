package org.tfcompress.demo.ui.input;

import android.content.Intent;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.AudioInput;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.FeaturesInput;
import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.manifest.TextInput;
import org.tfcompress.demo.session.Inputs;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** Where the user gives a model its input. Made for one model; what was given is kept in {@link Inputs}. */
public abstract class InputPanel {
    protected final Host host;
    protected final Session session;
    protected final Inputs inputs;
    protected final DemoModel model;
    private final Screen screen;
    private SampleStrip samples;

    protected InputPanel(Host host, Screen screen, DemoModel model) {
        this.host = host;
        this.session = host.session();
        this.inputs = session.inputs();
        this.screen = screen;
        this.model = model;
    }

    /** The panel for what the model takes. */
    public static InputPanel of(Host host, Screen screen, DemoModel model) {
        if (model.manifest.input instanceof ImageInput) {
            return ((ImageInput) model.manifest.input).drawing == null
                    ? new ImagePanel(host, screen, model)
                    : new DrawPanel(host, screen, model);
        }
        if (model.manifest.input instanceof AudioInput) {
            return new AudioPanel(host, screen, model);
        }
        if (model.manifest.input instanceof TextInput) {
            return new TextPanel(host, screen, model);
        }
        return new FeaturesPanel(host, screen, model, (FeaturesInput) model.manifest.input);
    }

    /** Makes the view, with what was given before in it. */
    public final View create(LayoutInflater inflater, ViewGroup parent) {
        View view = make(inflater, parent);
        samples = new SampleStrip(host, model, view.findViewById(R.id.samples), this::chosen, this::heard);
        samples.select(inputs.sample());
        return view;
    }

    protected abstract View make(LayoutInflater inflater, ViewGroup parent);

    /** Runs the model on what was given before, if there is anything. */
    public abstract void run();

    /** What to do first, as a text; 0 where the panel itself says it. */
    public abstract int hint();

    /** A sample was touched. */
    protected abstract void use(Sample sample);

    /** A sample is to be heard; only sounds can be. */
    protected void heard(Sample sample) {}

    private void chosen(Sample sample) {
        mark(sample.file);
        use(sample);
    }

    /** Marks a sample as what is given; null for none. */
    protected void mark(String file) {
        inputs.setSample(file);
        samples.select(file);
    }

    /** There is a new outcome, or what was put in could not be run. */
    public void outcomeChanged() {}

    public void show() {}

    public void hide() {}

    public void answer(int code, Intent data) {}

    public void permission(String name, boolean granted) {}

    protected Screen screen() {
        return screen;
    }

    protected String text(int id, Object... arguments) {
        return host.activity().getString(id, arguments);
    }
}
