package org.tfcompress.demo.session;

import android.os.Handler;
import android.os.Looper;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.measure.Measured;
import org.tfcompress.demo.measure.Measurement;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Runners;

/**
 * The benchmark that is under way, or the last one. Outlives a rotation. Main thread only; each way to run the model
 * is a piece of the session's work of its own, so that nothing else runs a model meanwhile.
 */
public final class BenchmarkRun extends Watched {
    private final Session session;
    private final Handler main = new Handler(Looper.getMainLooper());
    private Suite suite;
    private AtomicBoolean cancelled = new AtomicBoolean();

    BenchmarkRun(Session session) {
        this.session = session;
    }

    /** What is measured or was; null if nothing. */
    public Suite suite() {
        return suite;
    }

    /** The suite if it is about the file with that SHA-256, else null. */
    public Suite suiteOf(String sha256) {
        return suite != null && suite.sha256.equals(sha256) ? suite : null;
    }

    public boolean isRunning() {
        return suite != null && suite.isRunning();
    }

    /** Begins; what ran before is stopped, and its results are forgotten. */
    public void start(Suite planned, ByteBuffer model) {
        stop();
        suite = planned;
        cancelled = new AtomicBoolean();
        next(planned, model, cancelled);
    }

    /** Ends it after the inference that runs now; what is done stays. */
    public void stop() {
        cancelled.set(true);
        if (isRunning()) {
            suite.stop();
            tell();
        }
    }

    private void next(Suite of, ByteBuffer model, AtomicBoolean stop) {
        Suite.Entry entry = of.next();
        if (entry != null) {
            entry.begin();
            session.work(() -> measure(of, entry, model, stop), new Worker.Done<Measured>() {
                @Override
                public void done(Measured measured) {
                    if (measured != null) {
                        entry.finish(measured);
                        next(of, model, stop);
                    }
                }

                @Override
                public void failed(String sentence) {
                    entry.fail(sentence);
                    next(of, model, stop);
                }
            });
        }
        tell();
    }

    /** Null if it was stopped. */
    private Measured measure(Suite of, Suite.Entry entry, ByteBuffer model, AtomicBoolean stop)
            throws ModelException {
        Threads.background();
        Measurement measurement = new Measurement(Runners.factory, System::nanoTime);
        try {
            return measurement.run(model, entry.options, of.runs, (done, all) -> tell(entry, done), stop::get);
        } catch (CancellationException stopped) {
            return null;
        }
    }

    private void tell(Suite.Entry entry, int done) {
        main.post(() -> {
            entry.progress(done);
            tell();
        });
    }
}
