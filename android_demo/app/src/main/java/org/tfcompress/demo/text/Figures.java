package org.tfcompress.demo.text;

import android.content.Context;
import java.text.NumberFormat;
import java.util.Locale;
import org.tfcompress.demo.R;

/**
 * Numbers with their units, short enough for a phone, in the way the user's language writes them. A file's size is in
 * bytes, as in the toolkit's reports, and in KiB or MiB where two stand beside each other; memory is in KiB or MiB.
 */
public final class Figures {
    private static final int KIB = 1024;
    private static final int MIB = KIB * KIB;

    private final Context context;

    public Figures(Context context) {
        this.context = context;
    }

    /** "4,208 bytes": every byte counts for a file. */
    public String exactBytes(double bytes) {
        return context.getString(R.string.figure_bytes, NumberFormat.getIntegerInstance().format(bytes));
    }

    /** "4.1 KiB" or "1.3 MiB". */
    public String bytes(double bytes) {
        return bytes < MIB
                ? context.getString(R.string.figure_kib, decimals(bytes / KIB))
                : context.getString(R.string.figure_mib, decimals(bytes / MIB));
    }

    /** "0.0123 ms", "1.25 ms" or "125 ms": three digits that count. */
    public String ms(double milliseconds) {
        return context.getString(R.string.figure_ms, threeDigits(milliseconds));
    }

    /** "2,505 s". */
    public String seconds(double seconds) {
        return context.getString(R.string.figure_seconds, threeDigits(seconds));
    }

    /** "84.15 %" of a fraction. */
    public String percent(double fraction) {
        NumberFormat format = NumberFormat.getInstance();
        format.setMaximumFractionDigits(2);
        return context.getString(R.string.figure_percent, format.format(100 * fraction));
    }

    /** "99.6 %" of a score from 0 to 1. */
    public String score(double share) {
        return context.getString(R.string.figure_percent, String.format(Locale.getDefault(), "%.1f", 100 * share));
    }

    /** A value of a model's output that is no share, with five significant digits. */
    public String value(double number) {
        return String.format(Locale.getDefault(), "%.5g", number);
    }

    /** "84.15", "12,501,632": a plain number. */
    public String plain(double number) {
        if (number == Math.rint(number) && Math.abs(number) < 1e15) {
            return NumberFormat.getIntegerInstance().format(number);
        }
        return threeDigits(number);
    }

    /** Three digits that count, more before the point. */
    public String threeDigits(double number) {
        double size = Math.abs(number);
        if (size >= 100) {
            return NumberFormat.getIntegerInstance().format(number);
        }
        int digits = size == 0 ? 0 : 2 - (int) Math.floor(Math.log10(size));
        return String.format(Locale.getDefault(), "%." + Math.min(9, digits) + "f", number);
    }

    private static String decimals(double number) {
        return String.format(Locale.getDefault(), number < 100 ? "%.1f" : "%.0f", number);
    }
}
