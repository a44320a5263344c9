package org.tfcompress.demo.ui;

import static org.robolectric.Shadows.shadowOf;

import android.app.Application;
import android.content.ComponentName;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import android.os.IBinder;
import android.view.View;
import android.view.ViewGroup;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.tfcompress.demo.DemoApp;
import org.tfcompress.demo.MainActivity;
import org.tfcompress.demo.R;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.check.CheckService;
import org.tfcompress.demo.runtime.JvmRunner;
import org.tfcompress.demo.runtime.Runners;
import org.tfcompress.demo.session.Session;

/** The app as a user has it before them, with the desktop's TensorFlow Lite in place of Android's. */
final class App {
    private static final Path MODELS = Paths.get("app/src/test/resources/models");

    private ActivityController<MainActivity> controller;

    private App() {}

    /** Puts models there as if the user had opened them before; the last one is shown when the app starts. */
    static void has(String... names) throws IOException {
        Runners.factory = JvmRunner::new;
        for (String name : names) {
            copy(MODELS.resolve(name), new File(RuntimeEnvironment.getApplication().getFilesDir(), "models").toPath());
            shows("opened/" + name.replace(".tflite", ""));
        }
    }

    /** The model that is shown when the app starts. */
    static void shows(String key) {
        RuntimeEnvironment.getApplication()
                .getSharedPreferences("models", Context.MODE_PRIVATE)
                .edit()
                .putString("last", key)
                .commit();
    }

    private static void copy(Path from, Path models) throws IOException {
        if (!Files.isDirectory(from)) {
            Path folder = models.resolve(from.getFileName().toString().replace(".tflite", ""));
            Files.createDirectories(folder);
            Files.copy(from, folder.resolve("model.tflite"));
            return;
        }
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : (Iterable<Path>) all::iterator) {
                Path to = models.resolve(from.getFileName()).resolve(from.relativize(each).toString());
                Files.createDirectories(to.getParent());
                Files.copy(each, to);
            }
        }
    }

    /** Starts the app; it shows what {@link #shows} or {@link #has} said, else the shipped digits. */
    static App start() {
        return start(new Intent(Intent.ACTION_MAIN));
    }

    /** Starts the app as it is after it was installed. */
    static App startForTheFirstTime() {
        return startAsItIs(new Intent(Intent.ACTION_MAIN), activity -> {});
    }

    /** Starts the app as another app would. */
    static App start(Intent intent) {
        return start(intent, activity -> {});
    }

    /** @param atOnce what the user does before the models are found */
    static App start(Intent intent, Consumer<MainActivity> atOnce) {
        if (!RuntimeEnvironment.getApplication().getSharedPreferences("models", Context.MODE_PRIVATE).contains("last")) {
            shows("bundled/" + Shipped.DIGITS);
        }
        return startAsItIs(intent, atOnce);
    }

    private static App startAsItIs(Intent intent, Consumer<MainActivity> atOnce) {
        Runners.factory = JvmRunner::new;
        checkedBy(Robolectric.setupService(CheckService.class).onBind(new Intent()));
        App made = new App();
        made.controller = Robolectric.buildActivity(MainActivity.class, intent).setup();
        atOnce.accept(made.activity());
        made.settle();
        return made;
    }

    /** Who tries out models from outside. */
    static void checkedBy(IBinder service) {
        Application app = RuntimeEnvironment.getApplication();
        shadowOf(app).setComponentNameAndServiceForBindService(new ComponentName(app, CheckService.class), service);
    }

    MainActivity activity() {
        return controller.get();
    }

    ActivityController<MainActivity> controller() {
        return controller;
    }

    Session session() {
        return DemoApp.session(controller.get());
    }

    App settle() {
        Screens.settle(session());
        return this;
    }

    /** Turns the phone, or darkens it: Android makes the activity anew. */
    App turn(String qualifiers) {
        RuntimeEnvironment.setQualifiers(qualifiers);
        controller.recreate();
        return settle();
    }

    <T extends View> T view(int id) {
        return controller.get().findViewById(id);
    }

    /** Touches what shows that text or is described by it. */
    App touch(String text) {
        View found = Screens.find(view(R.id.root), text);
        if (found == null) {
            throw new AssertionError("nothing says “" + text + "” in:\n" + Screens.text(view(R.id.root)));
        }
        if (!found.isEnabled() || !found.performClick()) {
            throw new AssertionError("“" + text + "” cannot be touched");
        }
        return settle();
    }

    App touch(int id) {
        if (!view(id).performClick()) {
            throw new AssertionError("it cannot be touched");
        }
        return settle();
    }

    App tab(Tab tab) {
        ((ViewGroup) view(R.id.tabs)).getChildAt(tab.ordinal()).performClick();
        return settle();
    }

    /** All text on the screen. */
    String text() {
        return Screens.text(view(R.id.root));
    }

    /** The text of a view; empty if it is not shown. */
    String text(int id) {
        View view = view(id);
        return view.isShown() ? ((android.widget.TextView) view).getText().toString() : "";
    }

    App shot(String name) throws IOException {
        Screens.shot(activity(), name);
        return this;
    }

    /** A document of another app. */
    static Uri document(String name, byte[] bytes) {
        Uri uri = Uri.parse("content://files/" + name);
        shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerInputStreamSupplier(uri, () -> new ByteArrayInputStream(bytes));
        return uri;
    }

    static byte[] resource(String path) {
        try {
            return Files.readAllBytes(MODELS.resolve(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The user picks that document, or goes back if it is null, where the app asked for one. */
    App pick(Uri uri) {
        Intent asked = shadowOf(activity()).getNextStartedActivityForResult().intent;
        int result = uri == null ? android.app.Activity.RESULT_CANCELED : android.app.Activity.RESULT_OK;
        shadowOf(activity()).receiveResult(asked, result, uri == null ? null : new Intent().setData(uri));
        return settle();
    }
}
