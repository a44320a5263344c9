package org.tfcompress.demo.session;

import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.VectorCheck;
import org.tfcompress.demo.measure.VectorResult;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Runners;

/** A check of a model's reference inputs, under way or the last one. Outlives a rotation. Main thread only. */
public final class CheckRun extends Watched {
    private final Session session;
    private String sha256 = "";
    private boolean running;
    private VectorResult result;
    private String problem;

    CheckRun(Session session) {
        this.session = session;
    }

    public boolean isRunning(DemoModel model) {
        return running && model.sha256.equals(sha256);
    }

    /** What came of it if it was of the file with that SHA-256, else null. */
    public VectorResult result(String of) {
        return of.equals(sha256) ? result : null;
    }

    /** Why nothing came of it; null if something did, or if it was of another model. */
    public String problem(DemoModel model) {
        return model.sha256.equals(sha256) ? problem : null;
    }

    /** Begins; an answer to an earlier one is dropped. */
    public void start(DemoModel model) {
        sha256 = model.sha256;
        running = true;
        result = null;
        problem = null;
        session.work(() -> check(model), new Worker.Done<VectorResult>() {
            @Override
            public void done(VectorResult found) {
                end(model, found, null);
            }

            @Override
            public void failed(String sentence) {
                end(model, null, sentence);
            }
        });
        tell();
    }

    private void end(DemoModel model, VectorResult found, String sentence) {
        if (isRunning(model)) {
            running = false;
            result = found;
            problem = sentence;
            tell();
        }
    }

    /** On the kernels that the export took in Python. */
    private static VectorResult check(DemoModel model) throws ModelException {
        Threads.background();
        return VectorCheck.run(model, Runners.factory);
    }
}
