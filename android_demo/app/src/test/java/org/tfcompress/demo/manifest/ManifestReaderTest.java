package org.tfcompress.demo.manifest;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;
import org.tfcompress.demo.Spoiled;
import org.tfcompress.demo.model.ModelException;

public class ManifestReaderTest {
    private static final String IMAGE = "{'kind': 'image', 'channels': 'gray', 'layout': 'nhwc', 'mean': [0.0], "
            + "'std': [255.0], 'drawing': 'white on black'}";
    private static final String AUDIO = "{'kind': 'audio', 'sample_rate': 8000, 'samples': 8000, 'normalize': 'peak', "
            + "'features': 'mfcc', 'frame_length': 256, 'frame_step': 160, 'fft_length': 256, 'power': 2, "
            + "'mel_bins': 32, 'lower_hz': 80.0, 'upper_hz': 3800, 'log_offset': 1e-6, "
            + "'coefficients': 13, 'mean': -0.2, 'std': 1.3}";
    private static final List<String> VOCABULARY = Arrays.asList("", "[UNK]", "cat");

    private static String json(String input, String more) {
        return ("{'format': 1, 'input': " + input + more + "}").replace('\'', '"');
    }

    private static Manifest read(String input, String more) throws ModelException {
        return ManifestReader.read(json(input, more), VOCABULARY);
    }

    private static String refused(String input, String more) {
        String message = assertThrows(ModelException.class, () -> read(input, more)).getMessage();
        assertTrue(message, message.startsWith("model.json"));
        return message;
    }

    @Test
    public void everyKeyOfTheDocumentIsRead() throws Exception {
        Manifest manifest = read(IMAGE, ", 'title': 'Digits', 'sha256': 'ABCD', 'made_by': 'tfcompress 0.1.0', "
                + "'output': 'values', 'samples': [{'file': 'samples/7.png', 'label': '7'}, {'file': 'samples/8.png', "
                + "'label': null}], 'report': {'rows': [{'name': 'file_bytes', 'value': 12, 'unit': 'bytes', "
                + "'how': 'measured', 'runtime': '', 'target': '', 'source': ''}], 'recipe': {'seed': 3}, "
                + "'notes': ['a note']}, 'new_key': [1]");
        assertEquals("Digits", manifest.title);
        assertEquals("abcd", manifest.sha256);
        assertEquals("tfcompress 0.1.0", manifest.madeBy);
        assertEquals(Manifest.Output.VALUES, manifest.output);
        assertEquals("7", manifest.samples.get(0).label);
        assertNull(manifest.samples.get(1).label);
        assertEquals(12, manifest.report.rows.get(0).number(), 0);
        assertTrue(manifest.report.recipe, manifest.report.recipe.contains("\"seed\": 3"));
        assertEquals(Arrays.asList("a note"), manifest.report.notes);
        ImageInput image = (ImageInput) manifest.input;
        assertEquals(ImageInput.Channels.GRAY, image.channels);
        assertEquals(ImageInput.Layout.NHWC, image.layout);
        assertEquals(ImageInput.Ink.WHITE_ON_BLACK, image.drawing);
        assertArrayEquals(new double[] {255}, image.std(), 0);
    }

    @Test
    public void anAudioInputHasItsFrontEnd() throws Exception {
        AudioInput audio = (AudioInput) read(AUDIO, "").input;
        assertEquals(AudioInput.Features.MFCC, audio.features);
        assertEquals(AudioInput.Normalize.PEAK, audio.normalize);
        assertArrayEquals(new int[] {49, 13}, audio.featureShape());
        assertEquals(1.0, audio.seconds(), 0);
        assertEquals(2, audio.frames.power);
        assertEquals(3800, audio.mel.upperHz, 0);
        assertArrayEquals(new double[] {-0.2}, audio.mean(), 0);
    }

    @Test
    public void aShortManifestHasDefaults() throws Exception {
        Manifest manifest = read("{'kind': 'features'}", "");
        assertNull(manifest.title);
        assertEquals(Manifest.Output.CLASSES, manifest.output);
        assertTrue(manifest.report.isEmpty());
        assertTrue(manifest.samples.isEmpty());
    }

