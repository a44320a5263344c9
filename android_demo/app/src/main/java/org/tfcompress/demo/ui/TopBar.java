package org.tfcompress.demo.ui;

import android.content.Context;
import android.view.View;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;

/** The model's name, which opens the list of models, a button for files, and what went wrong with one. */
public final class TopBar {
    private final View root;

    public TopBar(View root, Host host) {
        this.root = root;
        root.findViewById(R.id.chooser).setOnClickListener(clicked -> host.chooseModel());
        root.findViewById(R.id.open).setOnClickListener(clicked -> host.openModel());
        root.findViewById(R.id.notice_close).setOnClickListener(clicked -> host.session().noticeRead());
    }

    /** Shows how it stands with the model. */
    public void show(Session session) {
        Context context = root.getContext();
        Listed chosen = session.chosen();
        String title = chosen == null ? context.getString(R.string.no_model) : chosen.title;
        String detail = session.state() == Session.State.LOADING ? context.getString(R.string.loading)
                : chosen == null ? context.getString(R.string.no_model_hint)
                : session.state() == Session.State.BROKEN ? context.getString(R.string.cannot_run) : chosen.detail;
        ((TextView) root.findViewById(R.id.model_title)).setText(title);
        ((TextView) root.findViewById(R.id.model_detail)).setText(detail);
        root.findViewById(R.id.chooser)
                .setContentDescription(context.getString(R.string.chooser_spoken, title, detail));
        root.findViewById(R.id.notice).setVisibility(session.notice() == null ? View.GONE : View.VISIBLE);
        ((TextView) root.findViewById(R.id.notice_text)).setText(session.notice());
    }
}
