package org.tfcompress.demo.share;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.ContentResolver;
import android.content.ContentValues;
import android.content.Context;
import android.content.Intent;
import android.content.pm.ProviderInfo;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Scanner;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class ReportProviderTest {
    private static final String JSON = "{\"rows\": []}\n";

    private final Context context = RuntimeEnvironment.getApplication();
    private final ContentResolver resolver = context.getContentResolver();
    private Uri report;

    @Before
    public void share() throws IOException {
        report = SharedReport.write(context, SharedReport.name("Digits: int8/\u00fc", "2026-01-31-120000"), JSON);
    }

    @Test
    public void theAppThatItIsSharedWithReadsTheReport() throws IOException {
        assertEquals("content://org.tfcompress.demo.reports/Digits-int8-2026-01-31-120000.json", report.toString());
        assertEquals(JSON, read(report));
        assertEquals("application/json", resolver.getType(report));
    }

    @Test
    public void nameAndSizeAreTold() {
        try (Cursor cursor = resolver.query(report, null, null, null, null)) {
            assertTrue(cursor.moveToFirst());
            assertEquals("Digits-int8-2026-01-31-120000.json",
                    cursor.getString(cursor.getColumnIndexOrThrow(OpenableColumns.DISPLAY_NAME)));
            assertEquals(JSON.length(), cursor.getLong(cursor.getColumnIndexOrThrow(OpenableColumns.SIZE)));
        }
    }

    @Test
    public void theIntentGivesLeaveToReadAndNothingMore() {
        Intent send = SharedReport.intent(report, "Benchmark");
        assertEquals(report, send.getParcelableExtra(Intent.EXTRA_STREAM));
        assertEquals(report, send.getClipData().getItemAt(0).getUri());
        assertEquals(Intent.FLAG_GRANT_READ_URI_PERMISSION, send.getFlags());
    }

    @Test
    public void noOtherFileOfTheAppCanBeRead() throws IOException {
        File secret = new File(context.getFilesDir(), "secret.json");
        Files.write(secret.toPath(), new byte[] {1});
        String folder = "content://org.tfcompress.demo.reports/";
        for (String path : new String[] {
            "../../files/secret.json", "..%2F..%2Ffiles%2Fsecret.json", "x/../../../files/secret.json", "", "none.json",
            Uri.encode(secret.getPath()), "%2e%2e%2fsecret.json"
        }) {
            Uri uri = Uri.parse(folder + path);
            assertThrows(path, FileNotFoundException.class, () -> read(uri));
            try (Cursor cursor = resolver.query(uri, null, null, null, null)) {
                assertEquals(0, cursor.getCount());
            }
        }
    }

    @Test
    public void aReportCannotBeChanged() {
        for (String mode : new String[] {"w", "rw", "wt", "wa"}) {
            assertThrows(mode, FileNotFoundException.class, () -> resolver.openFileDescriptor(report, mode));
        }
        assertThrows(UnsupportedOperationException.class, () -> resolver.delete(report, null, null));
        assertThrows(UnsupportedOperationException.class, () -> resolver.insert(report, new ContentValues()));
        assertThrows(
                UnsupportedOperationException.class, () -> resolver.update(report, new ContentValues(), null, null));
    }

    @Test
    public void onlyWhoIsGivenLeaveMayAsk() {
        ProviderInfo provider = context.getPackageManager().resolveContentProvider("org.tfcompress.demo.reports", 0);
        assertFalse(provider.exported);
        assertTrue(provider.grantUriPermissions);
    }

    @Test
    public void reportsOlderThanADayAreRemovedWithTheNext() throws IOException {
        File old = new File(SharedReport.folder(context), report.getLastPathSegment());
        assertTrue(old.setLastModified(System.currentTimeMillis() - 25L * 60 * 60 * 1000));
        Uri next = SharedReport.write(context, SharedReport.name("", "now"), JSON);
        assertFalse(old.exists());
        assertEquals(JSON, read(next));
    }

    private String read(Uri uri) throws IOException {
        try (InputStream in = resolver.openInputStream(uri);
                Scanner scanner = new Scanner(in, StandardCharsets.UTF_8.name())) {
            return scanner.useDelimiter("\\A").next();
        }
    }
}
