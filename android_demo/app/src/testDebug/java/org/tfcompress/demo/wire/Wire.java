package org.tfcompress.demo.wire;

import static org.robolectric.Shadows.shadowOf;

import android.app.Application;
import android.content.Intent;
import android.os.Bundle;
import android.os.Looper;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.json.JSONObject;
import org.junit.rules.ExternalResource;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowLog;
import org.tfcompress.demo.BenchmarkActivity;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.Runners;

/** The computer's side: puts files into the app's folder, starts the activity as adb does, and waits for answers. */
final class Wire extends ExternalResource {
    static final String ID = "0123456789abcdef0123456789abcdef";
    static final String OTHER = "fedcba9876543210fedcba9876543210";

    /** A safety net, not an expectation: no test is meant to wait that long. */
    private static final long MOST_MS = 60_000;

    private final List<ActivityController<BenchmarkActivity>> started = new ArrayList<>();

    /** Opened by whoever lets a run of {@link #slowly} end. */
    final CountDownLatch gate = new CountDownLatch(1);

    /** Opened when a run of {@link #slowly} has begun. */
    final CountDownLatch begun = new CountDownLatch(1);

    File folder;

    @Override
    protected void before() {
        Application app = RuntimeEnvironment.getApplication();
        folder = app.getExternalFilesDir(null);
        Runners.factory = JvmRunner::new;
        Desk.get().frontMs = 10_000;
    }

    @Override
    protected void after() {
        gate.countDown();
        for (ActivityController<BenchmarkActivity> one : started) {
            until(() -> one.get().isFinishing() || one.get().isDestroyed());
            one.close();
        }
    }

    /** A file of the tests' resources, in the app's folder under a name as the computer gives it. */
    String push(String resource) throws IOException {
        return push(resource, "model-" + resource);
    }

    String push(String resource, String name) throws IOException {
        try (InputStream in = Wire.class.getResourceAsStream("/wire/" + resource)) {
            Files.copy(in, new File(folder, name).toPath());
        }
        return name;
    }

    static Intent ask(String id, String model) {
        return new Intent()
                .putExtra("model", model)
                .putExtra("threads", 1)
                .putExtra("runs", 5)
                .putExtra("delegate", "cpu")
                .putExtra("id", id);
    }

    /** Starts the activity and brings it to the front. */
    ActivityController<BenchmarkActivity> start(Intent intent) {
        return create(intent).start().postCreate(null).resume().visible();
    }

    ActivityController<BenchmarkActivity> create(Intent intent) {
        ActivityController<BenchmarkActivity> made = Robolectric.buildActivity(BenchmarkActivity.class, intent);
        started.add(made);
        return made.create();
    }

    /** As Android does it after it has removed an activity: with the state that it had saved. */
    ActivityController<BenchmarkActivity> recreate(Intent intent) {
        ActivityController<BenchmarkActivity> made = Robolectric.buildActivity(BenchmarkActivity.class, intent);
        started.add(made);
        return made.create(new Bundle());
    }

    /** From now on a run waits in its first inference until the gate opens; it is the real model all the same. */
    void slowly() {
        Runners.factory = (model, options) -> new WaitingRunner(new JvmRunner(model, options), begun, gate);
    }

    void awaitBegun() throws InterruptedException {
        if (!begun.await(MOST_MS, TimeUnit.MILLISECONDS)) {
            throw new AssertionError("no inference began; " + log());
        }
    }

    File result(String id) {
        return new File(folder, "result-" + id + ".json");
    }

    /** The answer as text, when it is there. */
    String text(String id) throws IOException {
        until(() -> result(id).exists());
        return new String(Files.readAllBytes(result(id).toPath()), StandardCharsets.UTF_8);
    }

    /** The answer's error, when it is there. */
    String error(String id) throws Exception {
        JSONObject answer = new JSONObject(text(id));
        if (answer.length() != 2 || !answer.getString("id").equals(id)) {
            throw new AssertionError(answer.toString());
        }
        return answer.getString("error");
    }

    /** Lets the main thread work until it is so. */
    static void until(BooleanSupplier isSo) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MOST_MS);
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited in vain; log: " + log());
            }
            shadowOf(Looper.getMainLooper()).idle();
            try {
                Thread.sleep(5);
            } catch (InterruptedException stop) {
                throw new AssertionError(stop);
            }
        }
    }

    static void untilFinishing(ActivityController<BenchmarkActivity> activity) {
        until(() -> activity.get().isFinishing());
    }

    /** What the app wrote under the tag that the computer reads, oldest first. */
    static List<String> log() {
        List<String> lines = new ArrayList<>();
        for (ShadowLog.LogItem one : ShadowLog.getLogsForTag("tfcompress")) {
            lines.add(one.msg);
        }
        return lines;
    }

    /** Names of all files in the app's folder, in order. */
    List<String> files() {
        List<String> names = new ArrayList<>(Arrays.asList(folder.list()));
        Collections.sort(names);
        return names;
    }

    /** A runner whose first inference waits. */
    private static final class WaitingRunner implements ModelRunner {
        private final ModelRunner real;
        private final CountDownLatch begun;
        private final CountDownLatch gate;

        WaitingRunner(ModelRunner real, CountDownLatch begun, CountDownLatch gate) {
            this.real = real;
            this.begun = begun;
            this.gate = gate;
        }

        @Override
        public List<TensorSpec> inputs() {
            return real.inputs();
        }

        @Override
        public List<TensorSpec> outputs() {
            return real.outputs();
        }

        @Override
        public void run(ByteBuffer[] inputs, ByteBuffer[] outputs)
                throws ModelException {
            begun.countDown();
            try {
                gate.await();
            } catch (InterruptedException stop) {
                throw new IllegalStateException(stop);
            }
            real.run(inputs, outputs);
        }

        @Override
        public String describe() {
            return real.describe();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
