package org.tfcompress.demo.measure;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class MemoryTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void growthIsCountedUpToTheHighestPoint() throws IOException {
        status(1000, 1000);
        Memory memory = Memory.start(folder.getRoot());
        status(1400, 1900);
        assertEquals(900 * 1024, memory.peakBytes(0).getAsLong());
    }

    @Test
    public void bytesThatWereThereBeforeAreAdded() throws IOException {
        status(1000, 1000);
        Memory memory = Memory.start(folder.getRoot());
        assertEquals(4208, memory.peakBytes(4208).getAsLong());
    }

    @Test
    public void anOlderPeakThatCouldNotBeResetIsNotTakenForThisRuns() throws IOException {
        status(1000, 9000);
        Memory memory = Memory.start(folder.getRoot());
        status(1300, 9000);
        memory.look();
        status(1100, 9000);
        assertEquals(300 * 1024, memory.peakBytes(0).getAsLong());
    }

    @Test
    public void whatCannotBeReadIsNotZero() {
        assertFalse(Memory.start(new File(folder.getRoot(), "none")).peakBytes(4208).isPresent());
    }

    @Test
    public void thisProcessIsSeenToGrow() {
        Memory memory = Memory.start();
        ByteBuffer held = ByteBuffer.allocateDirect(64 << 20);
        for (int at = 0; at < held.capacity(); at += 4096) {
            held.put(at, (byte) 1);
        }
        long grown = memory.peakBytes(0).getAsLong();
        assertTrue("grew by " + grown, grown > 60 << 20);
        assertEquals(1, held.get(0));
    }

    private void status(long now, long peak) throws IOException {
        String text = "Name:\tdemo\nVmPeak:\t 99999 kB\nVmHWM:\t" + peak + " kB\nVmRSS:\t" + now + " kB\n"
                + "RssAnon:\t 7 kB\n";
        Files.write(new File(folder.getRoot(), "status").toPath(), text.getBytes(StandardCharsets.US_ASCII));
    }
}
