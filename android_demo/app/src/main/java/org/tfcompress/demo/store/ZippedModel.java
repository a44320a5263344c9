package org.tfcompress.demo.store;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.Printable;

/**
 * A .zip of an exported folder, whose files may lie in one folder on top. Only the files that docs/android.md names are
 * taken; sizes are counted as they are unpacked, whatever the archive says of them.
 */
final class ZippedModel {
    private static final int MOST_ENTRIES = 1000;
    private static final int SAMPLE_BYTES = 16 << 20;
    private static final int TEXT_BYTES = 16 << 20;
    private static final int VECTORS_BYTES = 64 << 20;
    private static final long PASSED_BYTES = 512L << 20;
    private static final String SAMPLES = "samples/";

    private final File into;
    private final Map<String, String> taken = new HashMap<>();
    private long passed;

    private ZippedModel(File into) {
        this.into = into;
    }

    /**
     * @throws ModelException a path leaves the folder; a file is there twice, too large or damaged; there is no model
     */
    static void unpack(InputStream from, File into) throws ModelException, IOException {
        ZippedModel model = new ZippedModel(into);
        try (ZipInputStream zip = new ZipInputStream(from)) {
            int entries = 0;
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                if (++entries > MOST_ENTRIES) {
                    throw new ModelException("The .zip has more than " + MOST_ENTRIES
                            + " files; zip the exported folder only.");
                }
                model.take(entry, zip);
            }
        } catch (ZipException | IllegalArgumentException | java.io.EOFException error) {
            throw new ModelException("The .zip is damaged (" + Printable.of(error.getMessage(), 100)
                    + "); copy it again.", error);
        }
        if (!model.taken.containsKey(ModelFolder.MODEL)) {
            throw new ModelException("The .zip has no " + ModelFolder.MODEL + "; zip the folder that "
                    + "`tfcompress export --for android` writes.");
        }
    }

    private void take(ZipEntry entry, ZipInputStream zip) throws ModelException, IOException {
        String path = entry.getName();
        String shown = Printable.of(path, 60);
        if (entry.isDirectory() && Paths.isInside(path.substring(0, path.length() - 1))) {
            return;
        }
        if (!Paths.isInside(path)) {
            throw new ModelException("The .zip has a file " + shown
                    + " outside of its folder; nothing was taken of it.");
        }
        String wanted = wanted(path);
        if (most(wanted) == 0) {
            pass(zip);
            return;
        }
        String before = taken.put(wanted, path);
        if (before != null) {
            throw new ModelException("The .zip has " + wanted + " twice (" + Printable.of(before, 60) + " and " + shown
                    + "); zip one exported folder only.");
        }
        write(wanted, most(wanted), zip);
    }

    private void write(String wanted, long most, ZipInputStream zip) throws ModelException, IOException {
        File file = new File(into, wanted);
        if (wanted.startsWith(SAMPLES)) {
            file.getParentFile().mkdirs();
        }
        try (OutputStream to = new FileOutputStream(file)) {
            if (Streams.copyAtMost(zip, to, most)) {
                return;
            }
        }
        throw new ModelException("The .zip's " + Printable.of(wanted, 60) + " has more than " + most
                + " bytes when unpacked; export a smaller one.");
    }

    /** Reads over a file that is not wanted, which an archive may have made of very little. */
    private void pass(ZipInputStream zip) throws ModelException, IOException {
        byte[] part = new byte[65536];
        for (int read = zip.read(part); read >= 0; read = zip.read(part)) {
            passed += read;
            if (passed > PASSED_BYTES) {
                throw new ModelException(
                        "The .zip has too much that is no part of a model; zip the exported folder only.");
            }
        }
    }

    /** The path without a folder on top. */
    private static String wanted(String path) {
        return most(path) > 0 || path.startsWith("__MACOSX/") ? path : path.substring(path.indexOf('/') + 1);
    }

    /** Most bytes that a file of this path may have; 0 for files that the app does not know. */
    private static long most(String path) {
        switch (path) {
            case ModelFolder.MODEL:
            case ModelFolder.COMPARE:
                return Importer.MODEL_BYTES;
            case ModelFolder.MANIFEST:
            case ModelFolder.LABELS:
            case ModelFolder.VOCABULARY:
            case ModelFolder.LICENSE:
                return TEXT_BYTES;
            case ModelFolder.VECTORS:
                return VECTORS_BYTES;
            default:
                boolean sample = path.startsWith(SAMPLES) && path.indexOf('/', SAMPLES.length()) < 0;
                return sample && !path.startsWith(SAMPLES + ".") ? SAMPLE_BYTES : 0;
        }
    }
}
