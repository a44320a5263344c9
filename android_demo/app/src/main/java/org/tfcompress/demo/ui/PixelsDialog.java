package org.tfcompress.demo.ui;

import android.app.AlertDialog;
import org.tfcompress.demo.R;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Guess;

/** Asks what a model without model.json was trained on: pixels as which numbers. */
final class PixelsDialog {
    private PixelsDialog() {}

    /** The dialog, shown. */
    static AlertDialog show(Host host, DemoModel model) {
        Guess.Pixels[] all = Guess.Pixels.values();
        CharSequence[] names = new CharSequence[all.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = host.activity().getString(name(all[i]));
        }
        return host.keep(new AlertDialog.Builder(host.activity())
                .setTitle(R.string.pixels_title)
                .setSingleChoiceItems(names, of(model).ordinal(), (dialog, chosen) -> {
                    dialog.dismiss();
                    host.session().scale(all[chosen]);
                })
                .setNegativeButton(android.R.string.cancel, null)
                .create());
    }

    /** How the model's pixels are scaled now. */
    static Guess.Pixels of(DemoModel model) {
        for (Guess.Pixels each : Guess.Pixels.values()) {
            if (model.manifest.input.mean()[0] == each.mean && model.manifest.input.std()[0] == each.std) {
                return each;
            }
        }
        return Guess.Pixels.ZERO_TO_ONE;
    }

    static int name(Guess.Pixels pixels) {
        switch (pixels) {
            case MINUS_ONE_TO_ONE:
                return R.string.pixels_minus_one;
            case ZERO_TO_255:
                return R.string.pixels_255;
            case MINUS_128_TO_127:
                return R.string.pixels_128;
            default:
                return R.string.pixels_one;
        }
    }
}
