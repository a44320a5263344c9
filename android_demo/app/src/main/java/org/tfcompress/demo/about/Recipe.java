package org.tfcompress.demo.about;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.tfcompress.demo.manifest.Json;
import org.tfcompress.demo.model.ModelException;

/** The recipe that made a file, as a report tells it: which techniques, in which order, with which parameters. */
public final class Recipe {
    /** One technique. */
    public static final class Step {
        /** {@code prune}, {@code cluster}, {@code qat}, ... */
        public final String technique;

        /** Parameter, in words, to value; without what is empty. */
        public final Map<String, String> parameters;

        Step(String technique, Map<String, String> parameters) {
            this.technique = technique;
            this.parameters = Collections.unmodifiableMap(parameters);
        }
    }

    public final String name;

    /** Empty where there is none. */
    public final String description;

    /** In the order in which they were done; empty where the model was quantized as it was. */
    public final List<Step> steps;

    /** What the file was to be. */
    public final Map<String, String> conversion;

    private Recipe(String name, String description, List<Step> steps, Map<String, String> conversion) {
        this.name = name;
        this.description = description;
        this.steps = Collections.unmodifiableList(steps);
        this.conversion = Collections.unmodifiableMap(conversion);
    }

    /**
     * Reads a report's {@code recipe}; keys that this app does not know are shown as they stand.
     *
     * @throws ModelException it is no object, or nested too deep
     * @throws JSONException {@code steps} is no list of objects
     */
    public static Recipe read(String json) throws JSONException, ModelException {
        JSONObject recipe = Json.object(json, "The recipe");
        List<Step> steps = new ArrayList<>();
        JSONArray given = recipe.has("steps") ? recipe.getJSONArray("steps") : new JSONArray();
        for (int i = 0; i < given.length(); i++) {
            JSONObject step = given.getJSONObject(i);
            Map<String, String> parameters = parameters(step);
            parameters.remove("technique");
            steps.add(new Step(step.optString("technique", "?"), parameters));
        }
        JSONObject conversion = recipe.optJSONObject("conversion");
        return new Recipe(
                recipe.optString("name"), recipe.optString("description"), steps,
                conversion == null ? new LinkedHashMap<>() : parameters(conversion));
    }

    private static Map<String, String> parameters(JSONObject of) throws JSONException {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (Iterator<String> keys = of.keys(); keys.hasNext(); ) {
            String key = keys.next();
            String value = of.isNull(key) ? "" : words(of.get(key));
            if (!value.isEmpty()) {
                parameters.put(key.replace('_', ' '), value);
            }
        }
        return parameters;
    }

    private static String words(Object value) throws JSONException {
        if (value instanceof Boolean) {
            return (Boolean) value ? "yes" : "no";
        }
        if (!(value instanceof JSONArray)) {
            return value.toString();
        }
        JSONArray list = (JSONArray) value;
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < list.length(); i++) {
            joined.append(i == 0 ? "" : ", ").append(list.get(i));
        }
        return joined.toString();
    }
}
