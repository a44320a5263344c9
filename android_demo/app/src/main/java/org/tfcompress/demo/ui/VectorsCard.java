package org.tfcompress.demo.ui;

import android.app.Activity;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import java.util.Locale;
import org.tfcompress.demo.R;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.VectorCheck;
import org.tfcompress.demo.measure.VectorResult;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Runners;

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
        if (!VectorCheck.hasVectors(model)) {
            cards.text(card, host.activity().getString(R.string.about_vectors_none));
            return;
        }
        TextView words = cards.text(card, host.activity().getString(R.string.about_vectors));
        words.setAccessibilityLiveRegion(View.ACCESSIBILITY_LIVE_REGION_POLITE);
        VectorResult known = host.session().findings().check(model.sha256);
        Button[] button = new Button[1];
        button[0] = cards.button(card, R.string.about_check, () -> check(model, words, button[0]));
        if (known != null) {
            show(known, words, button[0]);
        }
    }

    private void check(DemoModel model, TextView words, Button button) {
        button.setEnabled(false);
        words.setText(R.string.about_checking);
        host.session().work(() -> run(model), new Worker.Done<VectorResult>() {
            @Override
            public void done(VectorResult result) {
                host.session().findings().keep(model.sha256, result);
                show(result, words, button);
            }

            @Override
            public void failed(String sentence) {
                words.setText(sentence);
                words.setTextColor(host.activity().getColor(R.color.error));
                button.setEnabled(true);
            }
        });
    }

    /** On the kernels that the export took in Python. */
    private static VectorResult run(DemoModel model) throws ModelException {
        Threads.background();
        return VectorCheck.run(model, Runners.factory);
    }

    private void show(VectorResult result, TextView words, Button button) {
        Activity activity = host.activity();
        words.setText(activity.getString(R.string.about_vectors_result, verdict(activity, result), result.runtimeHere,
                result.runtime));
        words.setTextColor(activity.getColor(result.passed ? R.color.on_surface : R.color.error));
        button.setText(R.string.about_check_again);
        button.setEnabled(true);
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
