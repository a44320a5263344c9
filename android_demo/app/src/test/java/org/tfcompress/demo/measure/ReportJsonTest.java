package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.Test;

/** The files in tests/golden are read by the toolkit's own tests, which hold that they are reports. */
public class ReportJsonTest {
    private static final File GOLDEN = new File("../tests/golden");
    private static final DeviceInfo PHONE = new DeviceInfo() {
        @Override
        public String target() {
            return "Maker Model, Android 14";
        }

        @Override
        public String source() {
            return "Some Processor, demo app 0.1.0";
        }
    };

    @Test
    public void theSharedReportIsTheOneThatTheToolkitReads() throws IOException {
        String sha256 = String.join("", Collections.nCopies(64, "a"));
        List<String> notes = Collections.singletonList("NNAPI, 1 thread: this phone has no NNAPI");
        assertGolden("phone_report.json", ReportJson.report("Digits \u00fc", 4208, sha256, rows(), notes));
    }

    @Test
    public void theAnswerByWireIsTheOneThatTheToolkitReads() throws IOException {
        assertGolden("phone_answer.json", ReportJson.answer("0123456789abcdef0123456789abcdef", rows()));
    }

    @Test
    public void anErrorKeepsItsWords() throws JSONException {
        JSONObject error = new JSONObject(ReportJson.error("ab", "no kernel for \"Mystery\"\n"));
        assertEquals("no kernel for \"Mystery\"\n", error.getString("error"));
        assertEquals("ab", error.getString("id"));
    }

    @Test
    public void aRowComesBackAsItWas() throws JSONException {
        JSONArray rows = new JSONObject(ReportJson.answer("ab", rows())).getJSONArray("rows");
        for (int i = 0; i < rows.length(); i++) {
            ReportRow row = ReportRow.of(rows.getJSONObject(i));
            ReportRow expected = rows().get(i);
            assertEquals(expected.json().toString(), row.json().toString());
        }
    }

    @Test
    public void textsOfAPhoneAreMadePrintable() {
        String name = "Evil\u0000 \u202ePhone\n\ud800" + String.join("", Collections.nCopies(300, "x"));
        ReportRow row = new ReportRow("latency_p50", "why\tnot", "ms", "measured", "LiteRT", name, "app");
        assertTrue(row.target, row.target.startsWith("Evil Phone xxx") && row.target.length() == 200);
        assertEquals("why not", row.value);
    }

    @Test
    public void whatIsNoNumberIsRefused() {
        for (double value : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> row(value));
        }
    }

    @Test
    public void aTimeThatTheClockCannotTellIsNotZero() {
        Measured measured = new Measured("LiteRT", new Timing(new double[] {0, 0, 0, 0}), OptionalLong.of(1));
        assertEquals("shorter than this phone's clock can tell", measured.rows(PHONE).get(0).value);
    }

    private static ReportRow row(double value) {
        return new ReportRow("a", value, "ms", "measured", "LiteRT", "phone", "app");
    }

    private static List<ReportRow> rows() {
        double[] times = {1.31, 0.97, 4.003, 1.1, 1.27, 0.88, 12.6, 1.05, 1.19, 1.22};
        Timing timing = new Timing(times);
        List<ReportRow> rows = new ArrayList<>();
        String fast = "TensorFlow Lite 2.16.1 (XNNPACK, 1 thread)";
        rows.addAll(new Measured(fast, timing, OptionalLong.of(278528)).rows(PHONE));
        String plain = "TensorFlow Lite 2.16.1 (built-in kernels, 2 threads)";
        rows.addAll(new Measured(plain, timing, OptionalLong.empty()).rows(PHONE));
        return rows;
    }

    private static void assertGolden(String name, String text) throws IOException {
        File file = new File(GOLDEN, name);
        assertEquals(new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8), text);
    }
}
