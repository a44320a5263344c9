package org.tfcompress.demo.measure;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this process grows by, in resident memory, from {@link #start} to its highest point, as Linux counts it.
 *
 * <p>Its own counter of the peak ({@code VmHWM}) is reset where Android allows that. Where it does not, and the process
 * had needed more at an earlier time, the highest of the moments at which {@link #look} was called stands in.
 */
public final class Memory {
    /** Stands in a report where the system does not tell. */
    public static final String MISSING = "this phone does not let an app read its own memory";

    private static final Pattern LINE = Pattern.compile("(VmRSS|VmHWM):\\s+(\\d{1,15}) kB");

    private final File process;
    private final long before;
    private final long peakBefore;
    private long highest;

    private Memory(File process) {
        this.process = process;
        resetPeak();
        before = read("VmRSS");
        peakBefore = read("VmHWM");
        highest = before;
    }

    /** Takes the present state as the baseline: call it before the model is loaded. */
    public static Memory start() {
        return start(new File("/proc/self"));
    }

    static Memory start(File process) {
        return new Memory(process);
    }

    /** Looks how large the process is now: call it while the model is still loaded. */
    public void look() {
        highest = Math.max(highest, read("VmRSS"));
    }

    /**
     * Growth in bytes up to the highest point; empty where the system does not tell.
     *
     * @param alreadyResident bytes of the model's file that were in memory before the start, which count too
     */
    public OptionalLong peakBytes(long alreadyResident) {
        look();
        long peak = read("VmHWM");
        if (before < 0) {
            return OptionalLong.empty();
        }
        if (peak > peakBefore) { // reached since the start
            highest = Math.max(highest, peak);
        }
        return OptionalLong.of(highest - before + alreadyResident);
    }

    /** Writing 5 sets the peak to the present (proc(5), clear_refs). */
    private void resetPeak() {
        File file = new File(process, "clear_refs");
        if (!file.exists()) {
            return;
        }
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write('5');
        } catch (IOException | SecurityException refused) {
            // Not every phone allows it; peakBefore then tells what the counter is good for.
        }
    }

    /** Bytes; -1 where they cannot be read. */
    private long read(String name) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new FileInputStream(new File(process, "status")), StandardCharsets.US_ASCII))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                Matcher found = LINE.matcher(line);
                if (found.matches() && found.group(1).equals(name)) {
                    return Long.parseLong(found.group(2)) * 1024;
                }
            }
        } catch (IOException | SecurityException unreadable) {
            return -1;
        }
        return -1;
    }
}
