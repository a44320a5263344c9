package org.tfcompress.demo.session;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.tfcompress.demo.compare.Comparison;
import org.tfcompress.demo.model.ModelException;

/** The comparison that is under way, or the last one. Outlives a rotation. Main thread only. */
public final class ComparisonRun extends Watched {
    /** What makes a comparison; asked to end early by the flag. */
    public interface Maker {
        Comparison make(AtomicBoolean cancelled) throws ModelException, IOException;
    }

    private final Session session;
    private AtomicBoolean cancelled = new AtomicBoolean();
    private Object of;
    private boolean running;
    private Comparison comparison;
    private String problem;

    ComparisonRun(Session session) {
        this.session = session;
    }

    /** What is compared on what; null for nothing. */
    public Object of() {
        return of;
    }

    public boolean isRunning() {
        return running;
    }

    /** The result; null if there is none. */
    public Comparison comparison() {
        return comparison;
    }

    /** Why there is no result; null if there is nothing to say. */
    public String problem() {
        return problem;
    }

    /** Forgets what was compared, and ends what is under way. */
    public void clear() {
        cancelled.set(true);
        of = null;
        running = false;
        comparison = null;
        problem = null;
    }

    /** Begins another comparison in place of the one before. */
    public void start(Object what, Maker maker) {
        clear();
        of = what;
        running = true;
        AtomicBoolean stop = new AtomicBoolean();
        cancelled = stop;
        session.work(() -> {
            try {
                return maker.make(stop);
            } catch (CancellationException ended) {
                return null;
            }
        }, new Worker.Done<Comparison>() {
            @Override
            public void done(Comparison made) {
                end(stop, made, null);
            }

            @Override
            public void failed(String sentence) {
                end(stop, null, sentence);
            }
        });
        tell();
    }

    private void end(AtomicBoolean stop, Comparison made, String sentence) {
        if (stop.get()) {
            return; // another one has begun
        }
        running = false;
        comparison = made;
        problem = sentence;
        tell();
    }
}
