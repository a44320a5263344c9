package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;

import java.util.Arrays;
import java.util.OptionalLong;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.runtime.Delegate;

public class SuiteTest {
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

    private final Suite suite = new Suite("Digits", 4208, "ab", Suite.ways(
            Arrays.asList(Delegate.XNNPACK, Delegate.CPU), Arrays.asList(1, 4)), 10);

    @Test
    public void everyDelegateRunsWithEveryNumberOfThreads() {
        StringBuilder ways = new StringBuilder();
        for (Suite.Entry entry : suite.entries()) {
            ways.append(entry.options).append("; ");
        }
        assertEquals("XNNPACK, 1 thread; XNNPACK, 4 threads; built-in kernels, 1 thread; built-in kernels, 4 threads; ",
                ways.toString());
    }

    @Test
    public void whatIsMeasuredStaysWhenTheRestIsStopped() {
        finish(suite.next(), 2);
        suite.next().begin();
        suite.stop();
        assertFalse(suite.isRunning());
        assertNull(suite.next());
        assertEquals(Suite.State.DONE, suite.entries().get(0).state());
        assertEquals(Suite.State.STOPPED, suite.entries().get(1).state());
        assertEquals(Suite.State.STOPPED, suite.entries().get(3).state());
    }

    @Test
    public void oneThatFailsDoesNotKeepTheRestBack() {
        suite.next().fail("no kernel for Mystery");
        assertTrue(suite.isRunning());
        assertSame(suite.entries().get(1), suite.next());
    }

    @Test
    public void theReportSaysWhatFailedAndWhatWasStopped() throws JSONException {
        suite.next().fail("no kernel for Mystery");
        finish(suite.next(), 2);
        suite.stop();
        JSONObject report = new JSONObject(suite.report(PHONE, "2026-01-31"));
        assertEquals(5, report.getJSONArray("rows").length());
        assertEquals("[\"XNNPACK, 1 thread: no kernel for Mystery\","
                + "\"built-in kernels, 1 thread: stopped before it was done\","
                + "\"built-in kernels, 4 threads: stopped before it was done\"]",
                report.getJSONArray("notes").toString());
        assertEquals("Some Processor, demo app 0.1.0, 2026-01-31",
                report.getJSONArray("rows").getJSONObject(0).getString("source"));
        assertEquals(4208, report.getJSONObject("model").getInt("bytes"));
    }

    @Test
    public void theFastestIsTheOneWithTheLeastMedian() {
        assertNull(suite.fastest());
        finish(suite.next(), 3);
        finish(suite.next(), 2);
        assertEquals(2, suite.fastest().timing.p50(), 0);
        assertEquals(3, suite.slowest(), 0);
    }

    private static void finish(Suite.Entry entry, double milliseconds) {
        entry.finish(new Measured(
                "LiteRT (" + entry.options + ")", new Timing(new double[] {milliseconds}), OptionalLong.of(7)));
    }
}
