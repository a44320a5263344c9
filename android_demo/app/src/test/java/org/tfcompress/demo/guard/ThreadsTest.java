package org.tfcompress.demo.guard;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.After;
import org.junit.Test;

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
}
