package org.tfcompress.demo.ui;

import android.os.Build;
import android.os.Bundle;
import android.view.View;
import android.view.ViewGroup;
import android.widget.CheckBox;
import android.widget.LinearLayout;
import android.widget.RadioButton;
import android.widget.RadioGroup;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tfcompress.demo.R;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.RunOptions;

/** What the user chooses to measure. */
final class BenchmarkChoices {
    private static final int[] THREADS = {1, 2, 4};
    private static final int[] RUNS = {10, 50, 200, 1000};
    private static final int USUAL_RUNS = 50;
    private static final String DELEGATES = "delegates";
    private static final String THREADS_KEY = "threads";
    private static final String RUNS_KEY = "runs";

    private final Map<Delegate, CheckBox> delegates = new LinkedHashMap<>();
    private final Map<Integer, CheckBox> threads = new LinkedHashMap<>();
    private final RadioGroup runs;

    BenchmarkChoices(View view) {
        delegates.put(Delegate.XNNPACK, view.findViewById(R.id.xnnpack));
        delegates.put(Delegate.CPU, view.findViewById(R.id.builtin));
        delegates.put(Delegate.NNAPI, view.findViewById(R.id.nnapi));
        delegates.get(Delegate.XNNPACK).setChecked(true);
        delegates.get(Delegate.CPU).setChecked(true);
        tellOfNnapi(view.findViewById(R.id.nnapi_note));
        runs = view.findViewById(R.id.runs);
        addThreads(view.findViewById(R.id.threads));
        addRuns();
    }

    /** Every way that is chosen; empty if a kind of choice was left open. */
    List<RunOptions> ways() {
        return Suite.ways(checked(delegates), checked(threads));
    }

    /** Timed runs of each. */
    int runs() {
        return runs.getCheckedRadioButtonId();
    }

    /** While something is measured nothing is chosen. */
    void setEnabled(boolean enabled) {
        for (CheckBox box : delegates.values()) {
            box.setEnabled(enabled);
        }
        delegates.get(Delegate.NNAPI).setEnabled(enabled && hasNnapi());
        for (CheckBox box : threads.values()) {
            box.setEnabled(enabled);
        }
        for (int i = 0; i < runs.getChildCount(); i++) {
            runs.getChildAt(i).setEnabled(enabled);
        }
    }

    void save(Bundle state) {
        ArrayList<String> words = new ArrayList<>();
        for (Delegate delegate : checked(delegates)) {
            words.add(delegate.word);
        }
        state.putStringArrayList(DELEGATES, words);
        state.putIntegerArrayList(THREADS_KEY, new ArrayList<>(checked(threads)));
        state.putInt(RUNS_KEY, runs());
    }

    void restore(Bundle state) {
        List<String> words = state.getStringArrayList(DELEGATES);
        List<Integer> counts = state.getIntegerArrayList(THREADS_KEY);
        if (words == null || counts == null) {
            return;
        }
        delegates.forEach((delegate, box) -> box.setChecked(words.contains(delegate.word)));
        threads.forEach((count, box) -> box.setChecked(counts.contains(count)));
        runs.check(state.getInt(RUNS_KEY, USUAL_RUNS));
    }

    private void tellOfNnapi(TextView note) {
        delegates.get(Delegate.NNAPI).setEnabled(hasNnapi());
        if (!hasNnapi()) {
            note.setText(note.getResources().getString(R.string.nnapi_missing, Build.VERSION.RELEASE));
        } else {
            boolean advisedAgainst = Build.VERSION.SDK_INT >= 35;
            note.setText(advisedAgainst ? R.string.nnapi_old : R.string.nnapi_there);
        }
    }

    private static boolean hasNnapi() {
        return Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1;
    }

    private void addThreads(ViewGroup into) {
        for (int count : THREADS) {
            CheckBox box = new CheckBox(into.getContext());
            style(box, String.valueOf(count), R.plurals.benchmark_threads_spoken, count);
            box.setChecked(count == 1);
            threads.put(count, box);
            into.addView(box, new LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, 1));
        }
    }

    private void addRuns() {
        for (int count : RUNS) {
            RadioButton button = new RadioButton(runs.getContext());
            button.setId(count); // in a group of its own, which finds its buttons by it
            style(button, String.valueOf(count), R.plurals.benchmark_runs_spoken, count);
            runs.addView(button, new RadioGroup.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, 1));
        }
        runs.check(USUAL_RUNS);
    }

    private static void style(TextView choice, String text, int spoken, int count) {
        choice.setText(text);
        choice.setMinHeight(choice.getResources().getDimensionPixelSize(R.dimen.touch));
        choice.setTextColor(choice.getContext().getColor(R.color.on_surface));
        choice.setContentDescription(choice.getResources().getQuantityString(spoken, count, count));
    }

    private static <T> List<T> checked(Map<T, CheckBox> boxes) {
        List<T> checked = new ArrayList<>();
        boxes.forEach((value, box) -> {
            if (box.isChecked()) {
                checked.add(value);
            }
        });
        return checked;
    }
}
