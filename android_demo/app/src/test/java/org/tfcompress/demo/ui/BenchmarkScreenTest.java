package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Build;
import android.view.View;
import android.widget.CompoundButton;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Scanner;
import java.util.concurrent.FutureTask;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowActivity;
import org.robolectric.util.ReflectionHelpers;
import org.tfcompress.demo.R;
import org.tfcompress.demo.measure.Suite;
import org.tfcompress.demo.session.BenchmarkRun;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class BenchmarkScreenTest {
    @Rule public final OffMainThread offMainThread = new OffMainThread();

    private final Phone phone = Phone.start();

    private BenchmarkRun run() {
        return phone.session().findings().benchmark();
    }

    private void measure() {
        phone.tab(Tab.BENCHMARK).touch("Start");
        while (run().isRunning()) {
            phone.settle();
        }
    }

    @Test
    public void everyWayThatIsChosenIsMeasured() throws IOException {
        phone.tab(Tab.BENCHMARK).touch("2 threads");
        measure();
        assertEquals(4, run().suite().entries().size());
        for (Suite.Entry entry : run().suite().entries()) {
            assertEquals(entry.problem(), Suite.State.DONE, entry.state());
            assertEquals(50, entry.measured().timing.runs());
            assertTrue(phone.text().contains(entry.options.toString()));
        }
        assertTrue(phone.spoken(), phone.spoken().contains("built-in kernels, 2 threads: half of the runs below "));
        assertNotNull(Screens.find(phone.root(), "Start"));
        phone.shot("benchmark-results");
    }

    @Test
    public void whatCannotRunSaysWhyAndTheRestGoesOn() throws Exception {
        phone.tab(Tab.BENCHMARK);
        phone.check(R.id.xnnpack, false);
        phone.check(R.id.nnapi, true);
        measure();
        Suite.Entry nnapi = run().suite().entries().get(1);
        assertEquals(Suite.State.FAILED, nnapi.state());
        assertTrue(phone.text(), phone.text().contains(nnapi.problem()));
        assertEquals(Suite.State.DONE, run().suite().entries().get(0).state());
        JSONObject report = new JSONObject(read(share()));
        assertEquals(5, report.getJSONArray("rows").length());
        assertEquals("NNAPI, 1 thread: " + nnapi.problem(), report.getJSONArray("notes").getString(0));
        phone.become("+night");
        phone.shot("benchmark-failed-dark");
    }

    @Test
    public void theSharedReportIsReadByTheAppThatItIsSharedWith() throws Exception {
        measure();
        JSONObject report = new JSONObject(read(share()));
        JSONArray rows = report.getJSONArray("rows");
        assertEquals(10, rows.length());
        JSONObject row = rows.getJSONObject(0);
        assertEquals("latency_p50", row.getString("name"));
        assertEquals("measured", row.getString("how"));
        assertTrue(row.getDouble("value") > 0);
        assertEquals(phone.session().model().sha256, report.getJSONObject("model").getString("sha256"));
    }

    @Test
    public void theReportIsSavedWhereTheUserWantsIt() throws JSONException {
        measure();
        phone.touch("Save as JSON");
        ShadowActivity.IntentForResult asked = shadowOf((Activity) phone.activity()).getNextStartedActivityForResult();
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.getAction());
        assertTrue(asked.intent.getStringExtra(Intent.EXTRA_TITLE).endsWith(".json"));
        Uri place = Uri.parse("content://documents/report.json");
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        shadowOf(phone.activity().getContentResolver()).registerOutputStream(place, saved);
        Intent answer = new Intent().setData(place);
        shadowOf((Activity) phone.activity()).receiveResult(asked.intent, Activity.RESULT_OK, answer);
        phone.settle();
        assertEquals(10, new JSONObject(saved.toString()).getJSONArray("rows").length());
        assertTrue(phone.text().contains("The report is saved."));
    }

    @Test
    public void goingBackFromTheDocumentPickerSavesNothing() {
        measure();
        phone.touch("Save as JSON");
        Intent asked = shadowOf((Activity) phone.activity()).getNextStartedActivityForResult().intent;
        shadowOf((Activity) phone.activity()).receiveResult(asked, Activity.RESULT_CANCELED, null);
        phone.settle();
        assertFalse(phone.text().contains("saved"));
    }

    @Test
    public void aPlaceThatIsGoneIsSaid() {
        measure();
        phone.touch("Save as JSON");
        Intent asked = shadowOf((Activity) phone.activity()).getNextStartedActivityForResult().intent;
        Uri place = Uri.parse("content://nobody/report.json");
        shadowOf((Activity) phone.activity()).receiveResult(asked, Activity.RESULT_OK, new Intent().setData(place));
        phone.settle();
        assertTrue(phone.text(), phone.text().contains("choose another place"));
    }

    @Test
    public void stopEndsItAndKeepsWhatIsDone() {
        phone.tab(Tab.BENCHMARK).touch("1000 runs");
        phone.touch("Start");
        assertNotNull(Screens.find(phone.root(), "Stop"));
        assertTrue(phone.text(), phone.text().contains("warming up"));
        assertFalse(phone.activity().findViewById(R.id.xnnpack).isEnabled());
        phone.touch("Stop");
        assertFalse(run().isRunning());
        phone.settle();
        assertEquals(Suite.State.STOPPED, run().suite().entries().get(1).state());
        assertTrue(phone.text().contains("stopped before it was done"));
        assertTrue(phone.activity().findViewById(R.id.xnnpack).isEnabled());
    }

    @Test
    public void resultsAndChoicesStayWhenThePhoneIsTurned() throws IOException {
        phone.tab(Tab.BENCHMARK).touch("10 runs");
        phone.touch("4 threads");
        measure();
        Suite before = run().suite();
        phone.become(Screens.LYING);
        assertEquals(before, run().suite());
        assertEquals(10, before.runs);
        assertTrue(phone.text(), phone.text().contains("XNNPACK, 4 threads"));
        assertTrue(((CompoundButton) Screens.find(phone.root(), "4 threads")).isChecked());
        assertTrue(((CompoundButton) Screens.find(phone.root(), "10 runs")).isChecked());
        phone.shot("benchmark-lying");
    }

    @Test
    public void aBenchmarkGoesOnWhileThePhoneIsTurned() {
        phone.tab(Tab.BENCHMARK).touch("Start");
        phone.become(Screens.LYING);
        while (run().isRunning()) {
            phone.settle();
        }
        assertEquals(Suite.State.DONE, run().suite().entries().get(1).state());
        assertNotNull(Screens.find(phone.root(), "Share"));
    }

    @Test
    public void leavingForAnotherTabStopsIt() {
        phone.tab(Tab.BENCHMARK).touch("Start");
        phone.tab(Tab.ABOUT);
        assertFalse(run().isRunning());
        assertTrue(phone.text(), phone.text().contains("Stopped, as another screen came to the front"));
    }

    @Test
    public void withoutAChoiceNothingBegins() {
        phone.tab(Tab.BENCHMARK);
        phone.check(R.id.xnnpack, false);
        phone.check(R.id.builtin, false);
        phone.touch("Start");
        assertNull(run().suite());
        assertTrue(phone.text().contains("Choose at least one way to compute"));
    }

    @Test
    public void nothingCanBeSharedBeforeItIsMeasured() throws IOException {
        phone.tab(Tab.BENCHMARK);
        assertNull(Screens.find(phone.root(), "Share"));
        assertTrue(phone.text().contains("Nothing measured yet"));
        phone.shot("benchmark-first");
    }

    @Test
    public void withoutNnapiItIsSaidAndNotOffered() {
        View view = phone.activity().getLayoutInflater().inflate(R.layout.benchmark_choices, null);
        ReflectionHelpers.setStaticField(Build.VERSION.class, "SDK_INT", 26);
        try {
            new BenchmarkChoices(view).setEnabled(true);
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION.class, "SDK_INT", 34);
        }
        assertFalse(view.findViewById(R.id.nnapi).isEnabled());
        assertTrue(view.findViewById(R.id.xnnpack).isEnabled());
        assertTrue(Screens.text(view), Screens.text(view).contains("Not on this phone"));
    }

    private Uri share() {
        phone.touch("Share");
        phone.settle();
        Intent chooser = shadowOf((Activity) phone.activity()).getNextStartedActivity();
        assertEquals(Intent.ACTION_CHOOSER, chooser.getAction());
        Intent send = chooser.getParcelableExtra(Intent.EXTRA_INTENT);
        assertEquals(Intent.ACTION_SEND, send.getAction());
        assertEquals("application/json", send.getType());
        return send.getParcelableExtra(Intent.EXTRA_STREAM);
    }

    /** As another app does: the provider is asked on a thread of its own. */
    private String read(Uri report) throws Exception {
        FutureTask<String> reading = new FutureTask<>(() -> {
            try (InputStream in = phone.activity().getContentResolver().openInputStream(report);
                    Scanner scanner = new Scanner(in, "UTF-8")) {
                return scanner.useDelimiter("\\A").next();
            }
        });
        new Thread(reading).start();
        return reading.get();
    }
}
