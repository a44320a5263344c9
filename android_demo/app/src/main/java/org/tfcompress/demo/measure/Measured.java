package org.tfcompress.demo.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** What one way to run a model came to: its times and the memory it took. */
public final class Measured {
    /** Name and version of the runtime, delegate and threads. */
    public final String runtime;

    public final Timing timing;

    /** Growth of the process in bytes, the model's file included; empty where the system does not tell. */
    public final OptionalLong peakBytes;

    public Measured(String runtime, Timing timing, OptionalLong peakBytes) {
        this.runtime = runtime;
        this.timing = timing;
        this.peakBytes = peakBytes;
    }

    /** The rows of a report: three quantiles of the time, the number of runs, and the memory. */
    public List<ReportRow> rows(DeviceInfo device) {
        List<ReportRow> rows = new ArrayList<>();
        rows.add(time("latency_p50", timing.p50(), device));
        rows.add(time("latency_p90", timing.p90(), device));
        rows.add(time("latency_p99", timing.p99(), device));
        rows.add(row("latency_runs", timing.runs(), "count", device));
        Object memory = peakBytes.isPresent() ? (Object) peakBytes.getAsLong() : Memory.MISSING;
        rows.add(row("peak_memory", memory, "bytes", device));
        return rows;
    }

    private ReportRow time(String name, double milliseconds, DeviceInfo device) {
        Object value = milliseconds > 0 ? (Object) milliseconds : "shorter than this phone's clock can tell";
        return row(name, value, "ms", device);
    }

    private ReportRow row(String name, Object value, String unit, DeviceInfo device) {
        return new ReportRow(name, value, unit, ReportRow.MEASURED, runtime, device.target(), device.source());
    }
}
