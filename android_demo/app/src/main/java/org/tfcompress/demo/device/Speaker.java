package org.tfcompress.demo.device;

import android.media.AudioAttributes;
import android.media.AudioFormat;
import android.media.AudioTrack;

/** Plays clips, one at a time, on a thread of its own. */
public final class Speaker {
    private Thread playing;

    /**
     * Plays a clip in place of the one that plays.
     *
     * @param clip -1 to 1
     * @param rate samples per second
     */
    public synchronized void play(float[] clip, int rate) {
        stop();
        playing = new Thread(() -> run(clip, rate), "speaker");
        playing.start();
    }

    public synchronized void stop() {
        if (playing != null) {
            playing.interrupt();
            playing = null;
        }
    }

    private static void run(float[] clip, int rate) {
        AudioTrack track;
        try {
            track = track(rate, Math.max(1, clip.length) * 2);
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            return; // a phone without a speaker, or a rate that none can play: there is nothing to hear
        }
        try {
            track.write(shorts(clip), 0, clip.length);
            track.play();
            Thread.sleep(1000L * clip.length / rate + 100);
        } catch (InterruptedException | IllegalStateException e) {
            Thread.currentThread().interrupt();
        } finally {
            track.release();
        }
    }

    private static AudioTrack track(int rate, int bytes) {
        return new AudioTrack.Builder()
                .setAudioAttributes(new AudioAttributes.Builder()
                        .setUsage(AudioAttributes.USAGE_MEDIA)
                        .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
                        .build())
                .setAudioFormat(new AudioFormat.Builder()
                        .setSampleRate(rate)
                        .setEncoding(AudioFormat.ENCODING_PCM_16BIT)
                        .setChannelMask(AudioFormat.CHANNEL_OUT_MONO)
                        .build())
                .setTransferMode(AudioTrack.MODE_STATIC)
                .setBufferSizeInBytes(bytes)
                .build();
    }

    private static short[] shorts(float[] clip) {
        short[] values = new short[clip.length];
        for (int i = 0; i < clip.length; i++) {
            values[i] = (short) Math.max(-32768, Math.min(32767, Math.round(clip[i] * 32768)));
        }
        return values;
    }
}
