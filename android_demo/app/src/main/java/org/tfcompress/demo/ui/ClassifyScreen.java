package org.tfcompress.demo.ui;

import android.content.Intent;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.ui.input.InputPanel;

/** Gives the model something and shows what it makes of it. */
public final class ClassifyScreen extends Screen {
    private ViewGroup slot;
    private ResultCard result;
    private InputPanel panel;
    private DemoModel model;
    private boolean shown;
    private Runnable late;

    public ClassifyScreen(Host host) {
        super(host);
    }

    @Override
    public View create(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.classify, parent, false);
        slot = view.findViewById(R.id.panel);
        result = new ResultCard(view.findViewById(R.id.result));
        return view;
    }

    @Override
    public void modelChanged() {
        DemoModel now = host.session().model();
        if (now != null && now == model) {
            return;
        }
        if (panel != null && shown) {
            panel.hide();
        }
        model = now;
        panel = null;
        slot.removeAllViews();
        LayoutInflater inflater = host.activity().getLayoutInflater();
        if (now == null) {
            slot.addView(StateCard.of(host, inflater, slot));
            result.hide();
        } else if (now.inputs.size() != 1) {
            String title = text(R.string.several_title, now.title);
            slot.addView(StateCard.problem(
                    host, inflater, slot, title, text(R.string.several_inputs, now.inputs.size())));
            result.hide();
        } else {
            fill(inflater, now);
        }
    }

    private void fill(LayoutInflater inflater, DemoModel now) {
        panel = InputPanel.of(host, this, now);
        ViewGroup view = (ViewGroup) panel.create(inflater, slot);
        slot.addView(view);
        if (now.manifest.guessed && now.manifest.input instanceof ImageInput) {
            Button pixels = (Button) inflater.inflate(R.layout.pixels, view, false);
            pixels.setText(text(R.string.pixels_are, text(PixelsDialog.name(PixelsDialog.of(now)))));
            pixels.setOnClickListener(clicked -> PixelsDialog.show(host, now));
            view.addView(pixels);
        }
        if (host.session().outcome() == null) {
            panel.run();
        }
        outcomeChanged();
        if (shown) {
            panel.show();
        }
        if (late != null) {
            late.run();
            late = null;
        }
    }

    @Override
    public void outcomeChanged() {
        if (panel != null) {
            panel.outcomeChanged();
            result.show(host.session(), panel.hint());
        }
    }

    @Override
    public void show() {
        shown = true;
        if (panel != null) {
            panel.show();
        }
    }

    @Override
    public void hide() {
        shown = false;
        if (panel != null) {
            panel.hide();
        }
    }

    @Override
    public void save(Bundle state) {
        host.session().inputs().save(state);
    }

    @Override
    public void restore(Bundle state) {
        host.session().inputs().restore(state);
    }

    @Override
    public void answer(int code, Intent data) {
        if (panel != null) {
            panel.answer(code, data);
        } else {
            // Android ended the app while the other one was in front; the model is still being opened.
            late = () -> panel.answer(code, data);
        }
    }

    @Override
    public void permission(String name, boolean granted) {
        if (panel != null) {
            panel.permission(name, granted);
        }
    }

    private String text(int id, Object... arguments) {
        return host.activity().getString(id, arguments);
    }
}
