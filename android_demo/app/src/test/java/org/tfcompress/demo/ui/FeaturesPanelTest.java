package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.view.ViewGroup;
import android.widget.EditText;
import android.widget.TextView;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.tfcompress.demo.R;

/** A model that takes four numbers. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FeaturesPanelTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() throws Exception {
        App.has("iris");
        app = App.start();
    }

    private EditText field(int index) {
        ViewGroup row = (ViewGroup) ((ViewGroup) app.view(R.id.features)).getChildAt(index);
        return (EditText) row.getChildAt(1);
    }

    @Test
    public void eachValueHasItsNameAndASampleFillsThem() throws Exception {
        app.shot("classify-features-empty");
        assertEquals("sepal length (cm)", String.valueOf(field(0).getContentDescription()));
        app.touch("Sample virginica");
        assertEquals("virginica", app.text(R.id.result_first));
        assertEquals("6.9", field(0).getText().toString());
        app.shot("classify-features");
    }

    @Test
    public void numbersThatTheUserWroteAreRunAndStay() throws Exception {
        String[] setosa = {"5", "3.5", "1,4", "0.2"};
        for (int i = 0; i < setosa.length; i++) {
            field(i).setText(setosa[i]);
        }
        app.touch("Run");
        assertEquals("setosa", app.text(R.id.result_first));
        app.turn(Screens.LYING);
        app.shot("classify-features-lying");
        assertEquals("1,4", field(2).getText().toString());
        assertEquals("setosa", app.text(R.id.result_first));
    }

    @Test
    public void whatIsNoNumberIsNamed() {
        field(1).setText("-.");
        app.touch("Run");
        String wrong = ((TextView) app.view(R.id.features_wrong)).getText().toString();
        assertTrue(wrong, wrong.startsWith("sepal width (cm) is “-.”"));
        field(1).setText("3.5");
        app.touch("Run");
        assertEquals("", app.text(R.id.features_wrong));
    }
}
