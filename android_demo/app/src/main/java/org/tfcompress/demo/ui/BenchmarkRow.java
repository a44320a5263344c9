package org.tfcompress.demo.ui;

import android.content.res.Resources;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.measure.Measured;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.text.Figures;

/** One way to run the model in the table of results. */
final class BenchmarkRow {
    private final View view;
    private final TextView state;
    private final Figures figures;
    private final Resources resources;
    private final Suite.Entry entry;

    BenchmarkRow(LayoutInflater inflater, ViewGroup parent, Suite.Entry entry) {
        this.entry = entry;
        view = inflater.inflate(R.layout.benchmark_row, parent, false);
        resources = view.getResources();
        figures = new Figures(view.getContext());
        state = view.findViewById(R.id.row_state);
        ((TextView) view.findViewById(R.id.row_name)).setText(entry.options.toString());
        parent.addView(view);
    }

    /** Shows how it stands now; bars are as long as the time is of the slowest. */
    void show(Suite suite) {
        Measured measured = entry.measured();
        int numbers = measured == null ? View.GONE : View.VISIBLE;
        view.findViewById(R.id.row_bar).setVisibility(numbers);
        view.findViewById(R.id.row_figures).setVisibility(numbers);
        state.setVisibility(measured == null ? View.VISIBLE : View.GONE);
        if (measured != null) {
            showFigures(measured, suite.slowest());
            return;
        }
        boolean failed = entry.state() == Suite.State.FAILED;
        String words = failed ? entry.problem() : resources.getString(words(entry.state()));
        state.setText(words);
        state.setTextColor(view.getContext().getColor(failed ? R.color.error : R.color.on_surface_variant));
        view.setContentDescription(resources.getString(R.string.benchmark_row_problem, entry.options, words));
    }

    private void showFigures(Measured measured, double slowest) {
        ((BarView) view.findViewById(R.id.row_bar)).setPart((float) (measured.timing.p50() / slowest));
        String p50 = figures.ms(measured.timing.p50());
        String p90 = figures.ms(measured.timing.p90());
        String p99 = figures.ms(measured.timing.p99());
        String memory = measured.peakBytes.isPresent()
                ? figures.bytes(measured.peakBytes.getAsLong())
                : resources.getString(R.string.benchmark_no_memory);
        figure(R.id.p50, p50, R.string.benchmark_p50);
        figure(R.id.p90, p90, R.string.benchmark_p90);
        figure(R.id.p99, p99, R.string.benchmark_p99);
        figure(R.id.memory, memory, R.string.benchmark_memory);
        view.setContentDescription(
                resources.getString(R.string.benchmark_row_spoken, entry.options, p50, p90, p99, memory));
    }

    private void figure(int id, String value, int caption) {
        View cell = view.findViewById(id);
        ((TextView) cell.findViewById(R.id.figure)).setText(value);
        ((TextView) cell.findViewById(R.id.caption)).setText(caption);
    }

    private static int words(Suite.State state) {
        switch (state) {
            case RUNNING:
                return R.string.benchmark_running;
            case STOPPED:
                return R.string.benchmark_stopped;
            default:
                return R.string.benchmark_waiting;
        }
    }
}
