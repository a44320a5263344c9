package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.content.pm.PackageManager;
import android.media.AudioRecord;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowAudioRecord;
import org.tfcompress.demo.R;

/** A model that tells low from high tones. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class AudioPanelTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() throws Exception {
        App.has("tones");
        app = App.start();
    }

    /** A room in which a tone sounds. */
    private static final class Tone implements ShadowAudioRecord.AudioRecordSource {
        private final double hertz;
        private int at;

        Tone(double hertz) {
            this.hertz = hertz;
        }

        @Override
        public int readInShortArray(short[] into, int offset, int count, boolean blocking) {
            for (int i = 0; i < count; i++) {
                into[offset + i] = (short) (16000 * Math.sin(2 * Math.PI * hertz * at++ / 8000));
            }
            return count;
        }
    }

    private void allow() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.RECORD_AUDIO);
    }

    private void record() throws Exception {
        app.view(R.id.audio_record).performClick();
        for (int i = 0; i < 500 && app.session().outcome() == null; i++) {
            Thread.sleep(10);
            app.settle();
        }
    }

    @Test
    public void samplesAreClassified() throws Exception {
        app.shot("classify-audio-empty");
        assertEquals("Record 0.20 s of sound, or choose a sample.", app.text(R.id.audio_text));
        assertFalse("said once", app.view(R.id.result).isShown());
        app.touch("Sample low");
        assertEquals("low", app.text(R.id.result_first));
        app.touch("Sample high");
        assertEquals("high", app.text(R.id.result_first));
        assertEquals("0.20 s at 8000 Hz", app.text(R.id.audio_text));
        assertTrue(app.view(R.id.audio_play).isEnabled());
        app.shot("classify-audio");
        app.touch("Play sample low");
        assertEquals("high", app.text(R.id.result_first));
    }

    @Test
    public void whatTheMicrophoneHearsIsRecordedForTheClipsLength() throws Exception {
        allow();
        ShadowAudioRecord.setSource(new Tone(1500));
        record();
        assertEquals("high", app.text(R.id.result_first));
        assertEquals(1600, app.session().inputs().clip().length);
        app.session().clearOutcome();
        ShadowAudioRecord.setSource(new Tone(250));
        record();
        assertEquals("low", app.text(R.id.result_first));
        app.turn(Screens.LYING);
        app.shot("classify-audio-lying");
        assertEquals("low", app.text(R.id.result_first));
        assertEquals("0.20 s at 8000 Hz", app.text(R.id.audio_text));
    }

    @Test
    public void aRefusedMicrophoneSaysSoAndTheSamplesStillWork() {
        app.touch("Record");
        assertNotNull(shadowOf(app.activity()).getLastRequestedPermission());
        app.activity().onRequestPermissionsResult(
                Tab.CLASSIFY.ordinal(),
                new String[] {Manifest.permission.RECORD_AUDIO},
                new int[] {PackageManager.PERMISSION_DENIED});
        app.settle();
        assertTrue(app.text(R.id.audio_text), app.text(R.id.audio_text).startsWith("The microphone is not allowed"));
        app.touch("Open settings");
        assertNotNull(shadowOf(app.activity()).getNextStartedActivity());
        app.touch("Sample low");
        assertEquals("low", app.text(R.id.result_first));
    }

    @Test
    public void aMicrophoneThatGivesNothingIsTold() throws Exception {
        allow();
        ShadowAudioRecord.setSource(new ShadowAudioRecord.AudioRecordSource() {
            @Override
            public int readInShortArray(short[] into, int offset, int count, boolean blocking) {
                return AudioRecord.ERROR_INVALID_OPERATION;
            }
        });
        app.view(R.id.audio_record).performClick();
        for (int i = 0; i < 500 && app.text(R.id.audio_text).startsWith("Listening"); i++) {
            Thread.sleep(10);
            app.settle();
        }
        assertTrue(app.text(R.id.audio_text), app.text(R.id.audio_text).startsWith("The microphone cannot be used"));
        assertFalse(app.view(R.id.audio_play).isEnabled());
    }
}
