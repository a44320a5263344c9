package org.tfcompress.demo.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.content.Intent;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.tfcompress.demo.BenchmarkActivity;
import org.tfcompress.demo.measure.DeviceInfo;

/**
 * What the app answers is what tests/golden/wire_answers.json holds, by which tests/android/test_wire.py sees that the
 * toolkit reads it. Clock and phone are made up, as they would differ from day to day; the rest is the app's own.
 * Where the answers are meant to change: run this with -Dgolden.write=true, and look at what changed.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class GoldenAnswerTest {
    private static final File GOLDEN = new File("../tests/golden/wire_answers.json");
    private static final int MEMORY = 1_000_000;

    @Rule public final Wire wire = new Wire();

    private final Map<String, String> answers = new LinkedHashMap<>();

    @Before
    public void aClockAndAPhoneThatDoNotChange() {
        AtomicLong now = new AtomicLong();
        Desk.get().nanoTime = () -> now.addAndGet(125_000);
        Desk.get().device = new DeviceInfo() {
            @Override
            public String target() {
                return "Some Phone 8, Android 14";
            }

            @Override
            public String source() {
                return "Some Processor, demo app 0.1.0";
            }
        };
    }

    @After
    public void theRealOnesAgain() {
        Desk.get().nanoTime = System::nanoTime;
        Desk.get().device = null;
    }

    private void answered(String what, Intent asked) throws Exception {
        Wire.untilFinishing(wire.start(asked));
        keep(what);
    }

    private void keep(String what) throws Exception {
        answers.put(what, wire.text(Wire.ID));
        assertTrue(wire.result(Wire.ID).delete());
    }

    private static Intent asked() {
        return Wire.ask(Wire.ID, "model-dense.tflite");
    }

    private void measure() throws Exception {
        answered("rows", asked());
        JSONObject answer = new JSONObject(answers.get("rows"));
        JSONArray rows = answer.getJSONArray("rows");
        JSONObject memory = rows.getJSONObject(4);
        assertTrue(memory.toString(), memory.getLong("value") >= 872); // this process's own: not the same every time
        memory.put("value", MEMORY);
        answers.put("rows", answer.toString(2) + "\n");
    }

    private void beRefused() throws Exception {
        answered("no model", asked().putExtra("model", (String) null));
        answered("name", asked().putExtra("model", "../größer\n.tflite"));
        answered("missing", asked().putExtra("model", "model-other.tflite"));
        answered("threads", asked().putExtra("threads", 65));
        answered("runs", asked().putExtra("runs", 0));
        answered("type", asked().putExtra("runs", "5"));
        answered("delegate", asked().putExtra("delegate", "gpu"));
        answered("nnapi", asked().putExtra("delegate", "nnapi"));
        answered("operator", asked().putExtra("model", wire.push("mystery.tflite")));
        Files.write(new File(wire.folder, "model-broken.tflite").toPath(), new byte[100]);
        answered("broken", asked().putExtra("model", "model-broken.tflite"));
        Files.createSymbolicLink(
                new File(wire.folder, "model-link.tflite").toPath(), new File("pom.xml").toPath().toRealPath());
        answered("link", asked().putExtra("model", "model-link.tflite"));
        Desk.get().frontMs = 50;
        ActivityController<BenchmarkActivity> behind = wire.create(asked());
        Wire.untilFinishing(behind);
        keep("behind");
    }

    private void beBusyAndLeave() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.OTHER, "model-dense.tflite"));
        wire.awaitBegun();
        activity.newIntent(asked());
        keep("busy");
        activity.pause().stop();
        wire.gate.countDown();
        Wire.untilFinishing(activity);
        answers.put("left", wire.text(Wire.OTHER).replace(Wire.OTHER, Wire.ID));
    }

    @Test
    public void theAnswersAreThoseThatTheToolkitIsTriedWith() throws Exception {
        wire.push("dense.tflite");
        measure();
        beRefused();
        beBusyAndLeave();
        String text = new JSONObject(answers).toString(2) + "\n";
        if (Boolean.getBoolean("golden.write")) {
            Files.write(GOLDEN.toPath(), text.getBytes(StandardCharsets.UTF_8));
        }
        JSONObject golden = new JSONObject(new String(Files.readAllBytes(GOLDEN.toPath()), StandardCharsets.UTF_8));
        assertEquals(golden.length(), answers.size());
        for (Map.Entry<String, String> one : answers.entrySet()) {
            assertEquals(one.getKey(), golden.getString(one.getKey()), one.getValue());
        }
    }
}
