package org.tfcompress.demo.preprocess;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.tfcompress.demo.model.ModelException;

public class CsvTest {
    @Test
    public void numbersAreReadAsAPersonWritesThem() throws Exception {
        float[] expected = {5.1f, -3, 1400, 0};
        String[] texts = {"5.1,-3,1.4e3,0", " 5.1; -3;1.4E3 ;0\n", "5.1\n-3\n1400\n0", "5.1,-3,1400,0,\r\n"};
        for (String text : texts) {
            assertArrayEquals(text, expected, Csv.numbers(text), 0);
        }
    }

    @Test
    public void whatIsNoNumberIsNamed() {
        ModelException error = assertThrows(ModelException.class, () -> Csv.numbers("1, two, 3"));
        assertTrue(error.getMessage(), error.getMessage().startsWith("Number 2 is two"));
        assertThrows(ModelException.class, () -> Csv.numbers(" , ; \n"));
    }
}
