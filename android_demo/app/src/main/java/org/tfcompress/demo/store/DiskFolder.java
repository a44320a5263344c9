package org.tfcompress.demo.store;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import org.tfcompress.demo.guard.Threads;

/** A model's folder on the disk. */
public final class DiskFolder implements ModelFolder {
    private final File folder;

    public DiskFolder(File folder) {
        this.folder = folder;
    }

    public File file() {
        return folder;
    }

    @Override
    public String name() {
        return folder.getName();
    }

    @Override
    public boolean has(String path) {
        Threads.background();
        return Paths.isInside(path) && new File(folder, path).isFile();
    }

    private File inside(String path) throws IOException {
        if (!has(path)) {
            throw new FileNotFoundException("there is no " + path + " in " + name());
        }
        return new File(folder, path);
    }

    @Override
    public InputStream open(String path) throws IOException {
        return new FileInputStream(inside(path));
    }

    @Override
    public ByteBuffer map(String path) throws IOException {
        try (FileInputStream from = new FileInputStream(inside(path));
                FileChannel channel = from.getChannel()) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()).order(ByteOrder.nativeOrder());
        }
    }

    @Override
    public String toString() {
        return name();
    }
}
