package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.R;
import org.tfcompress.demo.Shipped;
import org.tfcompress.demo.manifest.Sample;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;

/** The models that the app comes with, as a user sees them: light and dark, upright and lying. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class BundledModelsTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    @Test
    public void eachOfThemKnowsItsFirstSampleHoweverThePhoneIsHeld() throws IOException {
        App app = App.start();
        for (Listed each : shipped(app)) {
            app.session().open(each);
            app.settle();
            look(app, each.folder.name());
        }
    }

    private static List<Listed> shipped(App app) {
        List<Listed> found = new ArrayList<>();
        for (Listed each : app.session().models()) {
            if (!each.deletable && Shipped.NAMES.contains(each.folder.name())) {
                found.add(each);
            }
        }
        assertEquals(Shipped.NAMES.size(), found.size());
        return found;
    }

    @Test
    public void atItsFirstStartTheAppShowsTheFirstOfTheListAndOpensAllThatWasPutIn() {
        App app = App.startForTheFirstTime();
        assertEquals(app.session().models().get(0).key, app.session().chosen().key);
        List<String> names = new ArrayList<>();
        for (Listed each : app.session().models()) {
            names.add(each.folder.name());
            app.session().open(each);
            app.settle();
            assertEquals(each.title, Session.State.READY, app.session().state());
        }
        assertEquals(Shipped.andOthers(), names);
    }

    private static void look(App app, String name) throws IOException {
        Sample sample = app.session().model().manifest.samples.get(0);
        app.touch("Sample " + sample.label);
        for (int i = 0; i < 4; i++) {
            String held = i % 2 == 0 ? Screens.PHONE : Screens.LYING;
            app.turn(held.replace("-xhdpi", i < 2 ? "-notnight-xhdpi" : "-night-xhdpi"));
            assertEquals(name, sample.label, app.text(R.id.result_first));
            assertFalse(app.text(R.id.result_latency).isEmpty());
            List<String> wrong = new ArrayList<>();
            FrameTest.check(app.view(R.id.root), wrong);
            assertEquals(name, Collections.emptyList(), wrong);
            app.shot("bundled-" + name + (i % 2 == 0 ? "-upright" : "-lying") + (i < 2 ? "" : "-dark"));
        }
    }

    @Test
    public void noTextOfThemIsCutWhereTheUserHasItLarge() {
        RuntimeEnvironment.setFontScale(1.3f);
        App app = App.start();
        for (Listed each : shipped(app)) {
            app.session().open(each);
            app.settle();
            app.touch("Sample " + app.session().model().manifest.samples.get(0).label);
            for (String held : new String[] {Screens.LYING, Screens.PHONE}) {
                app.turn(held);
                List<String> cut = new ArrayList<>();
                FrameTest.cut(app.view(R.id.root), cut);
                assertEquals(each.title, Collections.emptyList(), cut);
            }
        }
    }

    @Test
    @Config(qualifiers = "w320dp-h534dp-port-hdpi")
    public void aSmallPhoneShowsAllOfIt() throws IOException {
        App app = App.start();
        app.shot("small-upright");
        app.turn("w534dp-h320dp-land-hdpi");
        DrawPanelTest.drawSeven(app);
        assertEquals("7", app.text(R.id.result_first));
        app.shot("small-lying");
    }
}
