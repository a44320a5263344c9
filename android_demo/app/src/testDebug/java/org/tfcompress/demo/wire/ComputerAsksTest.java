package org.tfcompress.demo.wire;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import android.content.Intent;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/**
 * Both sides together: `tfcompress benchmark --target adb` as users call it, answered by this app's own code. Between
 * them is only tests/fake_adb.py, which hands over what adb would; the app's folder is the phone's.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class ComputerAsksTest {
    private static final File PYTHON = new File("../.venv/bin/python");
    private static final File STAND_IN = new File("../tests/fake_adb.py");

    @Rule public final Wire wire = new Wire();
    @Rule public final TemporaryFolder root = new TemporaryFolder();

    private File phone;

    @Before
    public void aPhoneOnACable() throws IOException {
        assumeTrue("the toolkit is not installed in .venv (make test)", PYTHON.canExecute());
        phone = root.newFolder("phone");
        assertTrue(new File(phone, "asked").mkdir() && new File(phone, "bin").mkdir());
        File app = new File(phone, "sdcard/Android/data/org.tfcompress.demo");
        assertTrue(app.mkdirs());
        Files.createSymbolicLink(new File(app, "files").toPath(), wire.folder.toPath());
        write(new File(phone, "scenario.json"), "{\"real_app\": true}");
        String code = new String(Files.readAllBytes(STAND_IN.toPath()), StandardCharsets.UTF_8);
        for (String tool : new String[] {"adb", "am", "pm", "getprop", "logcat", "pidof"}) {
            File file = new File(phone, "bin/" + tool);
            write(file, "#!" + PYTHON.getAbsolutePath() + " -IS\n" + code);
            assertTrue(file.setExecutable(true));
        }
    }

    private static void write(File file, String text) throws IOException {
        Files.write(file.toPath(), text.getBytes(StandardCharsets.UTF_8));
    }

    private Process computer(String model, String... options) throws IOException {
        File file = new File(root.getRoot(), model);
        try (InputStream in = Wire.class.getResourceAsStream("/wire/" + model)) {
            Files.copy(in, file.toPath());
        }
        List<String> words = new ArrayList<>(Arrays.asList(PYTHON.getAbsolutePath(), "-m", "tfcompress", "benchmark"));
        words.addAll(Arrays.asList(file.getPath(), "--target", "adb", "--json"));
        words.addAll(Arrays.asList(options));
        ProcessBuilder builder = new ProcessBuilder(words).directory(new File(".."));
        builder.environment().put("FAKE_ADB", phone.getPath());
        builder.environment().put("PATH", new File(phone, "bin") + File.pathSeparator + System.getenv("PATH"));
        builder.environment().remove("ANDROID_SERIAL");
        builder.redirectOutput(new File(phone, "out.txt")).redirectError(new File(phone, "err.txt"));
        return builder.start();
    }

    /** Starts the activity for each request, as Android does, until the computer has what it wants. */
    private void serve(Process computer) {
        Wire.until(() -> {
            for (File asked : new File(phone, "asked").listFiles()) {
                wire.start(intent(asked));
            }
            return !computer.isAlive();
        });
    }

    private static Intent intent(File asked) {
        try {
            JSONObject extras = new JSONObject(new String(Files.readAllBytes(asked.toPath()), StandardCharsets.UTF_8));
            Files.delete(asked.toPath());
            Intent intent = new Intent();
            for (Iterator<String> keys = extras.keys(); keys.hasNext(); ) {
                String key = keys.next();
                Object value = extras.opt(key);
                if (value instanceof Integer) {
                    intent.putExtra(key, (Integer) value);
                } else {
                    intent.putExtra(key, (String) value);
                }
            }
            return intent;
        } catch (Exception error) {
            throw new AssertionError(error);
        }
    }

    private String said(String name) throws IOException {
        return new String(Files.readAllBytes(new File(phone, name).toPath()), StandardCharsets.UTF_8);
    }

    @Test
    public void theComputerGetsThisAppsNumbersForEachNumberOfThreads() throws Exception {
        Process computer = computer("dense.tflite", "--threads", "1", "--threads", "2", "--runs", "20");
        serve(computer);
        assertEquals(said("err.txt"), 0, computer.exitValue());
        JSONArray rows = new JSONObject(said("out.txt")).getJSONArray("rows");
        assertEquals(10, rows.length());
        for (int i = 0; i < 10; i++) {
            JSONObject row = rows.getJSONObject(i);
            assertEquals("Google Pixel 8, Android 14", row.getString("target"));
            String way = i < 5 ? "XNNPACK, 1 thread)" : "XNNPACK, 2 threads)";
            assertTrue(row.toString(), row.getString("runtime").endsWith(way));
        }
        assertEquals("latency_p50", rows.getJSONObject(0).getString("name"));
        assertTrue(rows.getJSONObject(0).getDouble("value") > 0);
        assertEquals(20, rows.getJSONObject(3).getInt("value"));
        // The computer has removed the model and both results.
        assertEquals(new ArrayList<String>(), wire.files());
    }

    @Test
    public void theComputerIsToldWhyTheAppCouldNotMeasure() throws Exception {
        Process computer = computer("mystery.tflite");
        serve(computer);
        assertEquals(1, computer.exitValue());
        assertTrue(said("err.txt"), said("err.txt").contains("the phone could not measure: ")
                && said("err.txt").contains("Mystery"));
        assertEquals(new ArrayList<String>(), wire.files());
    }

    @Test
    public void aPhoneWhoseAppWasNeverOpenedGetsItsFolder() throws Exception {
        assertTrue(wire.folder.delete());
        Process computer = computer("dense.tflite", "--delegate", "cpu", "--runs", "5");
        serve(computer);
        assertEquals(said("err.txt"), 0, computer.exitValue());
        assertEquals(5, new JSONObject(said("out.txt")).getJSONArray("rows").length());
    }
}
