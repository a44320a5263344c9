package org.tfcompress.demo.ui;

import android.app.Activity;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import java.util.Locale;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.VectorResult;
import org.tfcompress.demo.session.CheckRun;
import org.tfcompress.demo.text.Figures;

/** Checks on request whether this phone makes the same of a model's reference inputs as Python did. */
final class VectorsCard {
    private final Host host;
    private final Cards cards;

    VectorsCard(Host host, Cards cards) {
        this.host = host;
        this.cards = cards;
    }

    void add(ViewGroup into, DemoModel model) {
        ViewGroup card = cards.card(into, R.string.about_vectors_title);
        if (!model.hasVectors()) {
            cards.text(card, host.activity().getString(R.string.about_vectors_none));
            return;
        }
        TextView words = cards.text(card, host.activity().getString(R.string.about_vectors));
        words.setAccessibilityLiveRegion(View.ACCESSIBILITY_LIVE_REGION_POLITE);
        CheckRun run = host.session().findings().check();
        Button button = cards.button(card, R.string.about_check, () -> run.start(model));
        Runnable refresh = () -> refresh(run, model, words, button);
        WhileAttached.to(card, () -> {
            run.listen(refresh);
            refresh.run();
        }, () -> run.forget(refresh));
        refresh.run();
    }

    private void refresh(CheckRun run, DemoModel model, TextView words, Button button) {
        button.setEnabled(!run.isRunning(model));
        if (run.isRunning(model)) {
            words.setText(R.string.about_checking);
            words.setTextColor(host.activity().getColor(R.color.on_surface_variant));
        } else if (run.problem(model) != null) {
            words.setText(run.problem(model));
            words.setTextColor(host.activity().getColor(R.color.error));
        } else if (run.result(model.sha256) != null) {
            show(run.result(model.sha256), words, button);
        }
    }

    private void show(VectorResult result, TextView words, Button button) {
        Activity activity = host.activity();
        words.setText(activity.getString(R.string.about_vectors_result, verdict(activity, result), result.runtimeHere,
                result.runtime));
        words.setTextColor(activity.getColor(result.passed ? R.color.on_surface : R.color.error));
        button.setText(R.string.about_check_again);
    }

    private static String verdict(Activity activity, VectorResult result) {
        String same = activity.getString(R.string.about_vectors_same, result.top1Equal, result.vectors);
        if (result.differing == 0) {
            return activity.getString(R.string.about_vectors_bits, same);
        }
        String differing = activity.getString(R.string.about_vectors_differing, result.differing, result.values);
        Figures figures = new Figures(activity);
        String most = result.largestSteps > 0
                ? activity.getResources().getQuantityString(
                        R.plurals.about_vectors_steps, (int) result.largestSteps, figures.plain(result.largestSteps))
                : activity.getString(R.string.about_vectors_float,
                        String.format(Locale.getDefault(), "%.2g", result.largestDifference));
        int apart = result.top1Equal == result.vectors ? R.string.about_vectors_apart : R.string.about_vectors_failed;
        int form = result.passed ? R.string.about_vectors_passed : apart;
        return activity.getString(form, same, differing, most);
    }
}
