package org.tfcompress.demo.ui;

import android.content.Context;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import org.tfcompress.demo.R;
import org.tfcompress.demo.compare.Comparison;
import org.tfcompress.demo.compare.Side;
import org.tfcompress.demo.text.Figures;

/** Shows a comparison: what both say, class by class, and what each costs. */
final class ComparisonView {
    private static final int CLASSES = 5;

    /** Below it a share is shown as 0.0 %, and as no bar. */
    private static final float LEAST = 0.0005f;

    private final View view;
    private final LayoutInflater inflater;
    private final Context context;
    private final Figures figures;
    private final ThreeColumns table;

    ComparisonView(View view, LayoutInflater inflater) {
        this.view = view;
        this.inflater = inflater;
        context = view.getContext();
        figures = new Figures(context);
        table = new ThreeColumns(inflater, view.findViewById(R.id.figures));
    }

    void show(Comparison comparison) {
        text(R.id.verdict, verdict(comparison));
        text(R.id.difference, difference(comparison));
        boolean sameKind = comparison.first.kind.equals(comparison.second.kind);
        text(R.id.legend_first, sameKind ? comparison.first.title : comparison.first.kind);
        text(R.id.legend_second, sameKind ? comparison.second.title : comparison.second.kind);
        text(R.id.score_note, comparison.first.note);
        view.findViewById(R.id.score_note).setVisibility(comparison.first.note.isEmpty() ? View.GONE : View.VISIBLE);
        showPairs(comparison);
        showFigures(comparison);
    }

    private String verdict(Comparison comparison) {
        if (!comparison.classes) {
            return context.getString(R.string.compare_values);
        }
        String first = comparison.first.label(comparison.agreement.topFirst);
        String second = comparison.second.label(comparison.agreement.topSecond);
        return comparison.agreement.sameTop()
                ? context.getString(R.string.compare_same, first)
                : context.getString(R.string.compare_different, first, second);
    }

    private String difference(Comparison comparison) {
        float largest = comparison.agreement.largestDifference;
        String place = comparison.first.label(comparison.agreement.place);
        if (Float.isNaN(largest)) {
            return context.getString(R.string.compare_no_number, place);
        }
        if (largest == 0) {
            return context.getString(R.string.compare_no_difference);
        }
        String shown = comparison.classes
                ? context.getString(R.string.compare_points, figures.threeDigits(100 * largest))
                : figures.threeDigits(largest);
        return context.getString(R.string.compare_difference, shown, place);
    }

    private void showPairs(Comparison comparison) {
        ViewGroup into = view.findViewById(R.id.pairs);
        into.removeAllViews();
        float[] first = comparison.first.values();
        float[] second = comparison.second.values();
        float whole = comparison.classes ? 1 : Math.max(largest(first), largest(second));
        for (int place : comparison.places(CLASSES)) {
            View pair = inflater.inflate(R.layout.compare_pair, into, false);
            String label = comparison.first.label(place);
            ((TextView) pair.findViewById(R.id.pair_label)).setText(label);
            String ours = bar(pair.findViewById(R.id.pair_first), first[place], whole, comparison.classes, true);
            String theirs = bar(pair.findViewById(R.id.pair_second), second[place], whole, comparison.classes, false);
            pair.setContentDescription(context.getString(
                    R.string.compare_pair_spoken, label, ours, comparison.first.kind, theirs, comparison.second.kind));
            into.addView(pair);
        }
    }

    private String bar(View side, float value, float whole, boolean share, boolean first) {
        BarView bar = side.findViewById(R.id.bar);
        bar.setPart(share && value < LEAST ? 0 : Math.abs(value) / whole);
        bar.setFirst(first);
        String shown = share ? figures.score(value) : figures.threeDigits(value);
        ((TextView) side.findViewById(R.id.bar_value)).setText(shown);
        return shown;
    }

    private static float largest(float[] values) {
        float largest = Float.MIN_NORMAL;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private void showFigures(Comparison comparison) {
        Side first = comparison.first;
        Side second = comparison.second;
        table.clear();
        table.head(context.getString(R.string.compare_model), first.title, second.title);
        table.add(context.getString(R.string.compare_type), first.kind, second.kind, "");
        table.add(context.getString(R.string.compare_size), figures.bytes(first.bytes), figures.bytes(second.bytes),
                size(comparison.sizeFactor()));
        table.add(context.getString(R.string.compare_time), figures.ms(first.milliseconds),
                figures.ms(second.milliseconds), time(comparison.timeFactor()));
        text(R.id.compare_runtime, first.runtime.equals(second.runtime)
                ? context.getString(R.string.compare_how, first.runtime)
                : context.getString(R.string.compare_how_two, first.runtime, second.runtime));
    }

    private String size(double factor) {
        if (factor == 1) {
            return context.getString(R.string.compare_equal_size);
        }
        return factor > 1
                ? context.getString(R.string.compare_larger, figures.threeDigits(factor))
                : context.getString(R.string.compare_smaller, figures.threeDigits(1 / factor));
    }

    private String time(double factor) {
        if (Double.isNaN(factor)) {
            return "";
        }
        return factor >= 1
                ? context.getString(R.string.compare_slower, figures.threeDigits(factor))
                : context.getString(R.string.compare_faster, figures.threeDigits(1 / factor));
    }

    private void text(int id, String text) {
        ((TextView) view.findViewById(id)).setText(text);
    }
}
