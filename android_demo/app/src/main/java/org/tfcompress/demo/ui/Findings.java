package org.tfcompress.demo.ui;

import org.tfcompress.demo.measure.VectorResult;

/** What was found out about models on this phone. Outlives a rotation. Main thread only. */
public final class Findings {
    private final BenchmarkRun benchmark;
    private final ComparisonRun comparison;
    private String checkedSha256 = "";
    private VectorResult check;

    Findings(Session session) {
        benchmark = new BenchmarkRun(session);
        comparison = new ComparisonRun(session);
    }

    /** The benchmark that is under way, or the last one. */
    public BenchmarkRun benchmark() {
        return benchmark;
    }

    /** The comparison that is under way, or the last one. */
    public ComparisonRun comparison() {
        return comparison;
    }

    /** The last check of reference inputs if it was of the file with that SHA-256, else null. */
    public VectorResult check(String sha256) {
        return checkedSha256.equals(sha256) ? check : null;
    }

    void keep(String sha256, VectorResult result) {
        checkedSha256 = sha256;
        check = result;
    }
}
