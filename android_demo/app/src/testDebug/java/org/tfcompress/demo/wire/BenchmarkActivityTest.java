package org.tfcompress.demo.wire;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.content.Intent;
import android.os.Looper;
import android.view.WindowManager;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.BenchmarkActivity;
import org.tfcompress.demo.R;
import org.tfcompress.demo.ui.Screens;

/** The app's side of docs/phones.md, line by line, with a real model. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class BenchmarkActivityTest {
    @Rule public final Wire wire = new Wire();

    private static List<String> keys(JSONObject object) {
        List<String> keys = new ArrayList<>();
        object.keys().forEachRemaining(keys::add);
        return keys;
    }

    // --- what is measured ---

    @Test
    public void aModelIsMeasuredAndItsRowsAreWritten() throws Exception {
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        JSONObject answer = new JSONObject(wire.text(Wire.ID));
        assertEquals(new TreeSet<>(Arrays.asList("id", "rows")), new TreeSet<>(keys(answer)));
        assertEquals(Wire.ID, answer.getString("id"));
        JSONArray rows = answer.getJSONArray("rows");
        List<String> names = new ArrayList<>();
        for (int i = 0; i < rows.length(); i++) {
            JSONObject row = rows.getJSONObject(i);
            assertEquals(7, row.length());
            assertEquals("measured", row.getString("how"));
            assertTrue(row.toString(), row.getString("runtime").contains("built-in kernels, 1 thread"));
            names.add(row.getString("name"));
        }
        assertEquals(
                Arrays.asList("latency_p50", "latency_p90", "latency_p99", "latency_runs", "peak_memory"), names);
        assertEquals(5, rows.getJSONObject(3).getInt("value"));
        assertTrue(rows.getJSONObject(0).getDouble("value") > 0);
        Wire.untilFinishing(activity);
    }

    @Test
    public void threadsAndDelegateAreThoseThatWereAskedFor() throws Exception {
        Intent asked = Wire.ask(Wire.ID, wire.push("dense.tflite")).putExtra("threads", 4);
        wire.start(asked.putExtra("delegate", "xnnpack"));
        String runtime = new JSONObject(wire.text(Wire.ID)).getJSONArray("rows").getJSONObject(0).getString("runtime");
        assertTrue(runtime, runtime.contains("XNNPACK, 4 threads"));
    }

    @Test
    public void aDelegateThatIsNotThereIsAnErrorAndNeverAnotherOnesNumbers() throws Exception {
        wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")).putExtra("delegate", "nnapi"));
        assertTrue(wire.error(Wire.ID).contains("NNAPI"));
    }

    @Test
    public void anUnknownOperatorIsNamed() throws Exception {
        wire.start(Wire.ask(Wire.ID, wire.push("mystery.tflite")));
        assertTrue(wire.error(Wire.ID), wire.error(Wire.ID).contains("Mystery"));
    }

    @Test
    public void aBrokenModelIsAnErrorAndNoCrash() throws Exception {
        wire.push("dense.tflite", "whole.tflite");
        byte[] whole = Files.readAllBytes(new File(wire.folder, "whole.tflite").toPath());
        int number = 0;
        for (int length : new int[] {0, 7, 100, whole.length - 40}) {
            String id = Wire.ID.substring(2) + "0" + number++;
            String name = "model-" + number + ".tflite";
            Files.write(new File(wire.folder, name).toPath(), Arrays.copyOf(whole, length));
            Wire.untilFinishing(wire.start(Wire.ask(id, name)));
            assertFalse(wire.error(id).isEmpty());
        }
    }

    @Test
    public void theModelStaysAsItIsForTheComputerToRemove() throws Exception {
        byte[] before = Files.readAllBytes(new File(wire.folder, wire.push("dense.tflite")).toPath());
        wire.start(Wire.ask(Wire.ID, "model-dense.tflite"));
        wire.text(Wire.ID);
        assertArrayEquals(before, Files.readAllBytes(new File(wire.folder, "model-dense.tflite").toPath()));
    }

    // --- the answer's file ---

    @Test
    public void theAnswerIsReadableForOthersAndNothingHalfWrittenIsLeft() throws Exception {
        Wire.untilFinishing(wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite"))));
        Path result = wire.result(Wire.ID).toPath();
        assertTrue(Files.getPosixFilePermissions(result).contains(PosixFilePermission.OTHERS_READ));
        assertFalse(Files.getPosixFilePermissions(result).contains(PosixFilePermission.OTHERS_WRITE));
        assertEquals(Arrays.asList("model-dense.tflite", "result-" + Wire.ID + ".json"), wire.files());
    }

    @Test
    public void theAnswerIsUtf8InOneLineOfPrintableTextAtMost300LettersLong() throws Exception {
        String odd = "größer 模型 😀\n\u202e\u0007" + new String(new char[500]).replace('\0', 'x');
        Wire.untilFinishing(wire.start(Wire.ask(Wire.ID, odd)));
        byte[] bytes = Files.readAllBytes(wire.result(Wire.ID).toPath());
        assertArrayEquals(bytes, new String(bytes, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8));
        String error = wire.error(Wire.ID);
        assertTrue(error, error.startsWith("model is 'größer 模型 😀 x") && error.length() <= 300);
    }

    @Test
    public void theLargestErrorStaysFarUnderTheSizeThatTheComputerReads() throws Exception {
        Answer answer = new Answer(wire.folder, Wire.ID);
        answer.error(new String(new char[2_000_000]).replace('\0', '\u6a21'));
        assertEquals(300, wire.error(Wire.ID).length());
        assertTrue(wire.result(Wire.ID).length() < 1_048_576);
    }

    @Test
    public void aLinkThatLiesWhereTheAnswerIsWrittenIsReplacedAndNotFollowed() throws Exception {
        File outside = new File(wire.folder.getParentFile(), "precious");
        Files.write(outside.toPath(), new byte[] {42});
        Path result = wire.result(Wire.ID).toPath();
        Files.createSymbolicLink(result.resolveSibling(result.getFileName() + ".tmp"), outside.toPath());
        Files.createSymbolicLink(result, outside.toPath());
        Wire.untilFinishing(wire.start(Wire.ask(Wire.ID, "no.tflite")));
        assertTrue(wire.error(Wire.ID).startsWith("no file no.tflite"));
        assertFalse(Files.isSymbolicLink(result));
        assertArrayEquals(new byte[] {42}, Files.readAllBytes(outside.toPath()));
    }

    @Test
    public void anAnswerThatCannotBeWrittenIsALineInTheLog() throws Exception {
        assertTrue(new File(wire.result(Wire.ID), "in the way").mkdirs());
        Wire.untilFinishing(wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite"))));
        List<String> log = Wire.log();
        assertTrue(log.toString(), log.get(log.size() - 1).startsWith(Wire.ID + " 5 rows, which could not be written"));
        assertEquals(Arrays.asList("model-dense.tflite", "result-" + Wire.ID + ".json"), wire.files());
    }

    // --- what is refused ---

    @Test
    public void withoutExtrasTheFolderIsMadeAndNothingElse() {
        assertTrue(wire.folder.delete());
        Wire.untilFinishing(wire.start(new Intent()));
        assertTrue(wire.folder.isDirectory());
        assertEquals(new ArrayList<String>(), wire.files());
        assertEquals(new ArrayList<String>(), Wire.log());
    }

    @Test
    public void anIdOfAnotherFormGetsNoAnswerButALineInTheLog() throws Exception {
        wire.push("dense.tflite");
        for (String id : new String[] {"", "../../x", Wire.ID.toUpperCase(), Wire.ID + "\n00"}) {
            int before = Wire.log().size();
            Wire.untilFinishing(wire.start(Wire.ask(id, "model-dense.tflite")));
            assertEquals(Arrays.asList("model-dense.tflite"), wire.files());
            assertEquals(before + 1, Wire.log().size());
            String line = Wire.log().get(before);
            assertTrue(line, line.startsWith("refused a request without answer: id is '") && line.indexOf('\n') < 0);
        }
        Wire.untilFinishing(wire.start(Wire.ask(Wire.ID, "model-dense.tflite").putExtra("id", 7)));
        assertEquals(Arrays.asList("model-dense.tflite"), wire.files());
        assertTrue(Wire.log().get(Wire.log().size() - 1).contains("id is '7'"));
    }

    @Test
    public void whatIsNotOfTheFormIsAnsweredByAnErrorAtOnce() throws Exception {
        wire.push("dense.tflite");
        Intent[] wrong = {
            Wire.ask(Wire.ID, "../model-dense.tflite"),
            Wire.ask(Wire.ID, "model-other.tflite"),
            Wire.ask(Wire.ID, "model-dense.tflite").putExtra("threads", 65),
            Wire.ask(Wire.ID, "model-dense.tflite").putExtra("runs", "5"),
            Wire.ask(Wire.ID, "model-dense.tflite").putExtra("delegate", "gpu"),
        };
        String[] words = {"model is '", "no file ", "threads is 65", "runs is '5' of type String", "delegate is 'gpu'"};
        for (int i = 0; i < wrong.length; i++) {
            Wire.untilFinishing(wire.start(wrong[i]));
            assertTrue(wire.error(Wire.ID), wire.error(Wire.ID).startsWith(words[i]));
            assertTrue(wire.result(Wire.ID).delete());
        }
    }

    @Test
    public void otherExtrasAreNotLookedAt() throws Exception {
        Intent asked = Wire.ask(Wire.ID, wire.push("dense.tflite")).putExtra("folder", "/etc").putExtra("n", 5.0);
        Wire.untilFinishing(wire.start(asked));
        assertTrue(new JSONObject(wire.text(Wire.ID)).has("rows"));
    }

    @Test
    public void leftoversOfAnotherDayGoAtTheStart() throws Exception {
        long old = System.currentTimeMillis() - 2 * 86_400_000L;
        for (String name : new String[] {"model-old.tflite", "result-old.json.tmp", "mine.tflite"}) {
            assertTrue(new File(wire.folder, name).createNewFile());
            assertTrue(new File(wire.folder, name).setLastModified(old));
        }
        Wire.untilFinishing(wire.start(new Intent()));
        assertEquals(Arrays.asList("mine.tflite"), wire.files());
    }

    // --- one at a time ---

    @Test
    public void aSecondRequestIsBusyAndTheRunGoesOnUndisturbed() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        // As Android does it: an activity is paused to be given an intent, and resumed at once.
        activity.pause().newIntent(Wire.ask(Wire.OTHER, "model-dense.tflite")).resume();
        assertEquals("busy with another run", wire.error(Wire.OTHER));
        shadowOf(Looper.getMainLooper()).idleFor(5, TimeUnit.SECONDS);
        assertFalse(activity.get().isFinishing());
        assertFalse(wire.result(Wire.ID).exists());
        wire.gate.countDown();
        assertTrue(new JSONObject(wire.text(Wire.ID)).has("rows"));
        Wire.untilFinishing(activity);
    }

    @Test
    public void aRequestThatComesWithAnotherActivityIsBusyToo() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> first = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        ActivityController<BenchmarkActivity> second = wire.create(Wire.ask(Wire.OTHER, "model-dense.tflite"));
        assertEquals("busy with another run", wire.error(Wire.OTHER));
        Wire.untilFinishing(second);
        assertFalse(first.get().isFinishing());
        wire.gate.countDown();
        assertTrue(new JSONObject(wire.text(Wire.ID)).has("rows"));
    }

    @Test
    public void aMalformedRequestDuringARunDoesNotEndIt() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        activity.newIntent(new Intent()).newIntent(Wire.ask("no id", "model-dense.tflite"));
        Wire.until(() -> !Wire.log().isEmpty() && Wire.log().toString().contains("id is 'no id'"));
        shadowOf(Looper.getMainLooper()).idle();
        assertFalse(activity.get().isFinishing());
        wire.gate.countDown();
        assertTrue(new JSONObject(wire.text(Wire.ID)).has("rows"));
    }

    @Test
    public void theNextRunMayFollowAsSoonAsTheAnswerIsThere() throws Exception {
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        while (!wire.result(Wire.ID).exists()) {
            Thread.sleep(1); // the main thread has not yet been told
        }
        activity.newIntent(Wire.ask(Wire.OTHER, "model-dense.tflite"));
        assertTrue(new JSONObject(wire.text(Wire.OTHER)).has("rows"));
        Wire.untilFinishing(activity);
    }

    // --- the foreground ---

    @Test
    public void leavingTheForegroundIsAnErrorAtOnceHoweverLongAnInferenceTakes() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        activity.pause().stop();
        assertTrue(wire.error(Wire.ID).startsWith("the app left the foreground while it measured"));
        wire.gate.countDown();
        Wire.untilFinishing(activity);
        assertTrue(wire.error(Wire.ID).startsWith("the app left the foreground"));
    }

    @Test
    public void somethingInFrontOfItIsLeavingTooUnlessItIsGoneAtOnce() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        activity.pause();
        shadowOf(Looper.getMainLooper()).idleFor(1, TimeUnit.SECONDS);
        assertTrue(wire.error(Wire.ID).startsWith("the app left the foreground"));
    }

    @Test
    public void whoComesBackBeforeTheEndIsToldAllTheSame() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.awaitBegun();
        activity.pause().stop().restart().start().resume();
        wire.gate.countDown();
        assertTrue(wire.error(Wire.ID).startsWith("the app left the foreground"));
    }

    @Test
    public void withoutTheForegroundNothingIsMeasured() throws Exception {
        Desk.get().frontMs = 50;
        ActivityController<BenchmarkActivity> activity =
                wire.create(Wire.ask(Wire.ID, wire.push("dense.tflite"))).start();
        assertTrue(wire.error(Wire.ID).startsWith("the app did not come to the foreground; unlock the phone"));
        Wire.untilFinishing(activity);
    }

    @Test
    public void theScreenIsTurnedOnAndKeptOn() {
        BenchmarkActivity activity = wire.create(new Intent()).get();
        int flags = activity.getWindow().getAttributes().flags;
        assertTrue((flags & WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON) != 0);
        assertTrue(shadowOf(activity).getShowWhenLocked());
        assertTrue(shadowOf(activity).getTurnScreenOn());
    }

    @Test
    public void anActivityThatAndroidMakesAnewDoesNotMeasureASecondTime() throws Exception {
        Intent asked = Wire.ask(Wire.ID, wire.push("dense.tflite"));
        Wire.untilFinishing(wire.recreate(asked));
        assertEquals(Arrays.asList("model-dense.tflite"), wire.files());
    }

    // --- the log and the screen ---

    @Test
    public void eachLineOfARunsLogBeginsWithItsId() throws Exception {
        wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        wire.text(Wire.ID);
        Wire.until(() -> Wire.log().contains(Wire.ID + " 5 rows"));
        for (String line : Wire.log()) {
            assertTrue(line, line.startsWith(Wire.ID + " "));
        }
        assertEquals(Wire.ID + " 5 runs of model-dense.tflite, built-in kernels, 1 thread", Wire.log().get(0));
        assertTrue(Wire.log().contains(Wire.ID + " run 3 of 5"));
    }

    @Test
    public void theScreenSaysHowFarItIs() throws Exception {
        wire.slowly();
        ActivityController<BenchmarkActivity> activity = wire.start(Wire.ask(Wire.ID, wire.push("dense.tflite")));
        assertTrue(Screens.text(activity.get().getWindow().getDecorView()).contains("Getting ready"));
        wire.gate.countDown();
        Wire.untilFinishing(activity);
        assertTrue(Screens.text(activity.get().findViewById(R.id.wire_progress)).contains("Run 5 of 5"));
        Screens.shot(activity.get(), "wire");
    }
}
