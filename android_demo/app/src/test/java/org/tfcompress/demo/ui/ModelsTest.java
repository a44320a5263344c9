package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.AlertDialog;
import android.content.Intent;
import android.content.SharedPreferences;
import android.graphics.Rect;
import android.net.Uri;
import android.os.DeadObjectException;
import android.os.IBinder;
import android.view.View;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowAlertDialog;
import org.tfcompress.demo.MainActivity;
import org.tfcompress.demo.R;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;

/** Choosing, opening and removing models. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ModelsTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private static AlertDialog dialog(App app) {
        app.settle();
        return ShadowAlertDialog.getLatestAlertDialog();
    }

    private static void touch(App app, AlertDialog dialog, String text) {
        View found = Screens.find(dialog.getWindow().getDecorView(), text);
        assertNotNull(text + " in " + Screens.text(dialog.getWindow().getDecorView()), found);
        View clickable = found;
        while (!clickable.isClickable()) {
            clickable = (View) clickable.getParent();
        }
        clickable.performClick();
        app.settle();
    }

    @Test
    public void anotherModelIsChosenFromTheList() throws Exception {
        App.has("photos", "iris");
        App app = App.start();
        assertEquals("Iris flowers", app.text(R.id.model_title));
        app.touch(R.id.chooser);
        Screens.shot(dialog(app), "models");
        touch(app, dialog(app), "Flower or temple");
        assertEquals("Flower or temple", app.text(R.id.model_title));
        assertTrue(app.text(R.id.model_detail), app.text(R.id.model_detail).startsWith("int8, "));
        assertEquals(Session.State.READY, app.session().state());
    }

    @Test
    public void theListStaysOpenWhenThePhoneIsTurnedAndTheModelIsKept() throws Exception {
        App.has("photos", "iris");
        App app = App.start();
        app.touch(R.id.chooser);
        app.turn(Screens.LYING);
        assertTrue(dialog(app).isShowing());
        Screens.shot(dialog(app), "models-lying");
        assertEquals("Iris flowers", app.text(R.id.model_title));
    }

    @Test
    public void aFileIsPickedTriedOutAndRuns() throws Exception {
        App app = App.start();
        app.touch("Open a model file").pick(App.document("plain.tflite", App.resource("plain.tflite")));
        assertNull(app.session().notice());
        assertEquals("plain", app.session().chosen().folder.name());
        assertEquals(Session.State.READY, app.session().state());
        DrawPanelTest.drawSeven(app);
        assertEquals("The output is no distribution; a softmax was applied.", app.text(R.id.result_note));
        app.shot("classify-guessed");
    }

    @Test
    public void goingBackFromThePickerChangesNothing() {
        App app = App.start();
        String before = app.text(R.id.model_title);
        app.touch("Open a model file").pick(null);
        assertEquals(before, app.text(R.id.model_title));
        assertNull(app.session().notice());
    }

    @Test
    public void anExportedFolderInAZipIsOpenedFromAnotherApp() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (String name : new String[] {"model.tflite", "model.json", "labels.txt", "samples/setosa.csv"}) {
                zip.putNextEntry(new ZipEntry("iris/" + name));
                zip.write(App.resource("iris/" + name));
            }
        }
        Uri file = App.document("iris.zip", bytes.toByteArray());
        App app = App.start(new Intent(Intent.ACTION_VIEW, file));
        assertNull(app.session().notice());
        assertEquals("Iris flowers", app.text(R.id.model_title));
        Uri other = App.document("plain.tflite", App.resource("plain.tflite"));
        app.controller().newIntent(new Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, other));
        app.settle();
        assertEquals("plain", app.session().chosen().folder.name());
    }

    @Test
    public void theAppOpenedAnewFromTheRecentOnesDoesNotTakeTheSameFileAgain() {
        Uri file = App.document("plain.tflite", App.resource("plain.tflite"));
        App app = App.start(new Intent(Intent.ACTION_VIEW, file).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY));
        assertEquals(bundled(), app.session().models().size());
        assertNull(app.session().notice());
    }

    @Test
    public void whatAnotherAppHandsOverAndIsNoDocumentIsLeftAlone() {
        App app = App.start();
        Intent send = new Intent(Intent.ACTION_SEND);
        app.controller().newIntent(send);
        app.controller().newIntent(send.putExtra(Intent.EXTRA_STREAM, new Rect()));
        Uri own = Uri.fromFile(new File("app/src/test/resources/models/plain.tflite"));
        app.controller().newIntent(send.putExtra(Intent.EXTRA_STREAM, own));
        app.settle();
        assertEquals(bundled(), app.session().models().size());
        assertEquals(Session.State.READY, app.session().state());
    }

    @Test
    public void theListFillsWhenItIsOpenedBeforeTheModelsAreFound() {
        App app = App.start(new Intent(Intent.ACTION_MAIN), MainActivity::chooseModel);
        assertNotNull(Screens.find(dialog(app).getWindow().getDecorView(), "Handwritten digits"));
    }

    @Test
    public void aModelThatDidNotOpenIsNotTheFirstThingAtTheNextStart() throws Exception {
        App.has("plain.tflite", "iris");
        Path broken = RuntimeEnvironment.getApplication().getFilesDir().toPath().resolve("models/plain/model.tflite");
        Files.write(broken, new byte[] {1, 2, 3});
        App app = App.start();
        app.touch(R.id.chooser);
        touch(app, dialog(app), "plain");
        assertEquals(Session.State.BROKEN, app.session().state());
        SharedPreferences kept = RuntimeEnvironment.getApplication().getSharedPreferences("models", 0);
        assertEquals("opened/iris", kept.getString("last", ""));
    }

    @Test
    public void aBrokenFileIsSaidAndTheModelBeforeStillRuns() throws Exception {
        App.has("iris");
        App app = App.start();
        byte[] half = java.util.Arrays.copyOf(App.resource("plain.tflite"), 900);
        app.touch("Open a model file").pick(App.document("half.tflite", half));
        assertNotNull(app.session().notice());
        assertEquals(app.session().notice(), app.text(R.id.notice_text));
        app.shot("models-broken-file");
        assertEquals("Iris flowers", app.text(R.id.model_title));
        app.touch("Sample setosa");
        assertEquals("setosa", app.text(R.id.result_first));
        app.touch("Dismiss");
        assertFalse(app.view(R.id.notice).isShown());
        assertEquals(1 + bundled(), app.session().models().size());
    }

    private static int bundled() {
        return Shipped.andOthers().size();
    }

    @Test
    public void aModelThatEndsTheProcessWhichTriesItOutIsNotOpened() {
        App app = App.start();
        int before = app.session().models().size();
        App.checkedBy((IBinder) Proxy.newProxyInstance(
                IBinder.class.getClassLoader(), new Class<?>[] {IBinder.class}, (dead, method, arguments) -> {
                    if (method.getName().equals("transact")) {
                        throw new DeadObjectException();
                    }
                    return null;
                }));
        app.touch("Open a model file").pick(App.document("plain.tflite", App.resource("plain.tflite")));
        assertTrue(app.session().notice(), app.session().notice().startsWith("The model ended the process"));
        assertEquals(Session.State.READY, app.session().state());
        assertEquals(before, app.session().models().size());
    }

    @Test
    public void anUnknownOperatorIsNamed() throws Exception {
        App.has("iris");
        App app = App.start();
        byte[] mystery = Files.readAllBytes(Paths.get("app/src/test/resources/wire/mystery.tflite"));
        app.touch("Open a model file").pick(App.document("mystery.tflite", mystery));
        assertTrue(app.session().notice(), app.session().notice().contains("Mystery"));
    }

    @Test
    public void aModelForMicrocontrollersIsToldHowToExportItForAPhone() {
        App app = App.start();
        app.touch("Open a model file").pick(App.document("encoded.tflite", App.resource("encoded.tflite")));
        assertTrue(app.session().notice(), app.session().notice().contains("--decode off"));
        assertEquals(Session.State.READY, app.session().state());
    }

    @Test
    public void aModelThatCannotRunSaysSoAndAnotherCanBeChosen() throws Exception {
        App.has("plain.tflite");
        java.io.File broken = new java.io.File(
                org.robolectric.RuntimeEnvironment.getApplication().getFilesDir(), "models/plain/model.tflite");
        Files.write(broken.toPath(), new byte[] {1, 2, 3});
        App app = App.start();
        assertEquals(Session.State.BROKEN, app.session().state());
        assertTrue(app.text(), app.text().contains("plain cannot run"));
        assertTrue(app.text(), app.text().contains(app.session().problem()));
        app.shot("classify-broken");
        app.touch("Choose another model");
        touch(app, dialog(app), "Handwritten digits");
        assertEquals(Session.State.READY, app.session().state());
    }

    @Test
    public void severalInputsAreSaid() throws Exception {
        App.has("two_inputs.tflite");
        App app = App.start();
        assertTrue(app.text(), app.text().contains("two_inputs takes several inputs"));
        assertTrue(app.text(), app.text().contains("It takes 2 inputs at once"));
        app.shot("classify-two-inputs");
        for (Tab tab : Tab.values()) {
            app.tab(tab);
        }
    }

    @Test
    public void anOpenedModelIsRemovedAfterAQuestion() throws Exception {
        App.has("photos", "iris");
        App app = App.start();
        app.touch(R.id.chooser);
        touch(app, dialog(app), "Remove Iris flowers");
        AlertDialog question = dialog(app);
        assertTrue(Screens.text(question.getWindow().getDecorView()).contains("Remove Iris flowers?"));
        question.getButton(AlertDialog.BUTTON_POSITIVE).performClick();
        app.settle();
        for (Listed each : app.session().models()) {
            assertFalse(each.title.equals("Iris flowers"));
        }
        assertEquals(Session.State.READY, app.session().state());
        assertFalse(app.text(R.id.model_title).equals("Iris flowers"));
    }

    @Test
    public void theScaleOfPixelsIsChosenWhereNothingTellsItAndRemembered() throws Exception {
        App.has("plain.tflite");
        App app = App.start();
        DrawPanelTest.drawSeven(app);
        float[] before = app.session().input();
        app.touch("Pixels are 0 to 1");
        Screens.shot(dialog(app), "pixels");
        shadowOf(dialog(app)).clickOnItem(2);
        app.settle();
        assertTrue(app.text(), app.text().contains("Pixels are 0 to 255"));
        float[] after = app.session().input();
        for (int i = 0; i < before.length; i++) {
            assertEquals(255 * before[i], after[i], 1e-3);
        }
        app.turn(Screens.LYING);
        assertTrue(app.text(), app.text().contains("Pixels are 0 to 255"));
    }
}
