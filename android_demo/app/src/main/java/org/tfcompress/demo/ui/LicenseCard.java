package org.tfcompress.demo.ui;

import android.view.ViewGroup;
import android.widget.Button;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.store.Streams;

/** The licence that came with a model: its first lines, and all of it on request. */
final class LicenseCard {
    private static final int MOST_BYTES = 1 << 20;
    private static final int LINES = 6;

    private final Host host;
    private final Cards cards;

    LicenseCard(Host host, Cards cards) {
        this.host = host;
        this.cards = cards;
    }

    /** Adds the card's place now and the text when it is read; nothing if there is no licence. */
    void add(ViewGroup into, DemoModel model) {
        if (!model.hasLicense()) {
            return;
        }
        ViewGroup card = cards.card(into, R.string.about_license_title);
        host.session().work(() -> Streams.text(model.folder, ModelFolder.LICENSE, MOST_BYTES),
                new Worker.Done<String>() {
                    @Override
                    public void done(String text) {
                        show(card, text.trim());
                    }

                    @Override
                    public void failed(String sentence) {
                        cards.text(card, sentence);
                    }
                });
    }

    private void show(ViewGroup card, String license) {
        TextView text = cards.text(card, license);
        text.setMaxLines(LINES);
        if (license.split("\n").length <= LINES && license.length() < 60 * LINES) {
            return;
        }
        Button[] more = new Button[1];
        more[0] = cards.button(card, R.string.about_license_more, () -> {
            boolean all = text.getMaxLines() == LINES;
            text.setMaxLines(all ? Integer.MAX_VALUE : LINES);
            more[0].setText(all ? R.string.about_license_less : R.string.about_license_more);
        });
    }
}
