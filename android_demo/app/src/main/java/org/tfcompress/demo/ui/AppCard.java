package org.tfcompress.demo.ui;

import android.app.Activity;
import android.view.ViewGroup;
import org.tfcompress.demo.R;
import org.tfcompress.demo.device.ThisPhone;

/** What the user should know of the app itself. */
final class AppCard {
    private AppCard() {}

    static void add(Cards cards, ViewGroup into, Activity activity) {
        ViewGroup card = cards.card(into, R.string.about_app_title);
        cards.text(card, activity.getString(R.string.about_app_version, new ThisPhone(activity).version()));
        cards.text(card, activity.getString(R.string.about_app_private));
        cards.text(card, activity.getString(R.string.about_app_pages));
    }
}
