package org.tfcompress.demo.ui;

import android.app.Activity;
import android.view.View;
import android.view.ViewGroup;
import android.widget.CompoundButton;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.robolectric.RuntimeEnvironment;
import org.tfcompress.demo.MainActivity;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.store.ModelFolder;

/** {@link App} with what the tests of Compare, Benchmark and About need beyond it: a bundled model, spoken text. */
final class Phone {
    private final App app;

    private Phone(App app) {
        this.app = app;
    }

    /** Opens the app and waits until it shows the shipped digits, or what {@link App#shows} said. */
    static Phone start() {
        return new Phone(App.start());
    }

    MainActivity activity() {
        return app.activity();
    }

    Session session() {
        return app.session();
    }

    View root() {
        return activity().getWindow().getDecorView();
    }

    void settle() {
        app.settle();
    }

    Phone tab(Tab tab) {
        app.tab(tab);
        return this;
    }

    /** Touches what shows this text, or is described by it, and does not wait for what that begins. */
    void touch(String text) {
        View found = Screens.find(root(), text);
        if (found == null) {
            throw new AssertionError("nothing says '" + text + "' on:\n" + text());
        }
        found.performClick();
    }

    /** Checks or unchecks a box. */
    void check(int id, boolean on) {
        ((CompoundButton) activity().findViewById(id)).setChecked(on);
    }

    /** All text that can be seen. */
    String text() {
        return Screens.text(root());
    }

    /** All that a screen reader reads of the tab in front. */
    String spoken() {
        StringBuilder all = new StringBuilder();
        speak(root(), all);
        return all.toString();
    }

    private static void speak(View view, StringBuilder all) {
        if (view.getVisibility() != View.VISIBLE) {
            return;
        }
        if (view.getContentDescription() != null) {
            all.append(view.getContentDescription()).append('\n');
        }
        for (int i = 0; view instanceof ViewGroup && i < ((ViewGroup) view).getChildCount(); i++) {
            speak(((ViewGroup) view).getChildAt(i), all);
        }
    }

    /** Turns the phone, or changes to the dark: the activity is made anew. */
    void become(String qualifiers) {
        app.turn(qualifiers);
    }

    void shot(String name) throws IOException {
        Screens.pass(700); // boxes and ripples move
        Screens.shot((Activity) activity(), name);
    }

    /**
     * Puts a folder among those that the user opened, before the app starts.
     *
     * @param bundled the folder in the app's assets that is copied
     */
    static File openedCopy(String bundled, String name) throws IOException {
        Path from = Shipped.MODELS.toPath().resolve(bundled);
        Path to = new File(RuntimeEnvironment.getApplication().getFilesDir(), "models/" + name).toPath();
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : (Iterable<Path>) all::iterator) {
                Path copy = to.resolve(from.relativize(each).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(each, copy);
            }
        }
        return to.toFile();
    }

    /** Shows the model of that folder. */
    void open(String folder) {
        for (Listed listed : session().models()) {
            if (listed.folder.name().equals(folder)) {
                session().open(listed);
                settle();
                return;
            }
        }
        throw new AssertionError("no model is in the folder " + folder + " with " + ModelFolder.MODEL);
    }
}
