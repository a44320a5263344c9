package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.json.JSONException;
import org.json.JSONObject;
import org.tfcompress.demo.measure.ReportRow;
import org.tfcompress.demo.model.ModelException;

/** Reads model.json (docs/android.md). Unknown keys are passed over; a known one that is wrong is an error. */
public final class ManifestReader {
    private static final int FORMAT = 1;
    private static final int MOST_SAMPLES = 1000;
    private static final int MOST_ROWS = 5000;
    private static final String FILE = "model.json";

    private ManifestReader() {}

    /**
     * Reads a manifest.
     *
     * @param text of model.json
     * @param vocabulary lines of vocabulary.txt; null where there is none
     * @throws ModelException the text is not of the form; the message names the key
     */
    public static Manifest read(String text, List<String> vocabulary) throws ModelException {
        Fields fields = new Fields(Json.object(text, FILE), FILE + ": ");
        if (fields.whole("format", 1, Integer.MAX_VALUE) != FORMAT) {
            throw new ModelException(FILE + " is of format " + fields.whole("format", 1, Integer.MAX_VALUE)
                    + ", but this app knows " + FORMAT + "; install a newer app.");
        }
        String sha256 = fields.text("sha256");
        return new Manifest(
                fields.text("title"),
                sha256 == null ? null : sha256.toLowerCase(Locale.ROOT),
                fields.text("made_by"),
                InputReader.read(fields.fields("input"), vocabulary),
                fields.choice("output", Manifest.Output.class, Manifest.Output.CLASSES),
                samples(fields),
                fields.has("report") ? report(fields.fields("report")) : Manifest.none(),
                false);
    }

    private static List<Sample> samples(Fields fields) throws ModelException {
        List<Sample> samples = new ArrayList<>();
        for (Fields sample : fields.list("samples", MOST_SAMPLES)) {
            String file = sample.text("file");
            if (file == null) {
                throw new ModelException(sample.place() + "file is missing, expected the path of a sample.");
            }
            samples.add(new Sample(file, sample.text("label")));
        }
        return samples;
    }

    private static Promise report(Fields report) throws ModelException {
        List<ReportRow> rows = new ArrayList<>();
        for (Fields row : report.list("rows", MOST_ROWS)) {
            try {
                rows.add(ReportRow.of(row.json()));
            } catch (JSONException | IllegalArgumentException error) {
                throw new ModelException(row.place() + " is no row of a report (" + error.getMessage() + ").", error);
            }
        }
        return new Promise(rows, recipe(report), report.texts("notes", MOST_ROWS));
    }

    private static String recipe(Fields report) throws ModelException {
        if (!report.has("recipe")) {
            return null;
        }
        JSONObject recipe = report.json().optJSONObject("recipe");
        if (recipe == null) {
            return report.text("recipe");
        }
        try {
            return recipe.toString(2);
        } catch (JSONException error) {
            throw new ModelException(report.place() + "recipe cannot be shown (" + error.getMessage() + ").", error);
        }
    }
}
