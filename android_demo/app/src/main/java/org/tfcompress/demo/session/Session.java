package org.tfcompress.demo.session;

import android.content.Context;
import android.net.Uri;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Guess;
import org.tfcompress.demo.runtime.Outcome;

/**
 * What outlives a rotation: the list of models, the one that is shown, what was put into it and what came out. One for
 * the whole process. Main thread only, but for what is given to {@link #work}.
 */
public final class Session {
    /** Told on the main thread. */
    public interface Listener {
        /** The model, the list of models or how it stands with them changed. */
        void modelChanged();

        /** There is a new outcome, or what was put in could not be run. */
        void outcomeChanged();
    }

    /** How it stands with the model. */
    public enum State {
        /** There is none to be shown. */
        EMPTY,
        LOADING,
        READY,
        /** It cannot be run; {@link #problem} says why. */
        BROKEN
    }

    private final Worker worker;
    private final Shelf shelf;
    private final Classifier classifier;
    private final Inputs inputs = new Inputs();
    private final Findings findings = new Findings(this);
    private final List<Listener> listeners = new ArrayList<>();

    /** @param context the application's */
    public Session(Context context) {
        worker = new Worker(context);
        classifier = new Classifier(worker, () -> tell(Listener::outcomeChanged));
        shelf = new Shelf(context, worker, new Shelf.Listener() {
            @Override
            public void shelfChanged() {
                tell(Listener::modelChanged);
            }

            @Override
            public void use(Opened now) {
                classifier.use(now);
            }
        });
    }

    /** Lists the models and opens the one that was shown last; at the first call only. */
    public void start() {
        shelf.start();
    }

    /** Shows another model. What was put in stays, and is run again with it if it is of the same kind. */
    public void open(Listed listed) {
        shelf.open(listed);
    }

    /** Takes in a file that the user chose, and shows it. If it cannot run, {@link #notice} says why. */
    public void bring(Uri file) {
        shelf.bring(file);
    }

    /** Removes a model that the user opened; shows the first other one if it was this one that is shown. */
    public void delete(Listed listed) {
        shelf.delete(listed);
    }

    /** Scales the pixels of a model without model.json in another way, from now on. */
    public void scale(Guess.Pixels pixels) {
        shelf.scale(pixels);
    }

    public State state() {
        return shelf.state();
    }

    /** The model that is shown; null unless READY. */
    public DemoModel model() {
        return shelf.state() == State.READY ? shelf.opened().model : null;
    }

    /** Runtime, delegate and threads that it is run with; null unless READY. */
    public String runtime() {
        return shelf.state() == State.READY ? shelf.opened().runtime : null;
    }

    /** What was chosen, also while it loads or if it is broken; null if there is none. */
    public Listed chosen() {
        return shelf.chosen();
    }

    public List<Listed> models() {
        return shelf.models();
    }

    /** Why the model that was chosen cannot be run; null unless BROKEN. */
    public String problem() {
        return shelf.problem();
    }

    /** Why a file could not be taken in; null if there is nothing to say, or it was read. */
    public String notice() {
        return shelf.notice();
    }

    public void noticeRead() {
        shelf.noticeRead();
    }

    /** What the user drew, picked, recorded or wrote. */
    public Inputs inputs() {
        return inputs;
    }

    /** Runs the model on that as soon as it can; of several that wait only the last is run. */
    public void classify(Input what) {
        classifier.classify(what);
    }

    /** True while there is something to run: a camera's frame is better dropped then. */
    public boolean busy() {
        return classifier.busy();
    }

    /** Forgets what was put in and what came out. */
    public void clearOutcome() {
        classifier.clear();
    }

    /** Values that were last run, in the float model's units; null if none were. */
    public float[] input() {
        return classifier.values();
    }

    /** What was put in last, if it could be run; null if not, or if nothing was. */
    public Input given() {
        return classifier.given();
    }

    /** What came out of {@link #input}; null if nothing did. */
    public Outcome outcome() {
        return classifier.outcome();
    }

    /** Why the last input could not be run; null if it could. */
    public String inputProblem() {
        return classifier.problem();
    }

    /** Benchmark, comparison and check of reference inputs. */
    public Findings findings() {
        return findings;
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

    private void tell(Consumer<Listener> what) {
        for (Listener listener : new ArrayList<>(listeners)) {
            what.accept(listener);
        }
    }
}
