package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;

import android.widget.Spinner;
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
import org.tfcompress.demo.R;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.compare.Comparison;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.ui.input.SampleInput;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class CompareScreenTest {
    @Rule public final OffMainThread offMainThread = new OffMainThread();

    private static final String BUNDLED = Shipped.DIGITS;

    private Comparison comparison(Phone phone) {
        return phone.session().findings().comparison().comparison();
    }

    /** Chooses whom the model is compared with. */
    private static void choose(Phone phone, String title) {
        Spinner spinner = phone.activity().findViewById(R.id.other);
        int found = -1;
        for (int i = 0; i < spinner.getCount(); i++) {
            if (spinner.getItemAtPosition(i).toString().startsWith(title)) {
                found = i;
            }
        }
        assertTrue(title + " is not in the list", found >= 0);
        spinner.setSelection(found);
        Screens.pass(100);
        phone.settle();
    }

    @Test
    public void theNextModelBeginsWithItsOwnCompareFile() {
        Phone phone = Phone.start().tab(Tab.COMPARE);
        choose(phone, "Spoken digits");
        assertNull(comparison(phone));
        phone.open("spam");
        Screens.pass(100);
        phone.settle();
        assertEquals("compare.tflite", comparison(phone).second.title);
        assertNull(phone.session().findings().comparison().problem());
        choose(phone, "Handwritten digits");
        phone.become(Screens.LYING);
        String chosen = ((Spinner) phone.activity().findViewById(R.id.other)).getSelectedItem().toString();
        assertTrue("the choice for this model stays: " + chosen, chosen.startsWith("Handwritten digits"));
    }

    @Test
    public void whereNoOtherModelFitsItSaysHowToBringOne() throws IOException {
        App.has("iris");
        Phone phone = Phone.start();
        assertEquals("iris", phone.session().chosen().folder.name());
        phone.tab(Tab.COMPARE);
        assertNull(phone.session().findings().comparison().problem());
        assertTrue(phone.text(), phone.text().contains("No other model here takes the same input"));
        assertTrue(phone.text(), phone.text().contains("--compare"));
        phone.shot("compare-none-fits");
        choose(phone, "Spoken digits");
        assertTrue(phone.text(), phone.text().contains("both need the same shapes to be compared."));
    }

    @Test
    public void floatAndInt8StandSideBySideOnASample() throws IOException {
        Phone phone = Phone.start().tab(Tab.COMPARE);
        Comparison comparison = comparison(phone);
        String sample = phone.session().model().manifest.samples.get(0).label;
        assertEquals("int8", comparison.first.kind);
        assertEquals("float32", comparison.second.kind);
        assertTrue(phone.text(), phone.text().contains("Both got the sample " + sample));
        assertTrue(phone.text(), phone.text().contains("Both say " + sample));
        assertTrue(phone.text(), phone.text().contains("percentage points"));
        assertTrue(phone.text(), phone.text().contains("times as large"));
        assertTrue(phone.spoken(), phone.spoken().contains(" by int8, "));
        assertTrue(comparison.second.bytes > 2 * comparison.first.bytes);
        phone.shot("compare-sample");
    }

    @Test
    public void bothGetTheInputThatWasTriedLast() throws IOException {
        Phone phone = Phone.start();
        Sample third = phone.session().model().manifest.samples.get(2);
        phone.session().classify(new SampleInput(phone.session().model(), third));
        phone.settle();
        phone.tab(Tab.COMPARE);
        assertTrue(phone.text(), phone.text().contains("Both got the input that was tried last on Classify."));
        assertTrue(phone.text(), phone.text().contains("Both say " + third.label));
        assertEquals(phone.session().outcome().scores.get(0).value,
                comparison(phone).first.values()[phone.session().outcome().scores.get(0).index], 0);
        phone.become("+night");
        phone.shot("compare-dark");
    }

    @Test
    public void aComparisonIsKeptWhenThePhoneIsTurnedAndMadeAnewOnRequest() throws IOException {
        Phone phone = Phone.start().tab(Tab.COMPARE);
        Comparison before = comparison(phone);
        phone.become(Screens.LYING);
        assertSame(before, comparison(phone));
        assertTrue(phone.text(), phone.text().contains("Both say"));
        phone.shot("compare-lying");
        phone.touch("Again");
        phone.settle();
        assertNotSame(before, comparison(phone));
    }

    @Test
    public void aBrokenCompareFileIsSaidAndAnotherModelCanBeChosen() throws IOException {
        File folder = Phone.openedCopy(BUNDLED, "broken");
        byte[] broken = "this is no model at all, but long enough".getBytes(StandardCharsets.US_ASCII);
        Files.write(new File(folder, ModelFolder.COMPARE).toPath(), broken);
        Phone phone = Phone.start();
        phone.open("broken");
        phone.tab(Tab.COMPARE);
        assertNull(comparison(phone));
        String problem = phone.session().findings().comparison().problem();
        assertTrue(problem, problem.startsWith("compare.tflite: "));
        assertTrue(phone.text(), phone.text().contains(problem));
        phone.shot("compare-broken");
        choose(phone, "Handwritten digits");
        assertNotNull(phone.session().findings().comparison().problem(), comparison(phone));
        assertTrue(phone.text(), phone.text().contains("All scores are the same to the last bit."));
        assertTrue(phone.text(), phone.text().contains("Both are of the same size."));
    }

    @Test
    public void aModelWithoutACompareFileIsComparedWithTheLibrary() throws IOException {
        File folder = Phone.openedCopy(BUNDLED, "lonely");
        assertTrue(new File(folder, ModelFolder.COMPARE).delete());
        Phone phone = Phone.start();
        phone.open("lonely");
        phone.tab(Tab.COMPARE);
        assertEquals("it has the bundled ones to be compared with",
                phone.session().models().size() - 1,
                ((Spinner) phone.activity().findViewById(R.id.other)).getAdapter().getCount());
        assertTrue(phone.text(), phone.text().contains("Both say"));
    }

    @Test
    public void aModelOfAnotherKindIsRefusedWithWhatBothTake() {
        Phone phone = Phone.start().tab(Tab.COMPARE);
        choose(phone, "Spoken digits");
        assertNull(comparison(phone));
        assertTrue(phone.text(), phone.text().contains("Spoken digits takes ["));
        assertTrue(phone.text(), phone.text().contains("both need the same shapes to be compared."));
    }

    @Test
    public void withoutAnInputItSaysWhereToGiveOne() throws IOException {
        File folder = Phone.openedCopy(BUNDLED, "bare");
        assertTrue(new File(folder, ModelFolder.MANIFEST).delete());
        Phone phone = Phone.start();
        phone.open("bare");
        phone.tab(Tab.COMPARE);
        assertNull(comparison(phone));
        assertTrue(phone.text(), phone.text().contains("Try an input on Classify first"));
    }

    @Test
    public void whatWasComparedWithTheModelBeforeIsNotShownForTheNext() throws IOException {
        Phone.openedCopy(BUNDLED, "second");
        Phone phone = Phone.start().tab(Tab.COMPARE);
        Comparison before = comparison(phone);
        phone.open("second");
        assertNotSame(before, comparison(phone));
        assertTrue(phone.text(), phone.text().contains("Both say"));
    }
}
