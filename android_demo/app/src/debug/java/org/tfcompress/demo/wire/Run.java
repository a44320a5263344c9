package org.tfcompress.demo.wire;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.LongSupplier;
import org.tfcompress.demo.measure.DeviceInfo;
import org.tfcompress.demo.measure.Measurement;
import org.tfcompress.demo.measure.ReportRow;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.runtime.Runners;

/** One measurement that the computer asked for, from waiting for the foreground to the rows. */
final class Run {
    private static final String LEFT = "the app left the foreground while it measured; "
            + "keep the phone unlocked and the app open, and run this again";

    private final Request request;
    private final Answer answer;
    private final Caller caller;
    private final DeviceInfo device;
    private final RunLog log;

    Run(Request request, Answer answer, Caller caller, DeviceInfo device) {
        this.request = request;
        this.answer = answer;
        this.caller = caller;
        this.device = device;
        this.log = new RunLog(request.id);
    }

    /**
     * Measures and answers.
     *
     * @param nanoTime a clock that only goes forward
     * @param frontMs how long the activity may take until it is in front
     * @param free called when nothing is measured any more, before the answer can be seen: the computer's next request
     *     may follow at once
     */
    void measure(LongSupplier nanoTime, long frontMs, Runnable free) {
        List<ReportRow> rows = null;
        String error = null;
        try {
            rows = rows(nanoTime, frontMs);
        } catch (ModelException refused) {
            error = refused.getMessage();
        } catch (CancellationException left) {
            error = LEFT;
        } catch (OutOfMemoryError full) {
            error = "the phone's memory does not suffice: " + full.getMessage();
        } catch (InterruptedException | RuntimeException | LinkageError fault) {
            error = "the app failed: " + fault;
        }
        free.run();
        if (rows != null) {
            answer.rows(rows);
        } else {
            answer.error(error);
        }
    }

    /** The activity of this run is no more in front: says so at once, however long an inference takes. */
    void left(Foreground where) {
        if (where == caller.foreground()) {
            answer.error(LEFT);
        }
    }

    private List<ReportRow> rows(LongSupplier nanoTime, long frontMs) throws ModelException, InterruptedException {
        Foreground foreground = caller.foreground();
        int mark = foreground.await(frontMs);
        if (mark == Foreground.NEVER) {
            throw new ModelException("the app did not come to the foreground; unlock the phone, and run this again");
        }
        log.say(request.runs + " runs of " + request.model.getFileName() + ", " + request.options);
        ByteBuffer model = mapped();
        return new Measurement(Runners.factory, nanoTime)
                .run(model, request.options, request.runs, this::progress, () -> foreground.leftSince(mark))
                .rows(device);
    }

    private void progress(int done, int total) {
        log.say("run " + done + " of " + total);
        caller.progress(done, total);
    }

    /** The file in memory: all of it, for what is read later would count as memory that the runtime takes. */
    private ByteBuffer mapped() throws ModelException {
        try (FileChannel file =
                FileChannel.open(request.model, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()).load().order(ByteOrder.nativeOrder());
        } catch (IOException | IllegalArgumentException error) {
            throw new ModelException(request.model.getFileName() + " cannot be read: " + error.getMessage(), error);
        }
    }
}
