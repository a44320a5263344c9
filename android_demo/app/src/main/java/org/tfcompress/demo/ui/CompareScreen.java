package org.tfcompress.demo.ui;

import android.app.Activity;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.AdapterView;
import android.widget.ArrayAdapter;
import android.widget.Spinner;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.session.ComparisonRun;

/** Two models on the same input: the one that is shown, and its compare.tflite or another of the library. */
public final class CompareScreen extends Screen implements AdapterView.OnItemSelectedListener {
    private static final String CHOSEN = "other";
    private static final String CHOSEN_FOR = "model";

    private final List<Opponent> opponents = new ArrayList<>();
    private ComparisonRun run;
    private ComparisonView result;
    private final Runnable refresh = this::refresh;
    private View view;
    private Spinner spinner;
    private ArrayAdapter<Opponent> adapter;
    private String chosen;

    /** The model that {@link #chosen} was chosen for; the next one begins with its own compare.tflite again. */
    private String chosenFor;
    private boolean inFront;

    public CompareScreen(Host host) {
        super(host);
    }

    @Override
    public View create(LayoutInflater inflater, ViewGroup parent) {
        view = inflater.inflate(R.layout.screen_compare, parent, false);
        run = host.session().findings().comparison();
        result = new ComparisonView(view, inflater);
        spinner = view.findViewById(R.id.other);
        adapter = new ArrayAdapter<>(host.activity(), android.R.layout.simple_spinner_item, opponents);
        adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item);
        spinner.setAdapter(adapter);
        spinner.setOnItemSelectedListener(this);
        view.findViewById(R.id.again).setOnClickListener(clicked -> compare(true));
        WhileAttached.to(view, this::attached, () -> run.forget(refresh));
        list();
        return view;
    }

    @Override
    public void show() {
        inFront = true;
        compare(false);
    }

    @Override
    public void hide() {
        inFront = false;
    }

    @Override
    public void modelChanged() {
        list();
        if (inFront) {
            compare(false);
        }
    }

    @Override
    public void save(Bundle state) {
        state.putString(CHOSEN, chosen);
        state.putString(CHOSEN_FOR, chosenFor);
    }

    @Override
    public void restore(Bundle state) {
        chosen = state.getString(CHOSEN);
        chosenFor = state.getString(CHOSEN_FOR);
        list();
    }

    @Override
    public void onItemSelected(AdapterView<?> parent, View row, int position, long id) {
        chosen = opponents.get(position).key();
        if (inFront) {
            compare(false);
        }
    }

    @Override
    public void onNothingSelected(AdapterView<?> parent) {}

    /** Lists what the model can be compared with, and selects what was chosen for it or else the first that fits. */
    private void list() {
        Activity activity = host.activity();
        DemoModel model = host.session().model();
        List<Opponent> now = model == null
                ? new ArrayList<>()
                : Opponent.all(model, host.session(), activity.getString(R.string.compare_came_with),
                        activity.getString(R.string.compare_choose));
        if (!now.equals(opponents)) {
            opponents.clear();
            opponents.addAll(now);
            adapter.notifyDataSetChanged();
        }
        if (model != null && !host.session().chosen().key.equals(chosenFor)) {
            chosenFor = host.session().chosen().key;
            chosen = null;
        }
        if (!opponents.isEmpty()) {
            spinner.setSelection(position());
        }
        refresh();
    }

    private int position() {
        for (int i = 0; i < opponents.size(); i++) {
            if (opponents.get(i).key().equals(chosen)) {
                return i;
            }
        }
        for (int i = 0; i < opponents.size(); i++) {
            if (opponents.get(i).fits) {
                return i;
            }
        }
        return 0;
    }

    /** Null where there is none, or none is chosen. */
    private Opponent opponent() {
        int position = spinner.getSelectedItemPosition();
        boolean any = position >= 0 && position < opponents.size() && !opponents.get(position).isNobody();
        return any ? opponents.get(position) : null;
    }

    /** @param again also if the same was compared before */
    private void compare(boolean again) {
        DemoModel model = host.session().model();
        Opponent opponent = opponent();
        if (model == null || opponent == null || !TestInput.isThere(host.session(), model)) {
            run.clear();
            refresh();
            return;
        }
        TestInput input = TestInput.of(host.session(), model);
        Object what = Arrays.asList(model.sha256, model.folder.name(), opponent.key(), input.key());
        if (again || !what.equals(run.of())) {
            String ownFile = host.activity().getString(R.string.compare_file);
            run.start(what, stop -> opponent.compare(model, input, ownFile, stop::get));
        }
        refresh();
    }

    private void attached() {
        run.listen(refresh);
        refresh();
    }

    private void refresh() {
        boolean shown = run.comparison() != null && host.session().model() != null;
        view.findViewById(R.id.result).setVisibility(shown ? View.VISIBLE : View.GONE);
        view.findViewById(R.id.again).setEnabled(opponent() != null && !run.isRunning());
        spinner.setVisibility(opponents.isEmpty() ? View.INVISIBLE : View.VISIBLE);
        TextView state = view.findViewById(R.id.compare_state);
        state.setText(words());
        int colour = run.problem() == null ? R.color.on_surface_variant : R.color.error;
        state.setTextColor(host.activity().getColor(colour));
        if (shown) {
            result.show(run.comparison());
        }
    }

    private String words() {
        Activity activity = host.activity();
        DemoModel model = host.session().model();
        if (model == null) {
            return activity.getString(R.string.compare_no_model);
        }
        if (opponents.isEmpty()) {
            return activity.getString(R.string.compare_nothing);
        }
        if (opponent() == null) {
            return activity.getString(R.string.compare_none_fits);
        }
        if (run.problem() != null) {
            return run.problem();
        }
        if (run.isRunning()) {
            return activity.getString(R.string.compare_running);
        }
        if (!TestInput.isThere(host.session(), model)) {
            return activity.getString(R.string.compare_no_input);
        }
        String sample = TestInput.of(host.session(), model).sample();
        return sample == null
                ? activity.getString(R.string.compare_input_last)
                : activity.getString(R.string.compare_input_sample, sample);
    }
}
