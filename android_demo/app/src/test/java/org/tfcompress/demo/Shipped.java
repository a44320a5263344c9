package org.tfcompress.demo;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** The models that this app ships with. A user's own may lie beside them: tests take these by their names. */
public final class Shipped {
    /** Where they are, and a user's own beside them. */
    public static final File MODELS = new File("app/src/main/assets/models");

    /** Handwritten digits: has a pad to draw on, samples, vectors, a report and a model to compare with. */
    public static final String DIGITS = "handwritten_digits";

    /** Whose outputs differ most between versions of the runtime. */
    public static final String DEEP = "ten_things";

    public static final String SPOKEN = "spoken_digits";

    public static final List<String> NAMES =
            Collections.unmodifiableList(Arrays.asList(DIGITS, SPOKEN, "spam", DEEP));

    private Shipped() {}

    /** The model's file. */
    public static File model(String name) {
        File folder = new File(MODELS, name);
        return folder.isDirectory() ? new File(folder, "model.tflite") : new File(MODELS, name + ".tflite");
    }

    /** Names of all models that the app comes with: the shipped ones, and whatever a user put beside them. */
    public static List<String> andOthers() {
        List<String> names = new ArrayList<>();
        File[] files = MODELS.listFiles();
        Arrays.sort(files); // as the app lists them
        for (File file : files) {
            String name = file.getName();
            if (new File(file, "model.tflite").isFile()) {
                names.add(name);
            } else if (file.isFile() && name.endsWith(".tflite")) {
                names.add(name.substring(0, name.length() - ".tflite".length()));
            }
        }
        return names;
    }
}
