package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;

public class PillowResizeTest {
    @Test
    public void everyPixelIsPillowsWhateverTheSizes() throws Exception {
        for (JSONObject each : Golden.cases("resize")) {
            int[] from = Golden.ints(each.getJSONArray("from"));
            int[] to = Golden.ints(each.getJSONArray("to"));
            byte[] pixels = Golden.bytes(each.getString("pixels"));
            int channels = each.getInt("channels");
            byte[] resized = PillowResize.bilinear(pixels, from[0], from[1], channels, to[0], to[1]);
            String which = each.getJSONArray("from") + " to " + each.getJSONArray("to") + ", channels " + channels;
            assertArrayEquals(which, Golden.bytes(each.getString("resized")), resized);
        }
    }

    @Test
    public void everyGrayIsPillows() throws Exception {
        JSONObject golden = Golden.object("gray");
        byte[] levels = Golden.bytes(golden.getString("levels"));
        byte[] gray = Golden.bytes(golden.getString("gray"));
        int n = levels.length;
        for (int i = 0; i < gray.length; i++) {
            // NumPy's meshgrid varies the second dimension first.
            int red = levels[i / n % n] & 0xff;
            int green = levels[i / n / n] & 0xff;
            int blue = levels[i % n] & 0xff;
            String which = red + " " + green + " " + blue;
            assertEquals(which, gray[i] & 0xff, ImagePreprocessor.gray(red, green, blue));
        }
    }
}
