package org.tfcompress.demo.measure;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.RunOptions;

/** Several ways to run one model, and what each came to. Read and changed by one thread. */
public final class Suite {
    /** How far one way to run the model is. */
    public enum State {
        WAITING,
        RUNNING,
        DONE,
        FAILED,
        STOPPED
    }

    /** One way to run the model. */
    public static final class Entry {
        public final RunOptions options;
        private State state = State.WAITING;
        private int done;
        private Measured measured;
        private String problem;

        Entry(RunOptions options) {
            this.options = options;
        }

        public State state() {
            return state;
        }

        /** Timed runs so far. */
        public int done() {
            return done;
        }

        /** What was measured; null unless it is done. */
        public Measured measured() {
            return measured;
        }

        /** Why it could not run; null unless it failed. */
        public String problem() {
            return problem;
        }

        /** It begins. */
        public void begin() {
            state = State.RUNNING;
        }

        public void progress(int runs) {
            done = runs;
        }

        public void finish(Measured result) {
            measured = result;
            state = State.DONE;
        }

        public void fail(String sentence) {
            problem = sentence;
            state = State.FAILED;
        }

        void stop() {
            if (state == State.WAITING || state == State.RUNNING) {
                state = State.STOPPED;
            }
        }
    }

    /** The model's title, size in bytes and SHA-256. */
    public final String title;

    public final long bytes;
    public final String sha256;

    /** Timed runs of each. */
    public final int runs;

    private final List<Entry> entries = new ArrayList<>();

    /** @param runs timed runs of each way */
    public Suite(String title, long bytes, String sha256, List<RunOptions> ways, int runs) {
        this.title = title;
        this.bytes = bytes;
        this.sha256 = sha256;
        this.runs = runs;
        for (RunOptions way : ways) {
            entries.add(new Entry(way));
        }
    }

    /** Every delegate with every number of threads, in the order in which they are given. */
    public static List<RunOptions> ways(Collection<Delegate> delegates, Collection<Integer> threads) {
        List<RunOptions> ways = new ArrayList<>();
        for (Delegate delegate : delegates) {
            for (int count : threads) {
                ways.add(new RunOptions(count, delegate));
            }
        }
        return ways;
    }

    public List<Entry> entries() {
        return Collections.unmodifiableList(entries);
    }

    /** What is not done will not be. */
    public void stop() {
        for (Entry entry : entries) {
            entry.stop();
        }
    }

    /** The first that waits; null if none does. */
    public Entry next() {
        for (Entry entry : entries) {
            if (entry.state == State.WAITING) {
                return entry;
            }
        }
        return null;
    }

    /** True while one waits or runs. */
    public boolean isRunning() {
        for (Entry entry : entries) {
            if (entry.state == State.WAITING || entry.state == State.RUNNING) {
                return true;
            }
        }
        return false;
    }

    /** The longest median in milliseconds; 0 where nothing was measured. */
    public double slowest() {
        double slowest = 0;
        for (Entry entry : entries) {
            slowest = Math.max(slowest, entry.measured == null ? 0 : entry.measured.timing.p50());
        }
        return slowest;
    }

    /** The fastest way by its median; null where nothing was measured. */
    public Measured fastest() {
        Measured fastest = null;
        for (Entry entry : entries) {
            Measured one = entry.measured;
            if (one != null && (fastest == null || one.timing.p50() < fastest.timing.p50())) {
                fastest = one;
            }
        }
        return fastest;
    }

    /**
     * What was measured as a report's JSON; what failed or was stopped is in its notes.
     *
     * @param day on which it is told, such as {@code 2026-01-31}
     */
    public String report(DeviceInfo phone, String day) {
        DeviceInfo device = new DeviceInfo() {
            @Override
            public String target() {
                return phone.target();
            }

            @Override
            public String source() {
                return phone.source() + ", " + day;
            }
        };
        List<ReportRow> rows = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.measured != null) {
                rows.addAll(entry.measured.rows(device));
            } else {
                String why = entry.problem == null ? "stopped before it was done" : entry.problem;
                notes.add(entry.options + ": " + why);
            }
        }
        return ReportJson.report(title, bytes, sha256, rows, notes);
    }
}
