package org.tfcompress.demo.ui.input;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.MemoryFolder;
import org.tfcompress.demo.preprocess.Picture;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class PicturesTest {
    /** What the app leaves to its worker is done by the test's only thread here. */
    @Before
    public void beTheWorker() {
        Threads.drawing(null);
    }

    private static MemoryFolder with(int width, int height) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setSample(width - 1, height - 1, 0, 200);
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        return new MemoryFolder().with("samples/a.png", png.toByteArray());
    }

    @Test
    public void aSampleIsTakenPixelByPixelAndShownSmall() throws IOException {
        MemoryFolder folder = with(1600, 800);
        Picture whole = Pictures.sample(folder, "samples/a.png");
        assertEquals(1600, whole.width);
        assertEquals(800, whole.height);
        assertEquals(0xffc8c8c8, whole.argb[1600 * 800 - 1]);
        Bitmap small = Pictures.small(folder, "samples/a.png");
        assertEquals(200, small.getWidth());
        assertEquals(100, small.getHeight());
    }

    @Test
    public void aSampleThatWouldFillThePhonesMemoryIsRefusedWithItsSize() throws IOException {
        MemoryFolder folder = with(8000, 4000);
        IOException refused = assertThrows(IOException.class, () -> Pictures.sample(folder, "samples/a.png"));
        assertTrue(refused.getMessage(), refused.getMessage().startsWith("8000 x 4000 pixels"));
        assertEquals(250, Pictures.small(folder, "samples/a.png").getWidth());
    }
}
