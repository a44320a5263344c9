package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.measure.VectorResult;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.text.Figures;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class AboutScreenTest {
    @Rule public final OffMainThread offMainThread = new OffMainThread();

    private static final String BUNDLED = Shipped.DIGITS;

    @Test
    public void theModelIsDescribedByItsFile() throws IOException {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        DemoModel model = phone.session().model();
        String bytes = new Figures(phone.activity()).exactBytes(model.bytes.capacity());
        for (String told : new String[] {
            model.title, bytes, model.kind, model.sha256, String.valueOf(model.operators), "int8 [1, 28, 28, 1]",
            "scale 0.00392, zero point -128"
        }) {
            assertTrue(told + " is missing in\n" + phone.text(), phone.text().contains(told));
        }
        phone.shot("about");
    }

    @Test
    public void whatWasPromisedStandsBesideWhatThisPhoneMeasured() throws IOException {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        assertTrue(phone.spoken(), phone.spoken().contains("Accuracy of the file: "));
        assertTrue(phone.spoken(), phone.spoken().contains(", not measured here"));
        assertTrue(phone.text(), phone.text().contains("Times of this phone come from the Benchmark tab."));
        phone.tab(Tab.BENCHMARK).touch("Start");
        while (phone.session().findings().benchmark().isRunning()) {
            phone.settle();
        }
        phone.tab(Tab.ABOUT);
        double p50 = phone.session().findings().benchmark().suite().fastest().timing.p50();
        assertTrue(phone.text(), phone.text().contains(new Figures(phone.activity()).ms(p50)));
        assertFalse(phone.text(), phone.text().contains("Times of this phone come from the Benchmark tab."));
        phone.become(Screens.LYING);
        phone.shot("about-lying");
    }

    @Test
    public void theReferenceInputsAreCheckedOnRequest() throws IOException {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        phone.touch("Check");
        assertTrue(phone.text().contains("Checking"));
        phone.settle();
        VectorResult result = phone.session().findings().check(phone.session().model().sha256);
        assertTrue(result.text(), result.passed);
        String same = result.top1Equal + " of " + result.vectors + " reference inputs: same class";
        assertTrue(phone.text(), phone.text().contains(same));
        assertTrue(phone.text(), phone.text().contains("In Python: " + result.runtime));
        phone.become("w891dp-h411dp-land-night-xhdpi");
        assertTrue("it is known after a rotation too", phone.text().contains(same));
        phone.shot("about-checked-dark");
    }

    @Test
    public void aCheckGoesOnWhileThePhoneIsTurned() {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        phone.touch("Check");
        phone.become(Screens.LYING);
        assertTrue(phone.text(), phone.text().contains(" reference inputs: same class"));
        assertNotNull(Screens.find(phone.root(), "Check again"));
    }

    @Test
    public void theRecipeIsReadable() {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        assertTrue(phone.text(), phone.text().contains("How it was made"));
        assertTrue(phone.text(), phone.text().contains(". Convert"));
        assertTrue(phone.text(), phone.text().contains("dtype int8"));
    }

    @Test
    public void theLicenceIsShownInFullOnRequest() {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        assertTrue(phone.text(), phone.text().contains("Licence of the model"));
        phone.touch("Show all of it");
        assertNotNull(Screens.find(phone.root(), "Show less"));
    }

    @Test
    public void aStaleReportAndLabelsThatDoNotMatchAreSaid() throws IOException {
        File folder = Phone.openedCopy(BUNDLED, "stale");
        File manifest = new File(folder, ModelFolder.MANIFEST);
        String text = new String(Files.readAllBytes(manifest.toPath()), StandardCharsets.UTF_8);
        String other = text.replaceFirst("\"sha256\": \"[0-9a-f]{4}", "\"sha256\": \"0000");
        Files.write(manifest.toPath(), other.getBytes(StandardCharsets.UTF_8));
        byte[] three = "one\ntwo\nthree\n".getBytes(StandardCharsets.UTF_8);
        Files.write(new File(folder, ModelFolder.LABELS).toPath(), three);
        Phone phone = Phone.start();
        phone.open("stale");
        phone.tab(Tab.ABOUT);
        assertEquals(2, phone.session().model().warnings.size());
        for (String warning : phone.session().model().warnings) {
            assertTrue(warning, phone.text().contains(warning));
        }
        assertTrue(phone.text(), phone.text().contains("No report of this file is here"));
        phone.shot("about-stale");
    }

    @Test
    public void vectorsThatAreDamagedAreSaid() throws IOException {
        File folder = Phone.openedCopy(BUNDLED, "damaged");
        Files.write(new File(folder, ModelFolder.VECTORS).toPath(), "{".getBytes(StandardCharsets.UTF_8));
        Phone phone = Phone.start();
        phone.open("damaged");
        phone.tab(Tab.ABOUT).touch("Check");
        phone.settle();
        assertTrue(phone.text(), phone.text().contains("vectors.json"));
        assertNotNull(Screens.find(phone.root(), "Check"));
        assertNull(phone.session().findings().check(phone.session().model().sha256));
    }

    @Test
    public void theAppSaysThatNothingLeavesThePhoneAndWhatItsLibrariesLack() {
        Phone phone = Phone.start().tab(Tab.ABOUT);
        assertTrue(phone.text(), phone.text().contains("Nothing leaves this phone"));
        assertTrue(phone.text(), phone.text().contains("4 KB, not 16 KB"));
    }
}
