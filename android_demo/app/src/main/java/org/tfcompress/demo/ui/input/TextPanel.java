package org.tfcompress.demo.ui.input;

import android.text.Editable;
import android.text.TextWatcher;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.EditText;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.store.Streams;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** A text; the model runs while it is written. */
final class TextPanel extends InputPanel {
    private static final int MOST_BYTES = 1 << 20;
    private static final int PAUSE_MS = 250;

    private final Runnable later = this::run;
    private EditText field;

    TextPanel(Host host, Screen screen, DemoModel model) {
        super(host, screen, model);
    }

    @Override
    protected View make(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.panel_text, parent, false);
        field = view.findViewById(R.id.text);
        field.setSaveEnabled(false); // what was written is kept by Inputs, for all models
        field.setText(inputs.text());
        field.addTextChangedListener(new Written());
        view.findViewById(R.id.text_clear).setOnClickListener(clicked -> field.setText(""));
        return view;
    }

    /** Runs when the user pauses. */
    private final class Written implements TextWatcher {
        @Override
        public void beforeTextChanged(CharSequence text, int start, int count, int after) {}

        @Override
        public void onTextChanged(CharSequence text, int start, int before, int count) {}

        @Override
        public void afterTextChanged(Editable text) {
            if (text.toString().equals(inputs.text())) {
                return;
            }
            inputs.write(text.toString());
            mark(null);
            field.removeCallbacks(later);
            field.postDelayed(later, PAUSE_MS);
        }
    }

    @Override
    public void hide() {
        field.removeCallbacks(later);
    }

    @Override
    protected void use(Sample sample) {
        session.work(() -> Streams.text(model.folder, sample.file, MOST_BYTES), new Worker.Done<String>() {
            @Override
            public void done(String text) {
                inputs.write(text.trim());
                field.setText(text.trim());
                field.setSelection(field.length());
                run();
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    @Override
    public void run() {
        String text = inputs.text();
        if (text.trim().isEmpty()) {
            session.clearOutcome();
        } else {
            session.classify(preprocessor -> preprocessor.text(text));
        }
    }

    @Override
    public int hint() {
        return R.string.text_wait;
    }
}
