package org.tfcompress.demo.share;

import android.content.ClipData;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** A report on its way to another app. */
public final class SharedReport {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\\.json");
    private static final long KEPT_MILLISECONDS = 24L * 60 * 60 * 1000;

    private SharedReport() {}

    /**
     * A file name for a report of a model.
     *
     * @param title the model's
     * @param time such as {@code 2026-01-31-120000}
     */
    public static String name(String title, String time) {
        String safe = title.replaceAll("[^A-Za-z0-9]+", "-").replaceAll("^-+|-+$", "");
        return (safe.isEmpty() ? "model" : safe.substring(0, Math.min(60, safe.length()))) + "-" + time + ".json";
    }

    /**
     * Writes the report where {@link ReportProvider} finds it, and removes what is older than a day. Never on the main
     * thread.
     *
     * @param name one that {@link #name} made
     * @return the report's {@code content://} address
     * @throws IOException there is no room for it
     */
    public static Uri write(Context context, String name, String json) throws IOException {
        if (!isName(name)) {
            throw new IllegalArgumentException("the report's name is " + name);
        }
        File folder = folder(context);
        if (!folder.isDirectory() && !folder.mkdirs()) {
            throw new IOException("no folder could be made for the report");
        }
        removeOld(folder, System.currentTimeMillis() - KEPT_MILLISECONDS);
        try (FileOutputStream out = new FileOutputStream(new File(folder, name))) {
            out.write(json.getBytes(StandardCharsets.UTF_8));
        }
        return new Uri.Builder().scheme("content").authority(context.getPackageName() + ".reports").path(name).build();
    }

    /** The intent that hands the report to the app that the user chooses. */
    public static Intent intent(Uri report, String title) {
        Intent send = new Intent(Intent.ACTION_SEND);
        send.setType(ReportProvider.TYPE);
        send.putExtra(Intent.EXTRA_STREAM, report);
        send.putExtra(Intent.EXTRA_SUBJECT, title);
        send.setClipData(ClipData.newRawUri(title, report)); // without it the chooser hands no leave on
        send.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION);
        return send;
    }

    /** The intent that lets the user choose where to save the report. */
    public static Intent saveIntent(String name) {
        Intent create = new Intent(Intent.ACTION_CREATE_DOCUMENT);
        create.addCategory(Intent.CATEGORY_OPENABLE);
        create.setType(ReportProvider.TYPE);
        create.putExtra(Intent.EXTRA_TITLE, name);
        return create;
    }

    static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    static File folder(Context context) {
        return new File(context.getCacheDir(), "reports");
    }

    private static void removeOld(File folder, long before) {
        File[] files = folder.listFiles();
        if (files == null) {
            return;
        }
        for (File file : files) {
            if (file.lastModified() < before) {
                file.delete(); // if not now, then next time
            }
        }
    }
}
