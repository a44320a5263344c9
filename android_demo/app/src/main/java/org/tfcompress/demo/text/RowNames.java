package org.tfcompress.demo.text;

import android.content.Context;
import java.util.HashMap;
import java.util.Map;
import org.tfcompress.demo.R;
import org.tfcompress.demo.measure.ReportRow;

/** A report's rows in words: what they are called, and their values with units. */
public final class RowNames {
    private static final Map<String, Integer> NAMES = new HashMap<>();

    static {
        NAMES.put("accuracy_before", R.string.row_accuracy_before);
        NAMES.put("accuracy_after", R.string.row_accuracy_after);
        NAMES.put("file_bytes", R.string.row_file_bytes);
        NAMES.put("gzip_bytes", R.string.row_gzip_bytes);
        NAMES.put("float_file_bytes", R.string.row_float_file_bytes);
        NAMES.put("float_gzip_bytes", R.string.row_float_gzip_bytes);
        NAMES.put("plain_file_bytes", R.string.row_plain_file_bytes);
        NAMES.put("plain_gzip_bytes", R.string.row_plain_gzip_bytes);
        NAMES.put("sparsity", R.string.row_sparsity);
        NAMES.put("distinct", R.string.row_distinct);
        NAMES.put("macs", R.string.row_macs);
        NAMES.put("arena", R.string.row_arena);
        NAMES.put("latency_p50", R.string.row_latency_p50);
        NAMES.put("latency_p90", R.string.row_latency_p90);
        NAMES.put("latency_p99", R.string.row_latency_p99);
        NAMES.put("latency_runs", R.string.row_latency_runs);
        NAMES.put("peak_memory", R.string.row_peak_memory);
        NAMES.put("training_seconds", R.string.row_training_seconds);
        NAMES.put("total_seconds", R.string.row_total_seconds);
    }

    private final Context context;
    private final Figures figures;

    public RowNames(Context context) {
        this.context = context;
        figures = new Figures(context);
    }

    /** What a row is called; one that this app does not know is called as the report has it. */
    public String name(String key) {
        Integer known = NAMES.get(key);
        return known == null ? key.replace('_', ' ').replace('/', ' ') : context.getString(known);
    }

    /** The value with its unit; a text stands as it is. */
    public String value(ReportRow row) {
        if (!row.isNumber()) {
            return String.valueOf(row.value);
        }
        switch (row.unit) {
            case "bytes":
                return row.name.contains("file") ? figures.exactBytes(row.number()) : figures.bytes(row.number());
            case "ms":
                return figures.ms(row.number());
            case "s":
                return figures.seconds(row.number());
            case "fraction":
                return figures.percent(row.number());
            case "count":
            case "":
                return figures.plain(row.number());
            default:
                return figures.plain(row.number()) + " " + row.unit;
        }
    }
}
