package org.tfcompress.demo.wire;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Models and results of a computer that was unplugged before it could remove them. */
final class Leftovers {
    private static final Pattern NAME = Pattern.compile("model-.*\\.tflite|result-.*\\.json.*", Pattern.DOTALL);
    private static final long AGE_MS = TimeUnit.DAYS.toMillis(1);

    private Leftovers() {}

    /**
     * Removes those that are older than a day, and nothing else; a link goes, not the file that it leads to.
     *
     * @param now milliseconds since 1970
     * @param keep a file that is asked for now: its time is the computer's, whose clock may be wrong; may be null
     */
    static void remove(File folder, long now, String keep) {
        String[] names = folder.list();
        if (names == null) {
            return;
        }
        for (String name : names) {
            if (NAME.matcher(name).matches() && !name.equals(keep)) {
                removeIfOld(new File(folder, name).toPath(), now);
            }
        }
    }

    private static void removeIfOld(Path file, long now) {
        try {
            BasicFileAttributes found =
                    Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!found.isDirectory() && now - found.lastModifiedTime().toMillis() > AGE_MS) {
                Files.delete(file);
            }
        } catch (IOException error) {
            // Gone already, or not ours to remove: the run does not depend on it.
            RunLog.sayWithoutRun("could not remove " + file.getFileName() + ": " + error);
        }
    }
}
