package org.tfcompress.demo.manifest;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.tfcompress.demo.Golden;
import org.tfcompress.demo.store.ModelFolder;

/** A model's folder that a test puts together. */
public final class MemoryFolder implements ModelFolder {
    private final Map<String, byte[]> files = new HashMap<>();

    public MemoryFolder with(String path, byte[] bytes) {
        files.put(path, bytes);
        return this;
    }

    public MemoryFolder with(String path, String text) {
        return with(path, text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String name() {
        return "folder";
    }

    @Override
    public boolean has(String path) {
        return files.containsKey(path);
    }

    @Override
    public InputStream open(String path) throws IOException {
        return new ByteArrayInputStream(bytes(path));
    }

    @Override
    public ByteBuffer map(String path) throws IOException {
        return Golden.direct(bytes(path));
    }

    private byte[] bytes(String path) throws IOException {
        if (!has(path)) {
            throw new FileNotFoundException("there is no " + path);
        }
        return files.get(path);
    }
}
