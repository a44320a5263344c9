package org.tfcompress.demo.ui;

import android.app.AlertDialog;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;

/** The list of models: choose one, remove one that was opened, or open another file. */
public final class ModelsDialog {
    private final Host host;
    private final ViewGroup list;
    private final AlertDialog dialog;
    private final View none;

    private ModelsDialog(Host host) {
        this.host = host;
        View view = host.activity().getLayoutInflater().inflate(R.layout.models, null);
        list = view.findViewById(R.id.models);
        none = view.findViewById(R.id.models_none);
        dialog = new AlertDialog.Builder(host.activity())
                .setTitle(R.string.models_title)
                .setView(view)
                .setPositiveButton(R.string.models_open, (shown, button) -> host.openModel())
                .setNegativeButton(R.string.close, null)
                .create();
        fill();
    }

    /** Shows the dialog. */
    public static ModelsDialog show(Host host) {
        ModelsDialog made = new ModelsDialog(host);
        host.keep(made.dialog);
        return made;
    }

    public boolean isShowing() {
        return dialog.isShowing();
    }

    /** Lists the models as they are now: they may still have been looked for when the dialog came. */
    public void fill() {
        list.removeAllViews();
        list.addView(none);
        Session session = host.session();
        LayoutInflater inflater = host.activity().getLayoutInflater();
        for (Listed each : session.models()) {
            View row = inflater.inflate(R.layout.model_row, list, false);
            boolean chosen = session.chosen() != null && session.chosen().key.equals(each.key);
            ((TextView) row.findViewById(R.id.model_row_title)).setText(each.title);
            ((TextView) row.findViewById(R.id.model_row_detail)).setText(each.detail);
            row.findViewById(R.id.model_row_check).setVisibility(chosen ? View.VISIBLE : View.INVISIBLE);
            row.setSelected(chosen);
            row.setOnClickListener(clicked -> {
                dialog.dismiss();
                session.open(each);
            });
            View delete = row.findViewById(R.id.model_row_delete);
            delete.setVisibility(each.deletable ? View.VISIBLE : View.GONE);
            delete.setContentDescription(host.activity().getString(R.string.delete_spoken, each.title));
            delete.setOnClickListener(clicked -> confirm(each));
            list.addView(row);
        }
        none.setVisibility(session.models().isEmpty() ? View.VISIBLE : View.GONE);
    }

    private void confirm(Listed each) {
        dialog.dismiss();
        host.keep(new AlertDialog.Builder(host.activity())
                .setTitle(host.activity().getString(R.string.delete_title, each.title))
                .setMessage(R.string.delete_text)
                .setPositiveButton(R.string.delete, (shown, button) -> host.session().delete(each))
                .setNegativeButton(android.R.string.cancel, null)
                .create());
    }
}
