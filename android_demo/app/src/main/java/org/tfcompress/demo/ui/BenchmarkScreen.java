package org.tfcompress.demo.ui;

import android.content.Intent;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.session.BenchmarkRun;

/** Times the model in every way that the user chooses, and hands the report on. */
public final class BenchmarkScreen extends Screen {
    private static final int SAVE = 1;

    private final List<BenchmarkRow> rows = new ArrayList<>();
    private final ReportHandOn handOn;
    private BenchmarkRun run;
    private BenchmarkChoices choices;
    private final Runnable refresh = this::refresh;
    private View view;
    private Suite shown;

    public BenchmarkScreen(Host host) {
        super(host);
        handOn = new ReportHandOn(host, this, SAVE);
    }

    @Override
    public View create(LayoutInflater inflater, ViewGroup parent) {
        view = inflater.inflate(R.layout.screen_benchmark, parent, false);
        run = host.session().findings().benchmark();
        choices = new BenchmarkChoices(view);
        view.findViewById(R.id.start).setOnClickListener(clicked -> startOrStop());
        view.findViewById(R.id.share).setOnClickListener(clicked -> handOn.share(suite()));
        view.findViewById(R.id.save).setOnClickListener(clicked -> handOn.chooseWhere(suite()));
        WhileAttached.to(view, this::attached, () -> run.forget(refresh));
        refresh();
        return view;
    }

    @Override
    public void hide() {
        if (run.isRunning() && !host.activity().isChangingConfigurations()) {
            run.stop();
            host.say(host.activity().getString(R.string.benchmark_left));
        }
    }

    @Override
    public void modelChanged() {
        if (run.isRunning() && suite() == null) {
            run.stop(); // it is about a model that is not shown any more
        }
        refresh();
    }

    @Override
    public void save(Bundle state) {
        choices.save(state);
    }

    @Override
    public void restore(Bundle state) {
        choices.restore(state);
    }

    @Override
    public void answer(int code, Intent data) {
        if (code == SAVE && data != null && data.getData() != null) {
            handOn.save(suite(), data.getData());
        }
    }

    private void startOrStop() {
        if (run.isRunning()) {
            run.stop();
            return;
        }
        DemoModel model = host.session().model();
        if (model == null) {
            host.say(host.activity().getString(R.string.no_model_to_measure));
        } else if (choices.ways().isEmpty()) {
            host.say(host.activity().getString(R.string.benchmark_choose));
        } else {
            Suite planned =
                    new Suite(model.title, model.bytes.capacity(), model.sha256, choices.ways(), choices.runs());
            run.start(planned, model.bytes);
        }
    }

    /** The results for the model that is shown; null if there are none. */
    private Suite suite() {
        DemoModel model = host.session().model();
        return model == null ? null : run.suiteOf(model.sha256);
    }

    private void attached() {
        run.listen(refresh);
        refresh();
    }

    private void refresh() {
        Suite suite = suite();
        boolean running = suite != null && suite.isRunning();
        ((Button) view.findViewById(R.id.start)).setText(running ? R.string.benchmark_stop : R.string.benchmark_start);
        choices.setEnabled(!running);
        view.setKeepScreenOn(running);
        showProgress(running ? suite : null);
        showRows(suite);
        boolean something = suite != null && !running && suite.fastest() != null;
        view.findViewById(R.id.hand_on).setVisibility(something ? View.VISIBLE : View.GONE);
    }

    private void showRows(Suite suite) {
        ViewGroup into = view.findViewById(R.id.rows);
        if (suite != shown) {
            shown = suite;
            into.removeAllViews();
            rows.clear();
            for (int i = 0; suite != null && i < suite.entries().size(); i++) {
                rows.add(new BenchmarkRow(host.activity().getLayoutInflater(), into, suite.entries().get(i)));
            }
        }
        for (BenchmarkRow row : rows) {
            row.show(suite);
        }
        view.findViewById(R.id.no_results).setVisibility(suite == null ? View.VISIBLE : View.GONE);
        TextView phone = view.findViewById(R.id.phone);
        phone.setVisibility(suite == null ? View.GONE : View.VISIBLE);
        if (suite != null) {
            phone.setText(handOn.about(suite));
        }
    }

    private void showProgress(Suite running) {
        view.findViewById(R.id.progress).setVisibility(running == null ? View.GONE : View.VISIBLE);
        if (running == null) {
            return;
        }
        int number = 0;
        for (Suite.Entry entry : running.entries()) {
            number++;
            if (entry.state() == Suite.State.RUNNING) {
                showProgress(running, entry, number);
            }
        }
    }

    private void showProgress(Suite suite, Suite.Entry entry, int number) {
        int all = suite.entries().size();
        ProgressBar bar = view.findViewById(R.id.progress_bar);
        bar.setMax(all * suite.runs);
        bar.setProgress((number - 1) * suite.runs + entry.done());
        String words = entry.done() == 0
                ? host.activity().getString(R.string.benchmark_warming, entry.options, number, all)
                : host.activity().getString(
                        R.string.benchmark_at, entry.options, entry.done(), suite.runs, number, all);
        ((TextView) view.findViewById(R.id.progress_text)).setText(words);
    }
}
