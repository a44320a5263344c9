package org.tfcompress.demo.store;

import android.content.res.AssetFileDescriptor;
import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import org.tfcompress.demo.guard.Threads;

/** A model that came with the app: a folder of its assets, or a file NAME.tflite that lies there by itself. */
public final class AssetFolder implements ModelFolder {
    private final AssetManager assets;
    private final String path;

    /** @param path of the folder or file among the assets, such as "models/digits" */
    public AssetFolder(AssetManager assets, String path) {
        this.assets = assets;
        this.path = path;
    }

    private boolean isFile() {
        return path.endsWith(".tflite");
    }

    @Override
    public String name() {
        String last = path.substring(path.lastIndexOf('/') + 1);
        return isFile() ? last.substring(0, last.length() - ".tflite".length()) : last;
    }

    private String inside(String wanted) throws IOException {
        if (isFile() && wanted.equals(MODEL)) {
            return path;
        }
        if (isFile() || !Paths.isInside(wanted)) {
            throw new FileNotFoundException("there is no " + wanted + " in " + name());
        }
        return path + "/" + wanted;
    }

    @Override
    public boolean has(String wanted) {
        try (InputStream from = open(wanted)) {
            return true;
        } catch (IOException missing) {
            return false;
        }
    }

    @Override
    public InputStream open(String wanted) throws IOException {
        Threads.background();
        return assets.open(inside(wanted));
    }

    @Override
    public ByteBuffer map(String wanted) throws IOException {
        Threads.background();
        String asset = inside(wanted);
        try (AssetFileDescriptor descriptor = assets.openFd(asset);
                FileInputStream from = descriptor.createInputStream();
                FileChannel channel = from.getChannel()) {
            return channel.map(FileChannel.MapMode.READ_ONLY, descriptor.getStartOffset(),
                    descriptor.getDeclaredLength())
                    .order(ByteOrder.nativeOrder());
        } catch (FileNotFoundException compressed) {
            // A build that compressed the asset; the file is then copied into memory.
            try (InputStream from = assets.open(asset)) {
                ByteArrayOutputStream to = new ByteArrayOutputStream();
                Streams.copy(from, to, Importer.MODEL_BYTES);
                return Streams.direct(to.toByteArray());
            }
        }
    }

    @Override
    public String toString() {
        return name();
    }
}
