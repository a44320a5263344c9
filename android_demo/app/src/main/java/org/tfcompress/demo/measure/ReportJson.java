package org.tfcompress.demo.measure;

import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Rows as JSON text: a report of its own, or the answer to a computer that asked (docs/phones.md). */
public final class ReportJson {
    private static final int INDENT = 2;

    private ReportJson() {}

    /**
     * A report: {@code {"model": {...}, "rows": [...], "notes": [...]}}, as docs/json.md has it.
     *
     * @param name the model's title
     * @param bytes size of its file
     * @param sha256 of its file
     * @param notes what could not be measured, and why
     */
    public static String report(
            String name, long bytes, String sha256, List<ReportRow> rows, List<String> notes) {
        try {
            JSONObject model = new JSONObject().put("name", name).put("bytes", bytes).put("sha256", sha256);
            return new JSONObject()
                    .put("model", model)
                    .put("rows", array(rows))
                    .put("notes", new JSONArray(notes))
                    .toString(INDENT) + "\n";
        } catch (JSONException impossible) { // rows hold finite numbers
            throw new IllegalStateException(impossible);
        }
    }

    /** {@code {"id": ..., "rows": [...]}}. */
    public static String answer(String id, List<ReportRow> rows) {
        try {
            return new JSONObject().put("id", id).put("rows", array(rows)).toString(INDENT) + "\n";
        } catch (JSONException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** {@code {"id": ..., "error": ...}}. */
    public static String error(String id, String message) {
        try {
            return new JSONObject().put("id", id).put("error", message).toString(INDENT) + "\n";
        } catch (JSONException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static JSONArray array(List<ReportRow> rows) {
        JSONArray array = new JSONArray();
        for (ReportRow row : rows) {
            array.put(row.json());
        }
        return array;
    }
}
