package org.tfcompress.demo.preprocess;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tfcompress.demo.manifest.TextInput;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/** Texts as Keras' TextVectorization does them, which knows upper case, punctuation and white space of ASCII only. */
public final class TextVectorizer extends Preprocessor {
    private static final String PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'";
    private static final int UNKNOWN = 1;

    /** The first lines of the vocabulary are no words: padding and unknown. */
    private static final int FIRST_WORD = 2;

    private final TextInput input;
    private final Map<String, Integer> numbers = new HashMap<>();

    /** @throws ModelException the model takes another number of values */
    public TextVectorizer(TextInput input, TensorSpec spec) throws ModelException {
        super(input);
        this.input = input;
        int values = input.mode == TextInput.Mode.INT ? input.length : input.vocabulary.size() - 1;
        if (values != spec.elements()) {
            throw new ModelException("model.json and vocabulary.txt come to " + values
                    + " values of a text, but the model takes "
                    + spec + "; export the model anew.");
        }
        for (int i = FIRST_WORD; i < input.vocabulary.size(); i++) {
            numbers.putIfAbsent(input.vocabulary.get(i), i);
        }
    }

    @Override
    public float[] text(String text) {
        List<String> words = words(standardized(text));
        if (input.mode == TextInput.Mode.MULTI_HOT) {
            float[] columns = new float[input.vocabulary.size() - 1];
            for (String word : words) {
                columns[numbers.getOrDefault(word, UNKNOWN) - 1] = 1;
            }
            return columns;
        }
        float[] made = new float[input.length];
        for (int i = 0; i < Math.min(made.length, words.size()); i++) {
            made[i] = numbers.getOrDefault(words.get(i), UNKNOWN);
        }
        return made;
    }

    private String standardized(String text) {
        if (input.standardize == TextInput.Standardize.NONE) {
            return text;
        }
        boolean strip = input.standardize == TextInput.Standardize.LOWER_AND_STRIP_PUNCTUATION;
        StringBuilder made = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter >= 'A' && letter <= 'Z') {
                made.append((char) (letter + ('a' - 'A')));
            } else if (!strip || PUNCTUATION.indexOf(letter) < 0) {
                made.append(letter);
            }
        }
        return made.toString();
    }

    private static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        int start = -1;
        for (int i = 0; i <= text.length(); i++) {
            boolean space = i == text.length() || isSpace(text.charAt(i));
            if (space && start >= 0) {
                words.add(text.substring(start, i));
                start = -1;
            } else if (!space && start < 0) {
                start = i;
            }
        }
        return words;
    }

    private static boolean isSpace(char letter) {
        return letter == ' ' || letter >= '\t' && letter <= '\r';
    }
}
