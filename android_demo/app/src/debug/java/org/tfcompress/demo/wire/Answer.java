package org.tfcompress.demo.wire;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.tfcompress.demo.measure.ReportJson;
import org.tfcompress.demo.measure.ReportRow;
import org.tfcompress.demo.model.Printable;

/** The one answer to a request: {@code result-<id>.json} in the folder, which is there whole or not at all. */
final class Answer {
    /** Characters of an error that the computer shows. */
    private static final int MOST_ERROR = 300;

    private final File folder;
    private final String id;
    private final RunLog log;
    private final AtomicBoolean isGiven = new AtomicBoolean();

    Answer(File folder, String id) {
        this.folder = folder;
        this.id = id;
        this.log = new RunLog(id);
    }

    /** Writes the rows, unless there is an answer already. */
    void rows(List<ReportRow> rows) {
        give(ReportJson.answer(id, rows), rows.size() + " rows");
    }

    /** Writes why there are none, unless there is an answer already. */
    void error(String message) {
        String words = Printable.line(message, MOST_ERROR);
        give(ReportJson.error(id, words), "error: " + words);
    }

    private void give(String text, String what) {
        if (!isGiven.compareAndSet(false, true)) {
            return;
        }
        String name = "result-" + id + ".json";
        Path temporary = new File(folder, name + ".tmp").toPath();
        try {
            write(temporary, text.getBytes(StandardCharsets.UTF_8));
            // Only now may others look, for files of Java are for their owner alone.
            if (!temporary.toFile().setReadable(true, false)) {
                log.say("could not make the answer readable");
            }
            Files.move(temporary, new File(folder, name).toPath(), StandardCopyOption.ATOMIC_MOVE);
            log.say(what);
        } catch (IOException error) {
            log.say(what + ", which could not be written: " + error);
            temporary.toFile().delete();
        }
    }

    /** Makes the file, and never follows a link that lies there by its name. */
    private static void write(Path file, byte[] bytes) throws IOException {
        Files.deleteIfExists(file);
        try (SeekableByteChannel out = Files.newByteChannel(
                file,
                EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
                out.write(left);
            }
        }
    }
}
