package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Words, as Keras' TextVectorization makes numbers of them. */
public final class TextInput extends InputSpec {
    /** Line numbers of the words, or 1 in the column of each word that occurs. */
    public enum Mode {
        INT,
        MULTI_HOT
    }

    /** What is done to the text before it is cut into words. */
    public enum Standardize {
        LOWER_AND_STRIP_PUNCTUATION,
        LOWER,
        NONE
    }

    /** Numbers that INT gives. */
    public final int length;

    public final Mode mode;
    public final Standardize standardize;

    /** A word per line of vocabulary.txt; the first two stand for padding and unknown words. */
    public final List<String> vocabulary;

    public TextInput(int length, Mode mode, Standardize standardize, List<String> vocabulary) {
        super(new double[] {0}, new double[] {1});
        this.length = length;
        this.mode = mode;
        this.standardize = standardize;
        this.vocabulary = Collections.unmodifiableList(new ArrayList<>(vocabulary));
    }

    @Override
    public String kind() {
        return "text";
    }
}
