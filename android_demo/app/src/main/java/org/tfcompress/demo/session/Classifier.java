package org.tfcompress.demo.session;

import org.tfcompress.demo.runtime.Outcome;

/** Runs what is put in, one after the other; of what waits only the last. Main thread only. */
final class Classifier {
    private final Worker worker;
    private final Runnable changed;
    private Opened opened;
    private Input waiting;
    private boolean running;
    private Input given;
    private float[] values;
    private Outcome outcome;
    private String problem;

    Classifier(Worker worker, Runnable changed) {
        this.worker = worker;
        this.changed = changed;
    }

    /** Values that were run, and what came out. */
    private static final class Answer {
        private final Input given;
        private final float[] values;
        private final Outcome outcome;

        Answer(Input given, float[] values, Outcome outcome) {
            this.given = given;
            this.values = values;
            this.outcome = outcome;
        }
    }

    /** Uses that model from now on, null for none; answers of the one before are dropped. */
    void use(Opened now) {
        opened = now;
        waiting = null;
        clear();
    }

    void classify(Input what) {
        waiting = what;
        next();
    }

    boolean busy() {
        return running || waiting != null;
    }

    void clear() {
        waiting = null;
        set(null, null, null, null);
    }

    Input given() {
        return given;
    }

    float[] values() {
        return values;
    }

    Outcome outcome() {
        return outcome;
    }

    String problem() {
        return problem;
    }

    private void set(Input given, float[] values, Outcome outcome, String problem) {
        this.given = given;
        this.values = values;
        this.outcome = outcome;
        this.problem = problem;
        changed.run();
    }

    private void next() {
        if (running || waiting == null || opened == null) {
            return;
        }
        Input what = waiting;
        Opened with = opened;
        waiting = null;
        running = true;
        worker.work(() -> {
            float[] made = what.values(with.preprocessor);
            return new Answer(what, made, with.pipeline.run(made));
        }, new Worker.Done<Answer>() {
            @Override
            public void done(Answer answer) {
                running = false;
                if (with == opened) {
                    set(answer.given, answer.values, answer.outcome, null);
                }
                next();
            }

            @Override
            public void failed(String sentence) {
                running = false;
                if (with == opened) {
                    set(null, null, null, sentence);
                }
                next();
            }
        });
    }
}
