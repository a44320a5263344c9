package org.tfcompress.demo.ui.input;

import android.view.View;
import android.widget.Button;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.ui.Host;

/** Says why something is needed or missing, with a button for the way on. */
final class Ask {
    private final View view;
    private final TextView text;
    private final Button button;

    Ask(View view) {
        this.view = view;
        text = view.findViewById(R.id.ask_text);
        button = view.findViewById(R.id.ask_button);
    }

    void hide() {
        view.setVisibility(View.GONE);
    }

    void say(int sentence) {
        say(sentence, 0, null);
    }

    void say(int sentence, int action, Runnable then) {
        view.setVisibility(View.VISIBLE);
        text.setText(sentence);
        button.setVisibility(action == 0 ? View.GONE : View.VISIBLE);
        if (action != 0) {
            button.setText(action);
            button.setOnClickListener(clicked -> then.run());
        }
    }

    /** A permission was refused: ask again, or where Android asks no more, open the settings. */
    void refused(Host host, String permission, int needed, int settings, Runnable again) {
        if (host.neverAsksAgain(permission)) {
            say(settings, R.string.open_settings, host::openSettings);
        } else {
            say(needed, R.string.allow, again);
        }
    }
}
