package org.tfcompress.demo.manifest;

import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/** The keys of a JSON object, each of the type and range that is asked for, or an error that names the key. */
final class Fields {
    private final JSONObject object;
    private final String place;

    /** @param place for messages: "model.json: input." */
    Fields(JSONObject object, String place) {
        this.object = object;
        this.place = place;
    }

    boolean has(String key) {
        return object.has(key) && !object.isNull(key);
    }

    void need(String key) throws ModelException {
        if (!has(key)) {
            throw wrong(key, "a value");
        }
    }

    private ModelException wrong(String key, String expected) {
        String came = object.has(key) ? "is " + Printable.of(String.valueOf(object.opt(key)), 60) : "is missing";
        return new ModelException(place + key + " " + came + ", expected " + expected + "; export the model anew.");
    }

    Fields fields(String key) throws ModelException {
        JSONObject inside = object.optJSONObject(key);
        if (inside == null) {
            throw wrong(key, "an object");
        }
        return new Fields(inside, place + key + ".");
    }

    /** The objects of a list; none where the key is left out. */
    List<Fields> list(String key, int most) throws ModelException {
        List<Fields> found = new ArrayList<>();
        JSONArray array = array(key, most);
        for (int i = 0; array != null && i < array.length(); i++) {
            JSONObject inside = array.optJSONObject(i);
            if (inside == null) {
                throw wrong(key, "a list of objects");
            }
            found.add(new Fields(inside, place + key + "[" + i + "]."));
        }
        return found;
    }

    private JSONArray array(String key, int most) throws ModelException {
        if (!has(key)) {
            return null;
        }
        JSONArray array = object.optJSONArray(key);
        if (array == null || array.length() > most) {
            throw wrong(key, "a list of at most " + most);
        }
        return array;
    }

    List<String> texts(String key, int most) throws ModelException {
        List<String> found = new ArrayList<>();
        JSONArray array = array(key, most);
        for (int i = 0; array != null && i < array.length(); i++) {
            if (!(array.opt(i) instanceof String)) {
                throw wrong(key, "a list of texts");
            }
            found.add(array.optString(i));
        }
        return found;
    }

    /** A text, or null where it is left out. */
    String text(String key) throws ModelException {
        if (!has(key)) {
            return null;
        }
        if (!(object.opt(key) instanceof String)) {
            throw wrong(key, "a text");
        }
        return object.optString(key);
    }

    int whole(String key, int low, int high) throws ModelException {
        Object value = object.opt(key);
        double number = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (!(number >= low && number <= high) || number != Math.rint(number)) {
            throw wrong(key, "a whole number from " + low + " to " + high);
        }
        return (int) number;
    }

    double number(String key, double low, double high) throws ModelException {
        Object value = object.opt(key);
        double number = value instanceof Number ? ((Number) value).doubleValue() : Double.NaN;
        if (!(number >= low && number <= high)) {
            throw wrong(key, "a number from " + low + " to " + high);
        }
        return number;
    }

    /** A number, or a list of them; the default where it is left out. */
    double[] numbers(String key, double otherwise, int most) throws ModelException {
        if (!has(key)) {
            return new double[] {otherwise};
        }
        JSONArray array = object.opt(key) instanceof Number ? new JSONArray().put(object.opt(key)) : array(key, most);
        double[] numbers = new double[array.length()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = array.opt(i) instanceof Number ? array.optDouble(i) : Double.NaN;
            if (Double.isNaN(numbers[i]) || Double.isInfinite(numbers[i])) {
                throw wrong(key, "numbers");
            }
        }
        if (numbers.length == 0) {
            throw wrong(key, "at least one number");
        }
        return numbers;
    }

    /** As {@link #numbers}, none of them 0. */
    double[] divisors(String key, int most) throws ModelException {
        double[] numbers = numbers(key, 1, most);
        for (double number : numbers) {
            if (number == 0) {
                throw wrong(key, "numbers other than 0");
            }
        }
        return numbers;
    }

    <T extends Enum<T>> T choice(String key, Class<T> choices, T otherwise) throws ModelException {
        if (!has(key)) {
            return otherwise;
        }
        List<String> words = new ArrayList<>();
        for (T choice : choices.getEnumConstants()) {
            if (Json.isWord(choice, object.optString(key))) {
                return choice;
            }
            words.add(choice.name().toLowerCase(java.util.Locale.ROOT));
        }
        throw wrong(key, "one of " + String.join(", ", words));
    }

    <T extends Enum<T>> T choice(String key, Class<T> choices) throws ModelException {
        T choice = choice(key, choices, null);
        if (choice == null) {
            throw wrong(key, "a word");
        }
        return choice;
    }

    /** A list of numbers is one for all, or one for each of `count`. */
    void sameLength(String key, double[] numbers, int count) throws ModelException {
        if (numbers.length != 1 && numbers.length != count) {
            throw wrong(key, "one number or " + count);
        }
    }

    JSONObject json() {
        return object;
    }

    String place() {
        return place;
    }
}
