package org.tfcompress.demo.manifest;

import java.util.Locale;
import org.json.JSONException;
import org.json.JSONObject;
import org.json.JSONTokener;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/** JSON of a file that is not trusted. */
public final class Json {
    /** The parser calls itself for each bracket; a text of brackets alone would use up the stack. */
    private static final int MOST_DEPTH = 50;

    private Json() {}

    /**
     * The object that a text holds.
     *
     * @param file its name, for messages
     * @throws ModelException it is no JSON object, or nested too deep
     */
    public static JSONObject object(String text, String file) throws ModelException {
        if (depth(text) > MOST_DEPTH) {
            throw new ModelException(file + " is nested deeper than " + MOST_DEPTH + " levels; export it anew.");
        }
        try {
            Object value = new JSONTokener(text).nextValue();
            if (value instanceof JSONObject) {
                return (JSONObject) value;
            }
        } catch (JSONException | NumberFormatException error) {
            throw new ModelException(
                    file + " is no JSON (" + Printable.of(error.getMessage(), 100) + "); export it anew.", error);
        }
        throw new ModelException(file + " holds no JSON object; export it anew.");
    }

    /** At least how deep brackets are nested, those in texts among them. */
    private static int depth(String text) {
        int depth = 0;
        int deepest = 0;
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (quoted && letter == '\\') {
                i++;
            } else if (letter == '"') {
                quoted = !quoted;
            } else if (!quoted && (letter == '{' || letter == '[')) {
                deepest = Math.max(deepest, ++depth);
            } else if (!quoted && (letter == '}' || letter == ']')) {
                depth--;
            }
        }
        return deepest;
    }

    /** The word of an enum's constant: WHITE_ON_BLACK is "white on black", and "log_mel" stays what it is. */
    static boolean isWord(Enum<?> constant, String word) {
        String lower = constant.name().toLowerCase(Locale.ROOT);
        return lower.equals(word) || lower.replace('_', ' ').equals(word);
    }
}
