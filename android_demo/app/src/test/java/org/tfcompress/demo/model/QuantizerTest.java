package org.tfcompress.demo.model;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.ByteBuffer;
import java.util.Locale;
import org.json.JSONObject;
import org.junit.Test;
import org.tfcompress.demo.Golden;

public class QuantizerTest {
    @Test
    public void valuesAreStoredAsTheToolkitRoundsAndClipsThemAndComeBackAsItHasThem() throws Exception {
        for (JSONObject each : Golden.cases("quantize")) {
            float[] values = Golden.floats(each.getString("values"));
            DType type = DType.valueOf(each.getString("type").toUpperCase(Locale.ROOT));
            TensorSpec spec = new TensorSpec(
                    "x", type, new int[] {values.length}, (float) each.getDouble("scale"), each.getInt("zero_point"));
            ByteBuffer stored = Quantizer.allocate(spec);
            Quantizer.quantize(values, spec, stored);
            byte[] bytes = new byte[spec.bytes()];
            stored.duplicate().get(bytes);
            assertArrayEquals(each.getString("type"), Golden.bytes(each.getString("stored")), bytes);
            assertArrayEquals(Golden.floats(each.getString("back")), Quantizer.dequantize(stored, spec), 0);
        }
    }

    @Test
    public void plainNumbersStayWhatTheyAre() throws Exception {
        float[] values = {3, -2, 0, 1};
        for (DType type : new DType[] {DType.FLOAT32, DType.INT32, DType.INT64, DType.INT16, DType.INT8}) {
            TensorSpec spec = new TensorSpec("x", type, new int[] {1, 4}, 0, 0);
            ByteBuffer stored = Quantizer.allocate(spec);
            Quantizer.quantize(values, spec, stored);
            assertArrayEquals(type.toString(), values, Quantizer.dequantize(stored, spec), 0);
        }
        TensorSpec flags = new TensorSpec("x", DType.BOOL, new int[] {1, 4}, 0, 0);
        ByteBuffer stored = Quantizer.allocate(flags);
        Quantizer.quantize(values, flags, stored);
        assertArrayEquals(new float[] {1, 1, 0, 1}, Quantizer.dequantize(stored, flags), 0);
    }

    @Test
    public void whatIsNoNumberAndAnotherCountAreRefused() {
        TensorSpec spec = new TensorSpec("x", DType.INT8, new int[] {1, 2}, 0.1f, 0);
        ModelException error = assertThrows(
                ModelException.class,
                () -> Quantizer.quantize(new float[] {0, Float.NaN}, spec, Quantizer.allocate(spec)));
        assertEquals("Value 1 of the input is not a number, which int8 cannot hold; give numbers only.",
                error.getMessage());
        error = assertThrows(
                ModelException.class, () -> Quantizer.quantize(new float[3], spec, Quantizer.allocate(spec)));
        assertTrue(error.getMessage(), error.getMessage().startsWith("3 values came for x, which takes 2"));
    }
}
