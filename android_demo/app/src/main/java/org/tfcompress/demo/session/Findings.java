package org.tfcompress.demo.session;

import org.tfcompress.demo.measure.VectorResult;

/** What was found out about models on this phone. Outlives a rotation. Main thread only. */
public final class Findings {
    private final BenchmarkRun benchmark;
    private final ComparisonRun comparison;
    private final CheckRun check;

    Findings(Session session) {
        benchmark = new BenchmarkRun(session);
        comparison = new ComparisonRun(session);
        check = new CheckRun(session);
    }

    /** The benchmark that is under way, or the last one. */
    public BenchmarkRun benchmark() {
        return benchmark;
    }

    /** The comparison that is under way, or the last one. */
    public ComparisonRun comparison() {
        return comparison;
    }

    /** The check of reference inputs that is under way, or the last one. */
    public CheckRun check() {
        return check;
    }

    /** What came of the last check of reference inputs if it was of the file with that SHA-256, else null. */
    public VectorResult check(String sha256) {
        return check.result(sha256);
    }
}
