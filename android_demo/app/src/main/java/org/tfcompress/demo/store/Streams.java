package org.tfcompress.demo.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reading files whose size is not trusted. */
public final class Streams {
    private Streams() {}

    /**
     * Copies what comes until there is no more, or more than `most` bytes came.
     *
     * @return whether all was copied
     */
    static boolean copyAtMost(InputStream from, OutputStream to, long most) throws IOException {
        byte[] part = new byte[65536];
        long copied = 0;
        for (int read = from.read(part); read >= 0; read = from.read(part)) {
            copied += read;
            if (copied > most) {
                return false;
            }
            to.write(part, 0, read);
        }
        return true;
    }

    /** As {@link #copyAtMost}, and an IOException where more came. */
    static void copy(InputStream from, OutputStream to, long most) throws IOException {
        if (!copyAtMost(from, to, most)) {
            throw new IOException("more than " + most + " bytes");
        }
    }

    /**
     * All bytes of a file of a folder.
     *
     * @throws IOException there is no such file, or it has more than `most` bytes
     */
    public static byte[] bytes(ModelFolder folder, String path, int most) throws IOException {
        try (InputStream from = folder.open(path)) {
            ByteArrayOutputStream to = new ByteArrayOutputStream();
            copy(from, to, most);
            return to.toByteArray();
        } catch (IOException error) {
            throw new IOException(path + ": " + error.getMessage(), error);
        }
    }

    /** As {@link #bytes}, as UTF-8 text without a byte order mark. */
    public static String text(ModelFolder folder, String path, int most) throws IOException {
        String text = new String(bytes(folder, path, most), StandardCharsets.UTF_8);
        return text.startsWith("\ufeff") ? text.substring(1) : text;
    }

    static ByteBuffer direct(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
        buffer.put(bytes).rewind();
        return buffer;
    }
}
