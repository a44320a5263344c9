package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/** Numbers as a person writes them: between commas, semicolons or white space, on one line or several. */
public final class Csv {
    private Csv() {}

    /** @throws ModelException something is no number; the message tells which */
    public static float[] numbers(String text) throws ModelException {
        String plain = text.replaceAll("[,;\\s]+", " ").trim();
        if (plain.isEmpty()) {
            throw new ModelException("There are no numbers; write them between commas, such as 5.1, 3.5.");
        }
        String[] words = plain.split(" ");
        float[] numbers = new float[words.length];
        for (int i = 0; i < words.length; i++) {
            try {
                numbers[i] = Float.parseFloat(words[i]);
            } catch (NumberFormatException error) {
                throw new ModelException("Number " + (i + 1) + " is " + Printable.of(words[i], 40)
                        + "; write numbers with a point, between commas, such as 5.1, 3.5.", error);
            }
        }
        return numbers;
    }
}
