package org.tfcompress.demo.ui.input;

import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.preprocess.Drawing;
import org.tfcompress.demo.preprocess.ImagePreprocessor;
import org.tfcompress.demo.preprocess.Picture;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** A pad to draw on; the model runs after each stroke. */
final class DrawPanel extends InputPanel {
    private final ImageInput input;
    private DrawView pad;
    private View undo;
    private View clear;

    DrawPanel(Host host, Screen screen, DemoModel model) {
        super(host, screen, model);
        input = (ImageInput) model.manifest.input;
    }

    @Override
    protected View make(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.panel_draw, parent, false);
        pad = view.findViewById(R.id.draw);
        pad.setDark(input.drawing == ImageInput.Ink.WHITE_ON_BLACK);
        pad.setListener(this::drawn);
        undo = view.findViewById(R.id.draw_undo);
        clear = view.findViewById(R.id.draw_clear);
        undo.setOnClickListener(clicked -> {
            inputs.undo();
            redraw();
        });
        clear.setOnClickListener(clicked -> {
            inputs.wipe();
            redraw();
        });
        display();
        return view;
    }

    private void drawn(float[] stroke) {
        inputs.draw(stroke);
        mark(null);
        enable();
        run();
    }

    private void redraw() {
        mark(null);
        display();
        if (inputs.strokes().isEmpty()) {
            session.clearOutcome();
        } else {
            run();
        }
    }

    private void display() {
        if (inputs.picture() != null) {
            pad.show(Pictures.bitmap(inputs.picture()));
        } else {
            pad.show(inputs.strokes());
        }
        enable();
    }

    private void enable() {
        undo.setEnabled(!inputs.strokes().isEmpty());
        clear.setEnabled(!inputs.strokes().isEmpty() || inputs.picture() != null);
    }

    @Override
    public void run() {
        Picture picture = inputs.picture();
        List<float[]> strokes = new ArrayList<>(inputs.strokes());
        ImageInput.Ink ink = input.drawing;
        if (picture != null) {
            session.classify(preprocessor -> preprocessor.picture(picture));
        } else if (!strokes.isEmpty()) {
            session.classify(preprocessor ->
                    preprocessor.picture(picture(strokes, (ImagePreprocessor) preprocessor, ink)));
        }
    }

    /** Not of this panel, which the session would hold with its activity: it keeps what is given. */
    private static Picture picture(List<float[]> strokes, ImagePreprocessor size, ImageInput.Ink ink) {
        Drawing drawing = new Drawing();
        for (float[] stroke : strokes) {
            drawing.add(stroke);
        }
        return drawing.picture(size.width, size.height, ink);
    }

    @Override
    protected void use(Sample sample) {
        session.work(() -> Pictures.sample(model.folder, sample.file), new Worker.Done<Picture>() {
            @Override
            public void done(Picture picture) {
                inputs.choose(picture);
                display();
                run();
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    @Override
    public int hint() {
        return R.string.draw_hint;
    }
}
