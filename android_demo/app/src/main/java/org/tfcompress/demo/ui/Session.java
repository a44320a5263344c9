package org.tfcompress.demo.ui;

import android.content.Context;
import java.util.ArrayList;
import java.util.List;

/**
 * What outlives a rotation: the library of models, the one that is shown, what was put into it and what came out. One for
 * the whole process. Main thread only, but for what is done in {@link #work}.
 */
public final class Session {
    /** Told on the main thread that the model, or what is known of it, has changed. */
    public interface Listener {
        void sessionChanged();
    }

    /** How it stands with the model. */
    public enum State {
        /** None is there yet to be shown. */
        EMPTY,
        LOADING,
        READY,
        /** It cannot be run; {@link #problem} says why. */
        BROKEN
    }

    private final Worker worker;
    private final List<Listener> listeners = new ArrayList<>();
    private State state = State.EMPTY;
    private String problem;

    public Session(Context context) {
        worker = new Worker(context.getApplicationContext());
    }

    public State state() {
        return state;
    }

    /** The sentence for the user that says what is wrong with the model; null unless it is broken. */
    public String problem() {
        return problem;
    }

    /** Runs the work on the one thread that opens files and runs models. */
    public <T> void work(Worker.Work<T> work, Worker.Done<T> done) {
        worker.work(work, done);
    }

    public Worker worker() {
        return worker;
    }

    public void listen(Listener listener) {
        listeners.add(listener);
    }

    public void forget(Listener listener) {
        listeners.remove(listener);
    }

    private void changed() {
        for (Listener listener : new ArrayList<>(listeners)) {
            listener.sessionChanged();
        }
    }
}
