package org.tfcompress.demo.ui;

import android.content.Context;
import java.util.Locale;
import org.tfcompress.demo.R;
import org.tfcompress.demo.result.Score;

/** Numbers as they are shown. */
final class Numbers {
    private Numbers() {}

    /** A share as "98.2 %", or a value with five significant digits. */
    static String score(Context context, Score score, boolean shares) {
        return shares
                ? context.getString(R.string.percent, String.format(Locale.getDefault(), "%.1f", 100 * score.value))
                : String.format(Locale.getDefault(), "%.5g", score.value);
    }

    /** "0.42", "12.3", "148": three significant digits are what a single run is worth. */
    static String milliseconds(double value) {
        return String.format(Locale.getDefault(), value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
    }
}
