package org.tfcompress.demo.wire;

import android.os.Bundle;
import java.io.File;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.tfcompress.demo.device.ThisPhone;
import org.tfcompress.demo.measure.DeviceInfo;
import org.tfcompress.demo.model.ModelException;

/** Takes the requests in the order in which they come, and has one measured at a time. All off the main thread. */
public final class Desk {
    private static final Desk DESK = new Desk();

    private final ExecutorService clerk = Executors.newSingleThreadExecutor(job -> thread(job, "wire desk"));
    private final ExecutorService bench = Executors.newSingleThreadExecutor(job -> thread(job, "wire measurement"));
    private final AtomicReference<Run> running = new AtomicReference<>();

    /** How long the activity may take until it is in front, its screen being turned on; tests wait less. */
    volatile long frontMs = 10_000;

    /** Tests have another, as what they compare must not differ from run to run. */
    volatile LongSupplier nanoTime = System::nanoTime;

    /** Tests have another; null for this phone. */
    volatile DeviceInfo device;

    private Desk() {}

    /** The process's only one: an activity may be made anew while a run goes on. */
    public static Desk get() {
        return DESK;
    }

    /**
     * Takes a request; the caller is told when it is handled.
     *
     * @param extras of the intent; null if it had none
     * @param isStart whether the activity has just been made
     */
    public void take(Bundle extras, Caller caller, boolean isStart) {
        clerk.execute(() -> {
            boolean isTaken = false;
            try {
                isTaken = handle(extras == null ? Bundle.EMPTY : extras, caller, isStart);
            } catch (RuntimeException fault) {
                // Such as extras that cannot be unpacked; there is nobody to answer.
                RunLog.sayWithoutRun("a request failed: " + fault);
            } finally {
                if (!isTaken) {
                    caller.handled();
                }
            }
        });
    }

    /** The activity is no more in front: its run, if one goes on, is answered by an error. */
    public void left(Foreground foreground) {
        clerk.execute(() -> {
            Run run = running.get();
            if (run != null) {
                run.left(foreground);
            }
        });
    }

    /** Whether a run was started, which tells the caller itself. */
    private boolean handle(Bundle extras, Caller caller, boolean isStart) {
        // Makes it too, with the rights that both the app and adb need.
        File folder = caller.getApplicationContext().getExternalFilesDir(null);
        if (folder == null) {
            RunLog.sayWithoutRun("the phone's shared storage is not there; connect it or restart the phone");
            return false;
        }
        if (isStart) {
            Leftovers.remove(folder, System.currentTimeMillis(), Request.modelName(extras));
        }
        if (!extras.containsKey("id")) {
            return false;
        }
        String id = Request.id(extras);
        if (id == null) {
            RunLog.sayWithoutRun("refused a request without answer: id is '" + extras.get("id")
                    + "', expected 32 hex digits (am start --es id ...)");
            return false;
        }
        return start(extras, id, folder, caller);
    }

    private boolean start(Bundle extras, String id, File folder, Caller caller) {
        Answer answer = new Answer(folder, id);
        if (running.get() != null) {
            answer.error("busy with another run");
            return false;
        }
        try {
            Request request = Request.read(extras, id, folder);
            DeviceInfo phone = device == null ? new ThisPhone(caller.getApplicationContext()) : device;
            Run run = new Run(request, answer, caller, phone);
            running.set(run);
            bench.execute(() -> {
                run.measure(nanoTime, frontMs, () -> running.set(null));
                caller.handled();
            });
            return true;
        } catch (ModelException refused) {
            answer.error(refused.getMessage());
            return false;
        }
    }

    private static Thread thread(Runnable job, String name) {
        Thread thread = new Thread(job, name);
        thread.setDaemon(true);
        return thread;
    }
}
