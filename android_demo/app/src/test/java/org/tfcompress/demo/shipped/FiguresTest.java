package org.tfcompress.demo.shipped;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.Test;
import org.tfcompress.demo.model.DType;

/** A library that computed something else would be noticed. */
public class FiguresTest {
    private final Figures figures = Figures.of("model\tLiteRT 2 (XNNPACK)\tLiteRT 1 (XNNPACK)\tINT8\t0\t0\t0.0\t0");

    private static ByteBuffer floats(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return buffer;
    }

    @Test
    public void oneStepInOneOfFourBytesIsCounted() {
        figures.add(DType.INT8, ByteBuffer.wrap(new byte[] {-128, 7, 127, 0}), new byte[] {-128, 7, 126, 0});
        String counted = figures.values + " " + figures.differing + " " + figures.largest + " " + figures.otherTop;
        assertEquals("4 1 1.0 0", counted);
    }

    @Test
    public void bytesWithoutSignAreReadAsSuch() {
        figures.add(DType.UINT8, ByteBuffer.wrap(new byte[] {-1, 0}), new byte[] {0, 0});
        assertEquals(255, figures.largest, 0);
        figures.add(DType.INT16, ByteBuffer.wrap(new byte[] {0, 1}), new byte[] {0, 3});
        assertEquals(512, figures.largest, 0);
    }

    @Test
    public void anotherClassOnTopIsCountedAndATieIsNone() {
        figures.add(DType.INT8, ByteBuffer.wrap(new byte[] {5, 4}), new byte[] {4, 5});
        assertEquals(1, figures.otherTop);
        figures.add(DType.INT8, ByteBuffer.wrap(new byte[] {5, 4}), new byte[] {5, 5});
        assertEquals(1, figures.otherTop);
    }

    @Test
    public void whatIsNoNumberIsAsFarOffAsCanBe() {
        figures.add(DType.FLOAT32, floats(Float.NaN, 1), floats(0, 1).array());
        assertEquals(1, figures.differing);
        assertTrue(Double.isInfinite(figures.largest));
    }

    @Test
    public void aLineTellsAllOfIt() {
        figures.add(DType.FLOAT32, floats(1, 2), floats(1, 2.5f).array());
        assertEquals(figures.line(), Figures.of(figures.line()).line());
        assertEquals(0.5, Figures.of(figures.line()).largest, 0);
    }

    @Test
    public void builtInKernelsAreNotHeldToXnnpacksNumbers() {
        assertTrue(figures.isSameKernels());
        assertFalse(Figures.of(figures.line().replace("1 (XNNPACK)", "1 (built-in kernels)")).isSameKernels());
    }
}
