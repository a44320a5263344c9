package org.tfcompress.demo.ui;

import android.content.Context;
import android.util.AttributeSet;
import android.view.LayoutInflater;
import android.view.View;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.result.Score;
import org.tfcompress.demo.text.Figures;

/** The first few scores, each with its name, its share and a bar; a screen reader reads a row as one. */
public final class BarsView extends LinearLayout {
    private final Figures figures;

    public BarsView(Context context, AttributeSet attributes) {
        super(context, attributes);
        setOrientation(VERTICAL);
        figures = new Figures(context);
    }

    /**
     * Shows these, the first of them in a stronger colour.
     *
     * @param shares values are parts of 1; else they are shown as they are, without a bar
     */
    public void show(List<Score> scores, boolean shares) {
        while (getChildCount() > scores.size()) {
            removeViewAt(getChildCount() - 1);
        }
        while (getChildCount() < scores.size()) {
            addView(LayoutInflater.from(getContext()).inflate(R.layout.bar_row, this, false));
        }
        for (int i = 0; i < scores.size(); i++) {
            fill(getChildAt(i), scores.get(i), shares, i == 0);
        }
    }

    private void fill(View row, Score score, boolean shares, boolean first) {
        String value = shares ? figures.score(score.value) : figures.value(score.value);
        ((TextView) row.findViewById(R.id.bar_label)).setText(score.label);
        ((TextView) row.findViewById(R.id.bar_value)).setText(value);
        BarView bar = row.findViewById(R.id.bar);
        bar.setVisibility(shares ? VISIBLE : GONE);
        bar.setPart(score.value);
        bar.setFirst(first);
        row.setContentDescription(getContext().getString(R.string.score_spoken, score.label, value));
    }
}