    @Test
    public void aWrongValueIsNamedWithWhatWasExpected() {
        assertEquals(
                "model.json: input.channels is cmyk, expected one of gray, rgb, bgr; export the model anew.",
                refused(IMAGE.replace("gray", "cmyk"), ""));
        String means = refused(IMAGE.replace("[0.0]", "[1, 2]"), "");
        assertTrue(means, means.contains("input.mean is [1,2], expected one number or 1"));
        assertTrue(refused(IMAGE.replace("[255.0]", "[0]"), "").contains("other than 0"));
        assertTrue(refused(IMAGE.replace("'std'", "'sdt'"), "").contains("input.std is missing"));
        assertTrue(refused(AUDIO.replace("'samples': 8000", "'samples': 100"), "").contains("frame_length is 256"));
        assertTrue(refused(AUDIO.replace("3800", "3800000"), "").contains("upper_hz is 3800000"));
        assertTrue(refused(AUDIO.replace("13", "130"), "").contains("coefficients is 130"));
        assertTrue(refused(AUDIO.replace("'power': 2", "'power': 1.5"), "").contains("power is 1.5"));
        assertTrue(refused("{'kind': 'smell'}", "").contains("kind is smell"));
        assertTrue(refused("7", "").contains("input is 7, expected an object"));
        assertTrue(refused(IMAGE, ", 'samples': [{'label': '7'}]").contains("samples[0].file is missing"));
        assertTrue(refused(IMAGE, ", 'report': {'rows': [{}]}").contains("report.rows[0]."));
        assertTrue(refused(IMAGE, ", 'report': {'rows': [{'name': 'a', 'value': NaN}]}").contains("no JSON"));
    }

    @Test
    public void aFrontEndThatNoPhoneCouldComputeIsRefused() {
        String many = AUDIO.replace("8000, 'normalize'", "5000000, 'normalize'").replace("160", "1");
        assertTrue(refused(many, ""), refused(many, "").contains("more than a phone can compute"));
        String wide = AUDIO.replace("'fft_length': 256", "'fft_length': 262144").replace("32,", "1024,");
        assertTrue(refused(wide, ""), refused(wide, "").contains("more than a phone can compute"));
    }

    @Test
    public void anotherFormatAndAMissingVocabularyAreSaid() {
        String newer = json(IMAGE, "").replace("\"format\": 1", "\"format\": 2");
        ModelException error = assertThrows(ModelException.class, () -> ManifestReader.read(newer, null));
        assertEquals("model.json is of format 2, but this app knows 1; install a newer app.", error.getMessage());
        String text = json("{'kind': 'text', 'length': 4, 'mode': 'int', 'standardize': 'none'}", "");
        error = assertThrows(ModelException.class, () -> ManifestReader.read(text, null));
        assertTrue(error.getMessage(), error.getMessage().contains("no vocabulary.txt"));
    }

    @Test
    public void bracketsWithoutEndAreRefused() {
        StringBuilder deep = new StringBuilder();
        for (int i = 0; i < 1_000_000; i++) {
            deep.append(i % 2 == 0 ? "[" : "{\"a\":");
        }
        ModelException error = assertThrows(ModelException.class, () -> ManifestReader.read(deep.toString(), null));
        assertTrue(error.getMessage(), error.getMessage().contains("nested deeper"));
    }

    @Test
    public void anyBytesAreReadOrRefused() {
        Spoiled spoiled = new Spoiled(3);
        int refused = 0;
        String samples = ", 'samples': [{'file': 'samples/7.png', 'label': '7'}], "
                + "'report': {'rows': [{'name': 'a', 'value': 1}]}";
        String[] inputs = {IMAGE, AUDIO, "{'kind': 'text', 'length': 4}", "{'kind': 'features', 'names': ['a']}"};
        for (String input : inputs) {
            byte[] file = json(input, samples).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 5000; i++) {
                try {
                    ManifestReader.read(new String(spoiled.of(file), StandardCharsets.UTF_8), VOCABULARY);
                } catch (ModelException expected) {
                    refused++;
                    assertTrue(expected.getMessage(), expected.getMessage().length() < 400);
                }
            }
        }
        assertTrue(refused + " refused", refused > 5000 && refused < 20_000);
    }
}
