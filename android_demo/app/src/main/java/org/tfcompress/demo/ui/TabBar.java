package org.tfcompress.demo.ui;

import android.content.Context;
import android.util.AttributeSet;
import android.view.LayoutInflater;
import android.view.View;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.ImageView;
import android.widget.LinearLayout;
import android.widget.TextView;
import org.tfcompress.demo.R;

/** The tabs as a bar below, or as a rail at the side where the layout says vertical. */
public final class TabBar extends LinearLayout {
    /** Told that the user chose a tab. */
    public interface Listener {
        void tabChosen(Tab tab);
    }

    private Listener listener;

    public TabBar(Context context, AttributeSet attributes) {
        super(context, attributes);
        for (Tab tab : Tab.values()) {
            addView(make(tab), size());
        }
    }

    /** Who is told. */
    public void setListener(Listener listener) {
        this.listener = listener;
    }

    /** Marks the tab that is shown. */
    public void select(Tab chosen) {
        for (Tab tab : Tab.values()) {
            getChildAt(tab.ordinal()).setSelected(tab == chosen);
        }
    }

    private LayoutParams size() {
        return getOrientation() == HORIZONTAL
                ? new LayoutParams(0, LayoutParams.WRAP_CONTENT, 1)
                : new LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT);
    }

    private View make(Tab tab) {
        View view = LayoutInflater.from(getContext()).inflate(R.layout.tab, this, false);
        String title = getContext().getString(tab.title);
        ((ImageView) view.findViewById(R.id.tab_icon)).setImageResource(tab.icon);
        ((TextView) view.findViewById(R.id.tab_title)).setText(title);
        view.setContentDescription(
                getContext().getString(R.string.tab_spoken, title, tab.ordinal() + 1, Tab.values().length));
        view.setAccessibilityDelegate(new AccessibilityDelegate() {
            @Override
            public void onInitializeAccessibilityNodeInfo(View host, AccessibilityNodeInfo info) {
                super.onInitializeAccessibilityNodeInfo(host, info);
                info.setClassName("android.app.ActionBar$Tab");
            }
        });
        view.setOnClickListener(clicked -> {
            if (listener != null) {
                listener.tabChosen(tab);
            }
        });
        return view;
    }
}
