package org.tfcompress.demo.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bytes of a flatbuffer, and the rule that nothing is read outside of them nor without end. */
final class FlatFile {
    /** A file that names the same elements again and again would keep the reader busy for hours. */
    private static final int ELEMENTS_AT_LEAST = 1_000_000;

    final ByteBuffer bytes;
    private long elementsLeft;

    /** The buffer is not moved. */
    FlatFile(ByteBuffer file) {
        ByteBuffer whole = file.duplicate();
        whole.rewind();
        bytes = whole.slice().order(ByteOrder.LITTLE_ENDIAN);
        elementsLeft = ELEMENTS_AT_LEAST + bytes.capacity() / 4;
    }

    /** The offset itself, if so many bytes from there are inside of the file. */
    int at(long offset, long length) throws ModelException {
        if (offset < 0 || length < 0 || offset + length > bytes.capacity()) {
            throw damaged("its tables point outside of it");
        }
        return (int) offset;
    }

    long unsigned(int offset) throws ModelException {
        return bytes.getInt(at(offset, 4)) & 0xffffffffL;
    }

    /** Counts what is about to be read. */
    void spend(long elements) throws ModelException {
        elementsLeft -= elements;
        if (elementsLeft < 0) {
            throw damaged("it lists more than it has room for");
        }
    }

    static ModelException damaged(String how) {
        return new ModelException("The file is damaged: " + how + "; copy it again, or export it anew.");
    }
}
