package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.measure.ReportRow;

/** What the toolkit's report says of the file. */
public final class Promise {
    public final List<ReportRow> rows;

    /** The recipe as JSON, indented; null where the file was made without one. */
    public final String recipe;

    public final List<String> notes;

    public Promise(List<ReportRow> rows, String recipe, List<String> notes) {
        this.rows = Collections.unmodifiableList(new ArrayList<>(rows));
        this.recipe = recipe;
        this.notes = Collections.unmodifiableList(new ArrayList<>(notes));
    }

    public boolean isEmpty() {
        return rows.isEmpty() && recipe == null && notes.isEmpty();
    }
}
