package org.tfcompress.demo.share;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.util.List;

/**
 * Lets the app that the user shares a report with read it: {@code content://org.tfcompress.demo.reports/NAME.json},
 * read-only, and only for whom the sharing intent gave leave. No other file of this app can be named.
 */
public final class ReportProvider extends ContentProvider {
    static final String TYPE = "application/json";

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public String getType(Uri uri) {
        return TYPE;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
        if (!"r".equals(mode)) {
            throw new FileNotFoundException("reports are read-only, and mode " + mode + " writes");
        }
        return ParcelFileDescriptor.open(file(uri), ParcelFileDescriptor.MODE_READ_ONLY);
    }

    @Override
    public Cursor query(Uri uri, String[] projection, String selection, String[] arguments, String order) {
        String[] columns =
                projection == null ? new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE} : projection;
        MatrixCursor cursor = new MatrixCursor(columns, 1);
        try {
            File file = file(uri);
            MatrixCursor.RowBuilder row = cursor.newRow();
            for (String column : columns) {
                if (OpenableColumns.DISPLAY_NAME.equals(column)) {
                    row.add(file.getName());
                } else {
                    row.add(OpenableColumns.SIZE.equals(column) ? file.length() : null);
                }
            }
        } catch (FileNotFoundException none) {
            return cursor;
        }
        return cursor;
    }

    @Override
    public Uri insert(Uri uri, ContentValues values) {
        throw new UnsupportedOperationException("reports are read-only");
    }

    @Override
    public int update(Uri uri, ContentValues values, String selection, String[] arguments) {
        throw new UnsupportedOperationException("reports are read-only");
    }

    @Override
    public int delete(Uri uri, String selection, String[] arguments) {
        throw new UnsupportedOperationException("reports are read-only");
    }

    private File file(Uri uri) throws FileNotFoundException {
        Context context = getContext();
        List<String> path = uri.getPathSegments();
        if (context == null || path.size() != 1 || !SharedReport.isName(path.get(0))) {
            throw new FileNotFoundException("no report is at " + uri);
        }
        File file = new File(SharedReport.folder(context), path.get(0));
        if (!file.isFile()) {
            throw new FileNotFoundException("the report " + path.get(0) + " is gone; share it anew");
        }
        return file;
    }
}
