package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.manifest.ManifestReader;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

public class AudioFeaturesTest {
    private static final double LARGEST = 1e-3;

    private static Preprocessor preprocessor(JSONObject input, int... shape) throws Exception {
        Manifest manifest = ManifestReader.read(new JSONObject().put("format", 1).put("input", input).toString(), null);
        return Preprocessor.of(manifest, new TensorSpec("sound", DType.FLOAT32, shape, 0, 0));
    }

    private static float[] clip(short[] samples) {
        float[] clip = new float[samples.length];
        for (int i = 0; i < clip.length; i++) {
            clip[i] = samples[i] / 32768f;
        }
        return clip;
    }

    @Test
    public void featuresAreTensorFlows() throws Exception {
        double largest = 0;
        for (JSONObject each : Golden.cases("audio")) {
            JSONObject input = each.getJSONObject("input");
            int[] shape = Golden.ints(each.getJSONArray("shape"));
            float[] clip = clip(Golden.shorts(each.getString("clip")));
            float[] values = preprocessor(input, shape).clip(clip, input.getInt("sample_rate"));
            float[] expected = Golden.floats(each.getString("values"));
            assertArrayEquals(input.toString(), expected, values, (float) LARGEST);
            for (int i = 0; i < values.length; i++) {
                largest = Math.max(largest, Math.abs(values[i] - expected[i]));
            }
        }
        System.out.printf("audio features: largest difference from TensorFlow's %.2e%n", largest);
    }

    @Test
    public void aTransformOfAnyLengthIsTheOneByTheBook() {
        for (int length : new int[] {1, 2, 3, 5, 8, 12, 31, 100, 127, 128, 255}) {
            double[] reals = new double[length];
            for (int i = 0; i < length; i++) {
                reals[i] = Math.sin(1 + i * i * 0.7) + 0.3 * i / length;
            }
            double[] magnitudes = new Fourier(length).magnitudes(reals);
            assertEquals(length / 2 + 1, magnitudes.length);
            for (int k = 0; k < magnitudes.length; k++) {
                double re = 0;
                double im = 0;
                for (int n = 0; n < length; n++) {
                    re += reals[n] * Math.cos(2 * Math.PI * k * n / length);
                    im -= reals[n] * Math.sin(2 * Math.PI * k * n / length);
                }
                assertEquals(length + " " + k, Math.hypot(re, im), magnitudes[k], 1e-10 * length);
            }
        }
    }

    @Test
    public void aClipOfAnotherRateSoundsTheSame() throws Exception {
        JSONObject input = new JSONObject("{kind: audio, sample_rate: 8000, samples: 4000, features: waveform}");
        for (int rate : new int[] {44100, 16000, 4000, 8000}) {
            float[] clip = tone(rate / 2, 440, rate);
            float[] values = preprocessor(input, 1, 4000).clip(clip, rate);
            float[] expected = tone(4000, 440, 8000);
            // The first and last samples have no neighbours on one side.
            for (int i = 100; i < 3900; i++) {
                assertEquals(rate + " Hz, sample " + i, expected[i], values[i], 5e-3);
            }
        }
    }

    @Test
    public void aToneThatTheLowerRateCannotHoldDisappears() {
        float[] values = Resample.to(8000, tone(44100, 6000, 44100), 44100, 9000);
        assertEquals(8000, values.length);
        for (int i = 100; i < 7900; i++) {
            assertEquals(0, values[i], 5e-3);
        }
    }

    @Test
    public void aLongClipOfALowRateIsCutToWhatTheModelHears() {
        assertEquals(500, Resample.to(192_000, new float[1_000_000], 1, 500).length);
        assertEquals(500, Resample.to(8000, new float[1_000_000], 8000, 500).length);
    }

    private static float[] tone(int samples, double hertz, int rate) {
        float[] tone = new float[samples];
        for (int i = 0; i < samples; i++) {
            tone[i] = (float) Math.sin(2 * Math.PI * hertz * i / rate);
        }
        return tone;
    }

    @Test
    public void aModelOfAnotherSizeIsRefusedWithBothSizes() throws Exception {
        JSONObject input = new JSONObject("{kind: audio, sample_rate: 8000, samples: 4000, features: spectrogram, "
                + "frame_length: 256, frame_step: 128, fft_length: 256}");
        ModelException error = assertThrows(ModelException.class, () -> preprocessor(input, 1, 49, 10));
        assertTrue(error.getMessage(), error.getMessage().contains("30 x 129 features"));
        assertTrue(error.getMessage(), error.getMessage().contains("[1, 49, 10]"));
    }
}
