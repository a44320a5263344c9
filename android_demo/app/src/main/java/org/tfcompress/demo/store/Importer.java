package org.tfcompress.demo.store;

import java.io.BufferedInputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.model.ModelException;

/**
 * Models that the user opened, a folder each. A model is first made whole in a hidden folder and looked at, then gets
 * its name: a half-written one is never listed.
 */
public final class Importer {
    /** Most bytes of a model file. */
    static final int MODEL_BYTES = 256 << 20;

    private static final String HIDDEN = ".";

    private final File root;

    public Importer(File root) {
        this.root = root;
    }

    /** Models, by name. What an earlier, interrupted import left behind is removed. */
    public synchronized List<DiskFolder> folders() {
        List<DiskFolder> found = new ArrayList<>();
        File[] files = root.listFiles();
        for (File file : files == null ? new File[0] : files) {
            if (file.getName().startsWith(HIDDEN)) {
                remove(file);
            } else if (new File(file, ModelFolder.MODEL).isFile()) {
                found.add(new DiskFolder(file));
            }
        }
        Collections.sort(found, (one, other) -> one.name().compareToIgnoreCase(other.name()));
        return found;
    }

    /**
     * Takes a .tflite file, or a .zip of an exported folder. Which it is tells its first bytes, not its name.
     *
     * @param displayName the file's name, from which the model's is made
     * @param from closed by the caller
     * @throws ModelException it is neither, is damaged or too large, or the disk is full; nothing of it is kept
     */
    public synchronized DiskFolder importFile(String displayName, InputStream from) throws ModelException {
        File part = new File(root, HIDDEN + "import");
        remove(part);
        try {
            if (!part.mkdirs()) {
                throw new IOException("no folder can be made");
            }
            unpack(displayName, new BufferedInputStream(from), part);
            DemoModel.read(new DiskFolder(part));
            File named = free(nameFor(displayName));
            if (!part.renameTo(named)) {
                throw new IOException("it cannot be named " + named.getName());
            }
            return new DiskFolder(named);
        } catch (IOException error) {
            throw new ModelException("The file could not be stored (" + error.getMessage()
                    + "); make room on the phone, and choose a model of at most " + (MODEL_BYTES >> 20) + " MiB.",
                    error);
        } finally {
            remove(part);
        }
    }

    private static void unpack(String displayName, BufferedInputStream from, File into)
            throws IOException, ModelException {
        byte[] start = new byte[8];
        from.mark(start.length);
        int length = 0;
        for (int read = 0; read >= 0 && length < start.length; length += read) {
            read = from.read(start, length, start.length - length);
            if (read < 0) {
                break;
            }
        }
        from.reset();
        if (length >= 4 && start[0] == 'P' && start[1] == 'K') {
            ZippedModel.unpack(from, into);
        } else if (length == 8 && Arrays.equals(Arrays.copyOfRange(start, 4, 8), new byte[] {'T', 'F', 'L', '3'})) {
            try (OutputStream to = new FileOutputStream(new File(into, ModelFolder.MODEL))) {
                Streams.copy(from, to, MODEL_BYTES);
            }
        } else {
            throw new ModelException("The file is neither a TFLite model nor a .zip of an exported folder; choose a "
                    + ".tflite file, or make one with `tfcompress export --for android`.");
        }
    }

    /** Letters, digits and a few marks of a file's name, without its ending. */
    static String nameFor(String displayName) {
        String name = displayName.substring(displayName.lastIndexOf('/') + 1);
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".tflite") || lower.endsWith(".zip")) {
            name = name.substring(0, name.lastIndexOf('.'));
        }
        name = name.replaceAll("[^\\p{L}\\p{N} ._()-]", "_").replaceAll("^[. ]+", "").trim();
        if (name.length() > 60) {
            name = name.substring(0, 60).trim();
        }
        return name.isEmpty() ? "model" : name;
    }

    private File free(String name) {
        File file = new File(root, name);
        for (int i = 2; file.exists(); i++) {
            file = new File(root, name + " " + i);
        }
        return file;
    }

    /** Removes an imported model. Folders that are not this importer's are left alone. */
    public synchronized void delete(DiskFolder folder) {
        if (root.equals(folder.file().getParentFile())) {
            remove(folder.file());
        }
    }

    private static void remove(File file) {
        File[] inside = file.listFiles();
        for (File each : inside == null ? new File[0] : inside) {
            remove(each);
        }
        file.delete();
    }
}
