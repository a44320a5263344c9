package org.tfcompress.demo.ui;

import android.view.View;
import android.widget.TextView;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.result.Score;
import org.tfcompress.demo.runtime.Outcome;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.text.Figures;

/** What came out of the model: the first class large, the first few as bars, how long it took and by what. */
final class ResultCard {
    /** Bars that are shown. */
    static final int FIRST = 5;

    private final View card;
    private final TextView hint;
    private final TextView first;
    private final BarsView bars;
    private final TextView latency;
    private final TextView note;
    private final TextView problem;

    ResultCard(View card) {
        this.card = card;
        hint = card.findViewById(R.id.result_hint);
        first = card.findViewById(R.id.result_first);
        bars = card.findViewById(R.id.bars);
        latency = card.findViewById(R.id.result_latency);
        note = card.findViewById(R.id.result_note);
        problem = card.findViewById(R.id.result_problem);
    }

    void hide() {
        card.setVisibility(View.GONE);
    }

    /** Shows what the session has; the hint where it has nothing yet. */
    void show(Session session, int hintText) {
        card.setVisibility(View.VISIBLE);
        Outcome outcome = session.outcome();
        set(problem, session.inputProblem());
        boolean empty = outcome == null && session.inputProblem() == null;
        set(hint, empty && hintText != 0 ? card.getContext().getString(hintText) : null);
        if (empty && hintText == 0) {
            hide(); // the panel itself says what to do
        }
        bars.setVisibility(outcome == null ? View.GONE : View.VISIBLE);
        if (outcome == null) {
            set(first, null);
            set(latency, null);
            set(note, null);
        } else {
            fill(session, outcome);
        }
    }

    private void fill(Session session, Outcome outcome) {
        boolean shares = session.model().manifest.output == Manifest.Output.CLASSES && allShares(outcome.scores);
        List<Score> few = outcome.scores.subList(0, Math.min(FIRST, outcome.scores.size()));
        bars.show(few, shares);
        String name = few.isEmpty() ? card.getContext().getString(R.string.no_score) : few.get(0).label;
        set(first, session.model().manifest.output == Manifest.Output.CLASSES ? name : null);
        Figures figures = new Figures(card.getContext());
        String time = figures.ms(outcome.milliseconds);
        String spoken = figures.threeDigits(outcome.milliseconds);
        set(latency, card.getContext().getString(R.string.latency, time, session.runtime()));
        latency.setContentDescription(card.getContext().getString(R.string.latency_spoken, spoken, session.runtime()));
        set(note, outcome.note.isEmpty() ? null : outcome.note);
    }

    private static boolean allShares(List<Score> scores) {
        for (Score score : scores) {
            if (!(score.value >= 0 && score.value <= 1.001)) {
                return false;
            }
        }
        return true;
    }

    /** Sets a text only if it is another one: a live region would be read anew. */
    private static void set(TextView view, String text) {
        view.setVisibility(text == null ? View.GONE : View.VISIBLE);
        if (text != null && !text.contentEquals(view.getText())) {
            view.setText(text);
        }
    }
}
