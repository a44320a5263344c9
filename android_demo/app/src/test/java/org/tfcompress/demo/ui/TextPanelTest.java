package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;

import android.widget.EditText;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.R;

/** A model that tells what a sentence is about. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class TextPanelTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() throws Exception {
        App.has("topics");
        app = App.start();
    }

    private void write(String text) {
        ((EditText) app.view(R.id.text)).setText(text);
        Screens.pass(300);
        app.settle();
    }

    @Test
    public void whatIsWrittenIsClassifiedWhenTheUserPauses() throws Exception {
        write("Bread, with soup!");
        assertEquals("food", app.text(R.id.result_first));
        write("Snow and rain");
        assertEquals("weather", app.text(R.id.result_first));
        app.shot("classify-text");
        app.turn(Screens.LYING);
        app.shot("classify-text-lying");
        assertEquals("Snow and rain", ((EditText) app.view(R.id.text)).getText().toString());
        assertEquals("weather", app.text(R.id.result_first));
        app.touch("Clear");
        Screens.pass(300);
        app.settle();
        assertNull(app.session().outcome());
    }

    @Test
    public void aSampleFillsTheField() {
        app.touch("Sample food");
        assertEquals("Bread and cheese.", ((EditText) app.view(R.id.text)).getText().toString());
        assertEquals("food", app.text(R.id.result_first));
        Screens.pass(300);
        app.settle();
        assertEquals("food", app.text(R.id.result_first));
    }
}
