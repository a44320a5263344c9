package org.tfcompress.demo.ui;

import android.content.Context;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import org.tfcompress.demo.R;

/** Lines of a table with three columns, each spoken as one sentence. */
final class ThreeColumns {
    private final LayoutInflater inflater;
    private final ViewGroup into;

    ThreeColumns(LayoutInflater inflater, ViewGroup into) {
        this.inflater = inflater;
        this.into = into;
    }

    void clear() {
        into.removeAllViews();
    }

    /** Adds the head of the table. */
    void head(String what, String first, String second) {
        View row = add(what, first, second, "");
        for (int id : new int[] {R.id.three_what, R.id.three_first, R.id.three_second}) {
            ((TextView) row.findViewById(id)).setTextAppearance(R.style.Text_Head);
        }
    }

    /**
     * Adds a line.
     *
     * @param note a sentence below it; empty for none
     */
    View add(String what, String first, String second, String note) {
        Context context = into.getContext();
        View row = inflater.inflate(R.layout.row_three, into, false);
        ((TextView) row.findViewById(R.id.three_what)).setText(what);
        ((TextView) row.findViewById(R.id.three_first)).setText(first);
        ((TextView) row.findViewById(R.id.three_second)).setText(second);
        TextView below = row.findViewById(R.id.three_note);
        below.setText(note);
        below.setVisibility(note.isEmpty() ? View.GONE : View.VISIBLE);
        row.setContentDescription(note.isEmpty()
                ? context.getString(R.string.row_spoken, what, first, second)
                : context.getString(R.string.row_spoken_note, what, first, second, note));
        into.addView(row);
        return row;
    }
}
