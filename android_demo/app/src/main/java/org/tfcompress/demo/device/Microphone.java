package org.tfcompress.demo.device;

import android.annotation.SuppressLint;
import android.media.AudioFormat;
import android.media.AudioRecord;
import android.media.MediaRecorder;
import android.os.Handler;
import android.os.Looper;
import java.util.Arrays;

/** Records one clip on a thread of its own. */
public final class Microphone {
    /** Told on the main thread. */
    public interface Listener {
        /** How loud it is now: the largest sample of the last twentieth of a second, 0 to 1. */
        void level(float level, float done);

        /** The clip, -1 to 1, at the rate that the microphone gives: not always the one asked for. */
        void recorded(float[] clip, int rate);

        /** Another app holds it, or there is none. */
        void failed();
    }

    private static final int[] OTHER_RATES = {44100, 48000, 16000};
    private static final int LEVELS_PER_SECOND = 20;

    private final Handler main = new Handler(Looper.getMainLooper());
    private final Listener listener;
    private volatile boolean stopped;

    public Microphone(Listener listener) {
        this.listener = listener;
    }

    /**
     * Begins to record. Needs the permission.
     *
     * @param rate samples per second that are asked for
     * @param seconds length of the clip
     */
    public void record(int rate, double seconds) {
        new Thread(() -> run(rate, seconds), "microphone").start();
    }

    /** Ends the recording early; what was heard so far is thrown away, and nothing is told any more. */
    public void cancel() {
        stopped = true;
    }

    private void run(int rate, double seconds) {
        AudioRecord source = open(rate);
        if (source == null) {
            tell(listener::failed);
            return;
        }
        try {
            source.startRecording();
            read(source, (int) Math.ceil(seconds * source.getSampleRate()));
        } catch (IllegalStateException e) {
            tell(listener::failed);
        } finally {
            source.release();
        }
    }

    private void read(AudioRecord source, int samples) {
        float[] clip = new float[samples];
        short[] part = new short[source.getSampleRate() / LEVELS_PER_SECOND];
        int have = 0;
        while (have < samples && !stopped) {
            int count = source.read(part, 0, Math.min(part.length, samples - have));
            if (count <= 0) {
                tell(listener::failed);
                return;
            }
            int loudest = 0;
            for (int i = 0; i < count; i++) {
                clip[have++] = part[i] / 32768f;
                loudest = Math.max(loudest, Math.abs(part[i]));
            }
            float level = loudest / 32768f;
            float done = have / (float) samples;
            tell(() -> listener.level(level, done));
        }
        int rate = source.getSampleRate();
        tell(() -> listener.recorded(Arrays.copyOf(clip, samples), rate));
    }

    @SuppressLint("MissingPermission") // asked for by who shows the panel; without it no source opens
    private static AudioRecord open(int rate) {
        int[] rates = new int[OTHER_RATES.length + 1];
        rates[0] = rate;
        System.arraycopy(OTHER_RATES, 0, rates, 1, OTHER_RATES.length);
        for (int each : rates) {
            int bytes = AudioRecord.getMinBufferSize(each, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT);
            if (bytes <= 0) {
                continue;
            }
            try {
                AudioRecord source = new AudioRecord(
                        MediaRecorder.AudioSource.VOICE_RECOGNITION,
                        each,
                        AudioFormat.CHANNEL_IN_MONO,
                        AudioFormat.ENCODING_PCM_16BIT,
                        Math.max(bytes, each * 2));
                if (source.getState() == AudioRecord.STATE_INITIALIZED) {
                    return source;
                }
                source.release();
            } catch (IllegalArgumentException | SecurityException e) {
                continue;
            }
        }
        return null;
    }

    private void tell(Runnable what) {
        main.post(() -> {
            if (!stopped) {
                what.run();
            }
        });
    }
}
