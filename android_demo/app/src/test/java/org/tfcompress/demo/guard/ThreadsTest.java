package org.tfcompress.demo.guard;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.io.File;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.After;
import org.junit.Test;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.store.DiskFolder;
import org.tfcompress.demo.store.ModelFolder;

public class ThreadsTest {
    @After
    public void forget() {
        Threads.drawing(null);
    }

    @Test
    public void filesAndModelsAreRefusedOnTheThreadThatDrawsAlone() throws InterruptedException, ExecutionException {
        Threads.drawing(Thread.currentThread());
        assertThrows(IllegalStateException.class, Threads::background);
        FutureTask<String> other = new FutureTask<>(Threads::background, "went through");
        new Thread(other).start();
        assertEquals("went through", other.get());
    }

    @Test
    public void noModelIsReadOnTheThreadThatDraws() {
        Threads.drawing(Thread.currentThread());
        DiskFolder folder = new DiskFolder(new File("app/src/test/resources/models/iris"));
        assertThrows(IllegalStateException.class, () -> folder.has(ModelFolder.MODEL));
        assertThrows(IllegalStateException.class, () -> folder.open(ModelFolder.LABELS));
        assertThrows(IllegalStateException.class, () -> folder.map(ModelFolder.MODEL));
        assertThrows(IllegalStateException.class, () -> DemoModel.read(folder));
    }
}
