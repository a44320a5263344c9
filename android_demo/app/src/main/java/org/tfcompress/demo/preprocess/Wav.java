package org.tfcompress.demo.preprocess;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.tfcompress.demo.model.ModelException;

/** A sound out of a .wav file: PCM of 8, 16, 24 or 32 bits or 32-bit floats, of one or more channels. */
public final class Wav {
    private static final int PCM = 1;
    private static final int FLOAT = 3;

    /** The real format is in the first two bytes of a longer header. */
    private static final int EXTENSIBLE = 0xfffe;

    private static final int MOST_CHANNELS = 32;

    /** From -1 to 1 (16-bit samples divided by 32768); the mean of the channels. */
    public final float[] samples;

    /** Samples per second. */
    public final int rate;

    private Wav(float[] samples, int rate) {
        this.samples = samples;
        this.rate = rate;
    }

    /**
     * Reads a file. One that was cut off gives what is there.
     *
     * @throws ModelException it is no .wav, or of a form that is not read
     */
    public static Wav read(byte[] file) throws ModelException {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (file.length < 12 || bytes.getInt(0) != tag("RIFF") || bytes.getInt(8) != tag("WAVE")) {
            throw new ModelException(
                    "The file is no .wav (RIFF and WAVE are missing at its start); choose a .wav file.");
        }
        Format format = null;
        for (long at = 12; at + 8 <= file.length; ) {
            int start = (int) at + 8;
            long size = Math.min(bytes.getInt((int) at + 4) & 0xffffffffL, file.length - start);
            if (bytes.getInt((int) at) == tag("fmt ") && size >= 16) {
                format = new Format(bytes, start, (int) size);
            } else if (bytes.getInt((int) at) == tag("data") && format != null) {
                return new Wav(format.samples(bytes, start, (int) size), format.rate);
            }
            at = start + size + (size & 1);
        }
        throw new ModelException("The .wav has no sound in it (its fmt or data part is missing); choose another file.");
    }

    private static int tag(String letters) {
        return letters.charAt(0) | letters.charAt(1) << 8 | letters.charAt(2) << 16 | letters.charAt(3) << 24;
    }

    /** What a .wav says of its samples. */
    private static final class Format {
        final int kind;
        final int channels;
        final int rate;
        final int bits;

        Format(ByteBuffer bytes, int at, int size) throws ModelException {
            int named = bytes.getShort(at) & 0xffff;
            kind = named == EXTENSIBLE && size >= 26 ? bytes.getShort(at + 24) & 0xffff : named;
            channels = bytes.getShort(at + 2) & 0xffff;
            rate = bytes.getInt(at + 4);
            bits = bytes.getShort(at + 14) & 0xffff;
            boolean whole = kind == PCM && (bits == 8 || bits == 16 || bits == 24 || bits == 32);
            if (!whole && !(kind == FLOAT && bits == 32)) {
                throw new ModelException("The .wav holds " + bits + "-bit samples of format " + kind
                        + ", but PCM of 8 to 32 bits or 32-bit floats are read; save it as 16-bit PCM.");
            }
            if (channels < 1 || channels > MOST_CHANNELS || rate < 1 || rate > 768_000) {
                throw new ModelException("The .wav tells of " + channels + " channels at " + rate
                        + " Hz, which makes no sense; save it as 16-bit PCM.");
            }
        }

        float[] samples(ByteBuffer bytes, int start, int size) {
            int width = bits / 8;
            float[] made = new float[size / (width * channels)];
            for (int i = 0; i < made.length; i++) {
                double sum = 0;
                for (int channel = 0; channel < channels; channel++) {
                    sum += sample(bytes, start + (i * channels + channel) * width);
                }
                made[i] = (float) (sum / channels);
            }
            return made;
        }

        private double sample(ByteBuffer bytes, int at) {
            switch (bits) {
                case 8:
                    return ((bytes.get(at) & 0xff) - 128) / 128.0;
                case 16:
                    return bytes.getShort(at) / 32768.0;
                case 24:
                    return (bytes.get(at + 2) << 16 | bytes.getShort(at) & 0xffff) / 8388608.0;
                default:
                    return kind == FLOAT ? finite(bytes.getFloat(at)) : bytes.getInt(at) / 2147483648.0;
            }
        }

        private static float finite(float sample) {
            return Float.isNaN(sample) || Float.isInfinite(sample) ? 0 : sample;
        }
    }
}
