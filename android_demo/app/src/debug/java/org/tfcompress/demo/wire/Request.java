package org.tfcompress.demo.wire;

import android.os.Bundle;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.RunOptions;

/** What the computer asks for, checked as docs/phones.md says; no other extra is looked at. */
final class Request {
    static final int MOST_THREADS = 64;
    static final int MOST_RUNS = 100_000;

    private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");
    private static final String ENDING = ".tflite";
    private static final int SHOWN = 60;

    final String id;

    /** The model without any link in its path, in the app's folder. */
    final Path model;

    final RunOptions options;

    /** Timed inferences. */
    final int runs;

    private Request(String id, Path model, RunOptions options, int runs) {
        this.id = id;
        this.model = model;
        this.options = options;
        this.runs = runs;
    }

    /** The id that the answer is named after; null if it is not of the form, so that nothing can be answered. */
    static String id(Bundle extras) {
        Object id = extras.get("id");
        return id instanceof String && ID.matcher((String) id).matches() ? (String) id : null;
    }

    /**
     * The request.
     *
     * @param id of the form
     * @param folder where the model is
     * @throws ModelException it is not of the form, or the file is not there
     */
    static Request read(Bundle extras, String id, File folder) throws ModelException {
        String name = text(extras, "model");
        if (!NAME.matcher(name).matches() || !name.endsWith(ENDING)) {
            throw new ModelException("model is " + quoted(name)
                    + ", expected a name of 1 to 100 letters, digits, '.', '_' or '-' that ends in .tflite");
        }
        int threads = number(extras, "threads", MOST_THREADS);
        int runs = number(extras, "runs", MOST_RUNS);
        String word = text(extras, "delegate");
        Delegate delegate = Delegate.of(word);
        if (delegate == null) {
            throw new ModelException("delegate is " + quoted(word) + ", expected cpu, xnnpack or nnapi");
        }
        return new Request(id, inside(folder, name), new RunOptions(threads, delegate), runs);
    }

    /** The name of the model that is asked for, whatever its form; null if there is none. */
    static String modelName(Bundle extras) {
        Object name = extras.get("model");
        return name instanceof String ? (String) name : null;
    }

    private static Path inside(File folder, String name) throws ModelException {
        File file = new File(folder, name);
        if (!file.isFile()) {
            throw new ModelException("no file " + name + " is in the app's folder; push it there first");
        }
        try {
            Path real = file.toPath().toRealPath();
            if (!folder.toPath().toRealPath().equals(real.getParent())) {
                throw new ModelException(
                        name + " is a link out of the app's folder, which is not followed; push the file itself");
            }
            return real;
        } catch (IOException error) {
            throw new ModelException(name + " cannot be looked at: " + error.getMessage());
        }
    }

    private static String text(Bundle extras, String key) throws ModelException {
        Object value = extras.get(key);
        if (!(value instanceof String)) {
            throw new ModelException(key + " is " + told(value) + ", expected text (am start --es " + key + " ...)");
        }
        return (String) value;
    }

    private static int number(Bundle extras, String key, int most) throws ModelException {
        Object value = extras.get(key);
        if (!(value instanceof Integer)) {
            throw new ModelException(
                    key + " is " + told(value) + ", expected a number (am start --ei " + key + " ...)");
        }
        int number = (Integer) value;
        if (number < 1 || number > most) {
            throw new ModelException(key + " is " + number + ", expected 1 to " + most);
        }
        return number;
    }

    private static String told(Object value) {
        return value == null ? "missing" : quoted(value) + " of type " + value.getClass().getSimpleName();
    }

    private static String quoted(Object value) {
        return "'" + Printable.line(String.valueOf(value), SHOWN) + "'";
    }
}
