package org.tfcompress.demo.session;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.os.Bundle;
import android.os.Parcel;
import java.util.Collections;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** What is kept for the case that Android ends the process. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class InputsTest {
    private static Inputs broughtBack(Inputs inputs) {
        Bundle state = new Bundle();
        inputs.save(state);
        Inputs again = new Inputs();
        again.restore(state);
        return again;
    }

    @Test
    public void drawingTextAndNumbersComeBack() {
        Inputs inputs = new Inputs();
        inputs.draw(new float[] {0.1f, 0.2f});
        inputs.draw(new float[] {0.3f, 0.4f, 0.5f, 0.6f});
        inputs.write("hello");
        inputs.fill(new String[] {"1", "2.5"});
        Inputs again = broughtBack(inputs);
        assertEquals(2, again.strokes().size());
        assertArrayEquals(new float[] {0.3f, 0.4f, 0.5f, 0.6f}, again.strokes().get(1), 0);
        assertEquals("hello", again.text());
        assertArrayEquals(new String[] {"1", "2.5"}, again.numbers());
    }

    /** Android ends an app that gives it more than about 1 MB. */
    @Test
    public void whatIsTooLargeForAndroidIsNotGivenToIt() {
        Inputs inputs = new Inputs();
        for (int i = 0; i < 1000; i++) {
            inputs.draw(new float[2000]);
        }
        inputs.write(String.join("", Collections.nCopies(1_000_000, "a")));
        inputs.fill(Collections.nCopies(1_000_000, "0").toArray(new String[0]));
        Bundle state = new Bundle();
        inputs.save(state);
        Parcel parcel = Parcel.obtain();
        state.writeToParcel(parcel, 0);
        assertTrue(parcel.dataSize() + " bytes", parcel.dataSize() < 1000);
        parcel.recycle();
    }
}
