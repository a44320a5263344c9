package org.tfcompress.demo.measure;

import org.json.JSONException;
import org.json.JSONObject;
import org.tfcompress.demo.model.Printable;

/** One number of a report in the toolkit's own form (docs/json.md): what it is, its unit, and how it was got. */
public final class ReportRow {
    /** The only way in which a phone gets a number. */
    public static final String MEASURED = "measured";

    public final String name;

    /** A finite {@link Number}, or a text that says why there is none. */
    public final Object value;

    /** {@code bytes}, {@code ms}, {@code count}, {@code fraction}, ... */
    public final String unit;

    public final String how;

    /** Name and version of what ran the model, delegate and threads. */
    public final String runtime;

    /** The device that the number is about. */
    public final String target;

    /** Where the number comes from: processor, app and version. */
    public final String source;

    /**
     * A row; texts lose what cannot be printed and what is longer than a report takes.
     *
     * @param value a finite {@link Number} or a text
     */
    public ReportRow(
            String name, Object value, String unit, String how, String runtime, String target, String source) {
        this.name = Printable.line(name, 120);
        this.value = value instanceof Number ? finite((Number) value) : Printable.line(value.toString(), 200);
        this.unit = Printable.line(unit, 40);
        this.how = Printable.line(how, 40);
        this.runtime = Printable.line(runtime, 200);
        this.target = Printable.line(target, 200);
        this.source = Printable.line(source, 200);
    }

    private static Number finite(Number value) {
        if (Double.isNaN(value.doubleValue()) || Double.isInfinite(value.doubleValue())) {
            throw new IllegalArgumentException("a report's value is " + value + ", expected a finite number");
        }
        return value;
    }

    /** Whether there is a number. */
    public boolean isNumber() {
        return value instanceof Number;
    }

    /** The number; NaN where there is none. */
    public double number() {
        return isNumber() ? ((Number) value).doubleValue() : Double.NaN;
    }

    /** The row of a report's JSON; what is absent is empty. */
    public static ReportRow of(JSONObject row) throws JSONException {
        Object value = row.isNull("value") ? "" : row.get("value");
        return new ReportRow(
                row.getString("name"), value, row.optString("unit"), row.optString("how"), row.optString("runtime"),
                row.optString("target"), row.optString("source"));
    }

    /** The row as JSON, with exactly the seven keys of a report. */
    public JSONObject json() {
        try {
            return new JSONObject()
                    .put("name", name)
                    .put("value", value)
                    .put("unit", unit)
                    .put("how", how)
                    .put("runtime", runtime)
                    .put("target", target)
                    .put("source", source);
        } catch (JSONException impossible) { // values are finite
            throw new IllegalStateException(impossible);
        }
    }
}
