package org.tfcompress.demo.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** A model's folder (docs/android.md). Paths are relative, with slashes; whoever reads stays off the main thread. */
public interface ModelFolder {
    String MODEL = "model.tflite";
    String COMPARE = "compare.tflite";
    String MANIFEST = "model.json";
    String LABELS = "labels.txt";
    String VOCABULARY = "vocabulary.txt";
    String VECTORS = "vectors.json";
    String LICENSE = "LICENSE.txt";

    /** Shown where the manifest has no title; unique among folders of the same place. */
    String name();

    boolean has(String path);

    /** @throws IOException there is no such file, or the path leaves the folder */
    InputStream open(String path) throws IOException;

    /** The file's bytes: a direct buffer in native byte order, from position 0. */
    ByteBuffer map(String path) throws IOException;
}
