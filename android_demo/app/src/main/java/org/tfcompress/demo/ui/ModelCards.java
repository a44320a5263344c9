package org.tfcompress.demo.ui;

import android.content.Context;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import android.widget.TextView;
import java.util.List;
import java.util.Map;
import org.json.JSONException;
import org.tfcompress.demo.R;
import org.tfcompress.demo.about.Recipe;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.Measured;
import org.tfcompress.demo.measure.ReportRow;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.text.Figures;
import org.tfcompress.demo.text.RowNames;

/** Cards about a model: what it is, what was promised of it, and how it was made. */
final class ModelCards {
    private final Context context;
    private final Cards cards;
    private final Figures figures;
    private final RowNames names;

    ModelCards(Context context, Cards cards) {
        this.context = context;
        this.cards = cards;
        figures = new Figures(context);
        names = new RowNames(context);
    }

    void facts(ViewGroup into, DemoModel model) {
        ViewGroup card = cards.card(into, R.string.about_model);
        ((TextView) card.findViewById(R.id.card_title)).setText(model.title);
        fact(card, R.string.about_file_size, figures.exactBytes(model.bytes.capacity()));
        fact(card, R.string.about_type, model.kind);
        fact(card, R.string.about_operators, figures.plain(model.operators));
        tensors(card, model.inputs, R.string.about_input, R.string.about_input_number);
        tensors(card, model.outputs, R.string.about_output, R.string.about_output_number);
        if (model.manifest.madeBy != null) {
            fact(card, R.string.about_made_by, model.manifest.madeBy);
        }
        fact(card, R.string.about_sha256, model.sha256);
    }

    private void tensors(ViewGroup card, List<TensorSpec> specs, int one, int numbered) {
        for (int i = 0; i < specs.size(); i++) {
            TensorSpec spec = specs.get(i);
            String what = specs.size() == 1 ? context.getString(one) : context.getString(numbered, i + 1);
            cards.fact(card, what, spec.isQuantized()
                    ? context.getString(R.string.about_tensor_quantized, spec.name, spec,
                            figures.threeDigits(spec.scale), spec.zeroPoint)
                    : context.getString(R.string.about_tensor, spec.name, spec));
        }
    }

    /** @param suite the last benchmark of this file; null if there is none */
    void promised(ViewGroup into, LayoutInflater inflater, DemoModel model, Suite suite) {
        ViewGroup card = cards.card(into, R.string.about_promised_title);
        List<ReportRow> rows = model.manifest.report.rows;
        Measured here = suite == null ? null : suite.fastest();
        if (rows.isEmpty()) {
            cards.text(card, context.getString(R.string.about_no_report));
        }
        ThreeColumns table = new ThreeColumns(inflater, card);
        table.head(context.getString(R.string.about_what), context.getString(R.string.about_promised),
                context.getString(R.string.about_here));
        for (ReportRow row : rows) {
            String measured = here(row.name, model, here);
            String note = note(row, measured != null && row.name.startsWith("latency") ? here : null);
            add(table, names.name(row.name), names.value(row), measured, note);
        }
        if (rows.isEmpty()) {
            String none = context.getString(R.string.about_not_here);
            add(table, names.name("file_bytes"), none, here("file_bytes", model, here), "");
            add(table, names.name("latency_p50"), none, here("latency_p50", model, here), runtime(here));
        }
        if (here == null) {
            cards.text(card, context.getString(R.string.about_measure_first));
        }
        for (ReportRow row : rows) {
            if (row.name.equals("accuracy_after")) {
                cards.text(card, context.getString(R.string.about_test_data));
            }
        }
    }

    private void add(ThreeColumns table, String what, String promised, String here, String note) {
        String dash = context.getString(R.string.about_not_here);
        View row = table.add(what, promised, here == null ? dash : here, note);
        if (here == null) {
            row.setContentDescription(context.getString(
                    R.string.row_spoken_note, what, promised, context.getString(R.string.about_not_here_spoken), note));
        }
    }

    /** What this phone measured of that; null if nothing. */
    private String here(String name, DemoModel model, Measured measured) {
        if (name.equals("file_bytes")) {
            return figures.exactBytes(model.bytes.capacity());
        }
        if (measured == null) {
            return null;
        }
        switch (name) {
            case "latency_p50":
                return figures.ms(measured.timing.p50());
            case "latency_p90":
                return figures.ms(measured.timing.p90());
            case "latency_p99":
                return figures.ms(measured.timing.p99());
            case "latency_runs":
                return figures.plain(measured.timing.runs());
            case "peak_memory":
                return measured.peakBytes.isPresent() ? figures.bytes(measured.peakBytes.getAsLong()) : null;
            default:
                return null;
        }
    }

    /** Who promised it, and on what it was measured here; empty where neither says anything. */
    private String note(ReportRow row, Measured here) {
        StringBuilder by = new StringBuilder(row.how.equals("read from the file") ? "" : row.runtime);
        if (by.length() > 0 && !row.source.isEmpty()) {
            by.append(", ");
        }
        by.append(row.how.equals("read from the file") ? "" : row.source);
        if (here != null) {
            return context.getString(R.string.about_promised_and_here, by, here.runtime);
        }
        return by.length() == 0 ? "" : context.getString(R.string.about_promised_by, by);
    }

    private static String runtime(Measured here) {
        return here == null ? "" : here.runtime;
    }

    void recipe(ViewGroup into, DemoModel model) {
        if (model.manifest.report.recipe == null) {
            return;
        }
        ViewGroup card = cards.card(into, R.string.about_recipe_title);
        try {
            Recipe recipe = Recipe.read(model.manifest.report.recipe);
            cards.text(card, context.getString(R.string.about_recipe_named, recipe.name, recipe.description).trim());
            int number = 0;
            for (Recipe.Step step : recipe.steps) {
                step(card, ++number, technique(step.technique), step.parameters);
            }
            step(card, ++number, context.getString(R.string.about_convert_step), recipe.conversion);
        } catch (JSONException | ModelException error) {
            cards.text(card, context.getString(R.string.about_recipe_odd, error.getMessage()));
        }
    }

    private void step(ViewGroup card, int number, String title, Map<String, String> parameters) {
        TextView head = cards.text(card, context.getString(R.string.about_step, number, title));
        head.setTextColor(context.getColor(R.color.on_surface));
        StringBuilder all = new StringBuilder();
        for (Map.Entry<String, String> one : parameters.entrySet()) {
            all.append(all.length() == 0 ? "" : " \u00b7 ");
            all.append(context.getString(R.string.about_step_parameter, one.getKey(), one.getValue()));
        }
        cards.small(card, all.toString());
    }

    private String technique(String name) {
        switch (name) {
            case "prune":
                return context.getString(R.string.about_technique_prune);
            case "cluster":
                return context.getString(R.string.about_technique_cluster);
            case "qat":
                return context.getString(R.string.about_technique_qat);
            default:
                return name;
        }
    }

    void notes(ViewGroup into, DemoModel model) {
        if (!model.manifest.report.notes.isEmpty()) {
            ViewGroup card = cards.card(into, R.string.about_notes_title);
            for (String note : model.manifest.report.notes) {
                cards.text(card, note);
            }
        }
    }

    private void fact(ViewGroup card, int what, String value) {
        cards.fact(card, context.getString(what), value);
    }
}
