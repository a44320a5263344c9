package org.tfcompress.demo.ui;

import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import org.tfcompress.demo.R;

/** Builds cards of facts and text, one below the other. */
final class Cards {
    private final LayoutInflater inflater;

    Cards(LayoutInflater inflater) {
        this.inflater = inflater;
    }

    /** An empty card with a title. */
    ViewGroup card(ViewGroup into, int title) {
        ViewGroup card = (ViewGroup) inflater.inflate(R.layout.about_card, into, false);
        ((TextView) card.findViewById(R.id.card_title)).setText(title);
        into.addView(card);
        return card;
    }

    /** A sentence that the user should not miss. */
    void warning(ViewGroup into, String sentence) {
        View card = inflater.inflate(R.layout.about_warning, into, false);
        ((TextView) card.findViewById(R.id.warning)).setText(sentence);
        into.addView(card);
    }

    /** A fact with its name. */
    void fact(ViewGroup card, String what, String value) {
        View row = inflater.inflate(R.layout.about_fact, card, false);
        ((TextView) row.findViewById(R.id.fact_what)).setText(what);
        ((TextView) row.findViewById(R.id.fact_value)).setText(value);
        card.addView(row);
    }

    TextView text(ViewGroup card, String text) {
        return text(card, R.layout.about_text, text);
    }

    /** What stands below a fact. */
    TextView small(ViewGroup card, String text) {
        return text(card, R.layout.about_small, text);
    }

    Button button(ViewGroup card, int title, Runnable pressed) {
        Button button = (Button) inflater.inflate(R.layout.about_button, card, false);
        button.setText(title);
        button.setOnClickListener(clicked -> pressed.run());
        card.addView(button);
        return button;
    }

    private TextView text(ViewGroup card, int layout, String text) {
        TextView view = (TextView) inflater.inflate(layout, card, false);
        view.setText(text);
        card.addView(view);
        return view;
    }
}
