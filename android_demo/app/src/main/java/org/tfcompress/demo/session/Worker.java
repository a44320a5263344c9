package org.tfcompress.demo.session;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import android.util.Log;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.tfcompress.demo.R;
import org.tfcompress.demo.model.ModelException;

/** The one thread that opens files and runs models, one piece after the other; answers come on the main thread. */
public final class Worker {
    /** The tag of what is wrong with the app itself in Android's log. */
    public static final String TAG = "tfcompress";

    /** A piece of work, off the main thread. */
    public interface Work<T> {
        T run() throws ModelException, IOException;
    }

    /** What to do with its answer, on the main thread. */
    public interface Done<T> {
        void done(T value);

        /** It failed; the sentence is for the user. */
        void failed(String sentence);
    }

    /** For work without an answer that cannot fail for a reason that a user could help. */
    public static <T> Done<T> ignore() {
        return new Done<T>() {
            @Override
            public void done(T value) {}

            @Override
            public void failed(String sentence) {
                Log.w(TAG, sentence);
            }
        };
    }

    private final Context context;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> new Thread(task, "models"));

    Worker(Context context) {
        this.context = context;
    }

    /** Queues the work; returns at once. */
    public <T> void work(Work<T> work, Done<T> done) {
        thread.execute(() -> {
            try {
                T value = work.run();
                main.post(() -> done.done(value));
            } catch (ModelException e) {
                fail(done, e.getMessage());
            } catch (IOException e) {
                fail(done, context.getString(R.string.unreadable, why(e)));
            } catch (OutOfMemoryError e) {
                fail(done, context.getString(R.string.out_of_memory));
            } catch (RuntimeException e) {
                // One odd file must not end the app, but the fault is ours: a report needs the place.
                Log.e(TAG, "a fault of the app", e);
                fail(done, context.getString(R.string.own_fault, e.toString()));
            }
        });
    }

    /** Waits until all that was queued so far has run; false if that takes longer. Its answers may still wait. */
    public boolean await(int milliseconds) throws InterruptedException {
        CountDownLatch reached = new CountDownLatch(1);
        thread.execute(reached::countDown);
        return reached.await(milliseconds, TimeUnit.MILLISECONDS);
    }

    private <T> void fail(Done<T> done, String sentence) {
        main.post(() -> done.failed(sentence));
    }

    private static String why(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
