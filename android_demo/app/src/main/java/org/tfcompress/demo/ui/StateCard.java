package org.tfcompress.demo.ui;

import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.Button;
import android.widget.ImageView;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.session.Session;

/** What a screen shows where there is no model to be shown: it loads, cannot run, or there is none. */
public final class StateCard {
    private StateCard() {}

    /** The card for the session's state; null if it is READY. */
    public static View of(Host host, LayoutInflater inflater, ViewGroup parent) {
        Session session = host.session();
        switch (session.state()) {
            case LOADING:
                return card(inflater, parent, true, null, host.activity().getString(R.string.loading), 0, null);
            case BROKEN:
                String title = session.chosen() == null ? "" : session.chosen().title;
                return card(
                        inflater,
                        parent,
                        false,
                        host.activity().getString(R.string.broken_title, title),
                        session.problem(),
                        R.string.choose_other,
                        clicked -> host.chooseModel());
            case EMPTY:
                return card(
                        inflater,
                        parent,
                        false,
                        host.activity().getString(R.string.empty_title),
                        host.activity().getString(R.string.empty_text),
                        R.string.open_model,
                        clicked -> host.openModel());
            default:
                return null;
        }
    }

    /** A card for a model that is there, but not for this screen. */
    public static View problem(Host host, LayoutInflater inflater, ViewGroup parent, String title, String text) {
        return card(inflater, parent, false, title, text, R.string.choose_other, clicked -> host.chooseModel());
    }

    private static View card(
            LayoutInflater inflater, ViewGroup parent, boolean waits, String title, String text, int button,
            View.OnClickListener clicked) {
        View card = inflater.inflate(R.layout.state, parent, false);
        card.findViewById(R.id.state_wait).setVisibility(waits ? View.VISIBLE : View.GONE);
        ImageView icon = card.findViewById(R.id.state_icon);
        icon.setVisibility(waits ? View.GONE : View.VISIBLE);
        boolean wrong = button == R.string.choose_other;
        icon.setImageResource(wrong ? R.drawable.ic_warning : R.drawable.ic_open);
        icon.setColorFilter(icon.getContext().getColor(wrong ? R.color.error : R.color.primary));
        TextView titleView = card.findViewById(R.id.state_title);
        titleView.setVisibility(title == null ? View.GONE : View.VISIBLE);
        titleView.setText(title);
        ((TextView) card.findViewById(R.id.state_text)).setText(text);
        Button action = card.findViewById(R.id.state_button);
        action.setVisibility(button == 0 ? View.GONE : View.VISIBLE);
        if (button != 0) {
            action.setText(button);
            action.setOnClickListener(clicked);
        }
        return card;
    }
}
