package org.tfcompress.demo.session;

import android.content.Context;
import android.net.Uri;
import java.util.Collections;
import java.util.List;
import org.tfcompress.demo.manifest.Guess;
import org.tfcompress.demo.session.Session.State;

/** The models, and the one that is shown: listed, opened, taken in and removed by the worker, step by step. */
final class Shelf {
    /** Told on the main thread. */
    interface Listener {
        /** Something that the getters tell has changed. */
        void shelfChanged();

        /** This model is run from now on; null for none. */
        void use(Opened now);
    }

    private final Worker worker;
    private final Loader loader;
    private final Listener listener;
    private List<Listed> models = Collections.emptyList();
    private State state = State.EMPTY;
    private boolean started;
    private Listed chosen;
    private Opened opened;
    private String problem;
    private String notice;

    /** Counts what was asked for: an answer to an earlier wish is dropped. */
    private int generation;

    Shelf(Context context, Worker worker, Listener listener) {
        this.worker = worker;
        this.loader = new Loader(context);
        this.listener = listener;
    }

    /** Lists the models and opens the one that was shown last; at the first call only. */
    void start() {
        if (started) {
            return;
        }
        started = true;
        int turn = begin();
        worker.work(loader::list, new Worker.Done<List<Listed>>() {
            @Override
            public void done(List<Listed> all) {
                models = all;
                worker.work(() -> loader.last(all), openLater(turn));
            }

            @Override
            public void failed(String sentence) {
                broken(turn, sentence);
            }
        });
    }

    private Worker.Done<Listed> openLater(int turn) {
        return new Worker.Done<Listed>() {
            @Override
            public void done(Listed last) {
                if (turn != generation) {
                    return;
                }
                if (last == null) {
                    state = State.EMPTY;
                    listener.shelfChanged();
                } else {
                    open(last);
                }
            }

            @Override
            public void failed(String sentence) {
                broken(turn, sentence);
            }
        };
    }

    /** Shows another model. What was put in stays, and is run again with it if it is of the same kind. */
    void open(Listed listed) {
        chosen = listed;
        int turn = begin();
        worker.work(() -> loader.open(listed), new Worker.Done<Opened>() {
            @Override
            public void done(Opened now) {
                if (turn != generation) {
                    release(now);
                    return;
                }
                opened = now;
                state = State.READY;
                listener.use(now);
                listener.shelfChanged();
            }

            @Override
            public void failed(String sentence) {
                broken(turn, sentence);
            }
        });
    }

    /** Takes in a file that the user chose, and shows it. If it cannot run, the notice says why. */
    void bring(Uri file) {
        start();
        State before = state;
        state = State.LOADING;
        notice = null;
        listener.shelfChanged();
        int turn = generation;
        worker.work(() -> {
            String name = loader.bring(file).name();
            List<Listed> all = loader.list();
            return new Brought(all, name);
        }, new Worker.Done<Brought>() {
            @Override
            public void done(Brought brought) {
                models = brought.all;
                open(brought.listed());
            }

            @Override
            public void failed(String sentence) {
                notice = sentence;
                if (turn == generation && state == State.LOADING) {
                    state = opened == null && before == State.LOADING ? State.EMPTY : before;
                }
                listener.shelfChanged();
            }
        });
    }

    /** The list after a file was taken in, and which one it is. */
    private static final class Brought {
        private final List<Listed> all;
        private final String name;

        Brought(List<Listed> all, String name) {
            this.all = all;
            this.name = name;
        }

        Listed listed() {
            for (Listed each : all) {
                if (each.deletable && each.folder.name().equals(name)) {
                    return each;
                }
            }
            throw new IllegalStateException("a model was taken in and is not listed: " + name);
        }
    }

    /** Removes a model that the user opened; shows the first other one if it was this one that is shown. */
    void delete(Listed listed) {
        worker.work(() -> {
            loader.delete(listed);
            return loader.list();
        }, new Worker.Done<List<Listed>>() {
            @Override
            public void done(List<Listed> all) {
                models = all;
                if (chosen != null && chosen.key.equals(listed.key)) {
                    showFirst();
                }
                listener.shelfChanged();
            }

            @Override
            public void failed(String sentence) {
                notice = sentence;
                listener.shelfChanged();
            }
        });
    }

    private void showFirst() {
        if (models.isEmpty()) {
            chosen = null;
            begin();
            state = State.EMPTY;
        } else {
            open(models.get(0));
        }
    }

    /** Scales the pixels of a model without model.json in another way, from now on. */
    void scale(Guess.Pixels pixels) {
        Listed listed = chosen;
        worker.work(() -> {
            loader.scale(listed, pixels);
            return listed;
        }, openLater(generation));
    }

    private int begin() {
        if (opened != null) {
            release(opened);
        }
        opened = null;
        problem = null;
        listener.use(null);
        state = State.LOADING;
        generation++;
        listener.shelfChanged();
        return generation;
    }

    /** Closed on the worker, behind all that still uses it. */
    private void release(Opened old) {
        worker.work(() -> {
            old.pipeline.close();
            return null;
        }, Worker.ignore());
    }

    private void broken(int turn, String sentence) {
        if (turn == generation) {
            state = State.BROKEN;
            problem = sentence;
            listener.shelfChanged();
        }
    }

    State state() {
        return state;
    }

    Opened opened() {
        return opened;
    }

    Listed chosen() {
        return chosen;
    }

    List<Listed> models() {
        return models;
    }

    String problem() {
        return problem;
    }

    String notice() {
        return notice;
    }

    void noticeRead() {
        notice = null;
        listener.shelfChanged();
    }
}
