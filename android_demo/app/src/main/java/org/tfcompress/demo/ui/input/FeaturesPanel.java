package org.tfcompress.demo.ui.input;

import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.FeaturesInput;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.preprocess.Csv;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.store.Streams;
import org.tfcompress.demo.ui.Host;
import org.tfcompress.demo.ui.Screen;

/** Numbers: a field for each, or one for all of them where they are many. */
final class FeaturesPanel extends InputPanel {
    /** More than these are pasted rather than filled in. */
    private static final int MOST_FIELDS = 64;

    /** With more than these, only the first ones are shown until the user asks for all: Run and result stay near. */
    private static final int MOST_AT_ONCE = 8;

    private static final int FIRST = 4;

    private static final int MOST_BYTES = 16 << 20;

    private final FeaturesInput input;
    private final int count;
    private final List<TextView> fields = new ArrayList<>();
    private TextView wrong;
    private ViewGroup rest;
    private TextView more;

    FeaturesPanel(Host host, Screen screen, DemoModel model, FeaturesInput input) {
        super(host, screen, model);
        this.input = input;
        this.count = model.inputs.get(0).elements();
    }

    @Override
    protected View make(LayoutInflater inflater, ViewGroup parent) {
        View view = inflater.inflate(R.layout.panel_features, parent, false);
        ViewGroup rows = view.findViewById(R.id.features);
        rest = view.findViewById(R.id.features_rest);
        more = view.findViewById(R.id.features_more);
        wrong = view.findViewById(R.id.features_wrong);
        if (count > MOST_FIELDS) {
            TextView all = (TextView) inflater.inflate(R.layout.features_many, rows, false);
            all.setHint(text(R.string.features_many, count));
            all.setSaveEnabled(false);
            rows.addView(all);
            fields.add(all);
        } else {
            for (int i = 0; i < count; i++) {
                ViewGroup place = count > MOST_AT_ONCE && i >= FIRST ? rest : rows;
                place.addView(row(inflater, place, i));
            }
        }
        more.setOnClickListener(clicked -> unfold(rest.getVisibility() != View.VISIBLE));
        unfold(false);
        fill(inputs.numbers());
        view.findViewById(R.id.features_run).setOnClickListener(clicked -> {
            mark(null);
            keep();
            unfold(false); // the result is below
            runAll(true);
        });
        return view;
    }

    private void unfold(boolean all) {
        rest.setVisibility(all ? View.VISIBLE : View.GONE);
        more.setVisibility(rest.getChildCount() == 0 ? View.GONE : View.VISIBLE);
        more.setText(all ? text(R.string.features_first, FIRST) : text(R.string.features_all, count));
    }

    private View row(LayoutInflater inflater, ViewGroup rows, int index) {
        View row = inflater.inflate(R.layout.feature, rows, false);
        ((TextView) row.findViewById(R.id.feature_name)).setText(name(index));
        TextView value = row.findViewById(R.id.feature_value);
        value.setId(View.generateViewId());
        value.setSaveEnabled(false); // all have the same id; Inputs keeps what was written
        value.setContentDescription(name(index));
        fields.add(value);
        return row;
    }

    private String name(int index) {
        return index < input.names.size() && !input.names.get(index).isEmpty()
                ? input.names.get(index)
                : text(R.string.feature_name, index + 1);
    }

    private void fill(String[] numbers) {
        if (numbers.length != count) {
            return; // another model's
        }
        if (fields.size() == 1 && count > 1) {
            fields.get(0).setText(String.join(", ", numbers));
            return;
        }
        for (int i = 0; i < count; i++) {
            fields.get(i).setText(numbers[i]);
        }
    }

    private void keep() {
        if (fields.size() == 1 && count > 1) {
            String all = fields.get(0).getText().toString().trim();
            inputs.fill(all.isEmpty() ? new String[0] : all.split("[,;\\s]+"));
            return;
        }
        String[] numbers = new String[count];
        boolean any = false;
        for (int i = 0; i < count; i++) {
            numbers[i] = fields.get(i).getText().toString().trim();
            any |= !numbers[i].isEmpty();
        }
        inputs.fill(any ? numbers : new String[0]);
    }

    @Override
    public void hide() {
        keep();
    }

    @Override
    protected void use(Sample sample) {
        session.work(() -> {
            return Csv.numbers(Streams.text(model.folder, sample.file, MOST_BYTES));
        }, new Worker.Done<float[]>() {
            @Override
            public void done(float[] values) {
                String[] numbers = new String[values.length];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = shortest(values[i]);
                }
                inputs.fill(numbers);
                fill(numbers);
                runAll(true);
            }

            @Override
            public void failed(String sentence) {
                host.say(sentence);
            }
        });
    }

    private static String shortest(float value) {
        String text = Float.toString(value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    @Override
    public void run() {
        runAll(false);
    }

    /** @param tells whether what cannot be read is said: not before the user filled in anything */
    private void runAll(boolean tells) {
        wrong.setVisibility(View.GONE);
        String[] numbers = inputs.numbers();
        if (numbers.length != count && (fields.size() > 1 || count == 1)) {
            if (tells) {
                numbers = new String[count]; // nothing was filled in: all are 0
                Arrays.fill(numbers, "");
            } else {
                return;
            }
        }
        if (numbers.length != count) {
            say(tells && numbers.length > 0, text(R.string.features_count, numbers.length, count));
            return;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            try {
                values[i] = Float.parseFloat(numbers[i].isEmpty() ? "0" : numbers[i].replace(',', '.'));
            } catch (NumberFormatException e) {
                say(tells, text(R.string.features_wrong, name(i), numbers[i]));
                unfold(tells && i >= FIRST && count > MOST_AT_ONCE);
                return;
            }
        }
        session.classify(preprocessor -> preprocessor.features(values));
    }

    private void say(boolean tells, String sentence) {
        if (tells) {
            wrong.setText(sentence);
            wrong.setVisibility(View.VISIBLE);
            session.clearOutcome();
        }
    }

    @Override
    public int hint() {
        return R.string.features_wait;
    }
}
