package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.tfcompress.demo.DemoApp;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.session.Session;
import org.tfcompress.demo.session.Worker;
import org.tfcompress.demo.store.DiskFolder;

/** That the other tests would fail if a file were opened on the main thread. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34)
public class OffMainThreadTest {
    @Test
    public void aFileThatIsOpenedOnTheMainThreadIsSeen() throws Throwable {
        App.has("plain.tflite");
        File folder = new File(RuntimeEnvironment.getApplication().getFilesDir(), "models/plain");
        OffMainThread rule = new OffMainThread();
        rule.before();
        Threads.drawing(null); // which would refuse it before it is opened
        new DiskFolder(folder).has("model.tflite");
        assertThrows(AssertionError.class, rule::after);
        assertEquals(rule.seen().toString(), 1, rule.seen().size());
        assertTrue(rule.seen().get(0), rule.seen().get(0).contains("DiskFolder"));
    }

    @Test
    public void theSameOnTheWorkerIsFine() throws Throwable {
        App.has("plain.tflite");
        File folder = new File(RuntimeEnvironment.getApplication().getFilesDir(), "models/plain");
        OffMainThread rule = new OffMainThread();
        rule.before();
        Session session = DemoApp.session(RuntimeEnvironment.getApplication());
        session.work(() -> new DiskFolder(folder).has("model.tflite"), Worker.ignore());
        Screens.settle(session);
        rule.after();
        assertTrue(rule.seen().isEmpty());
    }
}
