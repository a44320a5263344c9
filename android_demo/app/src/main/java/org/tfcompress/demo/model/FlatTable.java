package org.tfcompress.demo.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A table of a flatbuffer. Every offset is looked at before it is followed: whatever the bytes are, the answer is a
 * value from inside of them or a {@link ModelException}. A field that is left out has its default.
 */
final class FlatTable {
    private static final int MOST_TABLES = 200_000;

    private final FlatFile file;
    private final ByteBuffer bytes;
    private final int start;
    private final int vtable;
    private final int vtableBytes;

    private FlatTable(FlatFile file, long start) throws ModelException {
        this.file = file;
        this.bytes = file.bytes;
        this.start = file.at(start, 4);
        long table = (long) this.start - bytes.getInt(this.start);
        this.vtable = file.at(table, 4);
        this.vtableBytes = bytes.getShort(vtable) & 0xffff;
        file.at(table, vtableBytes);
    }

    static FlatTable root(FlatFile file) throws ModelException {
        return new FlatTable(file, file.unsigned(0));
    }

    /** Where a field is, 0 where it is left out. */
    private int field(int index, int size) throws ModelException {
        int entry = 4 + 2 * index;
        if (entry + 2 > vtableBytes) {
            return 0;
        }
        int offset = bytes.getShort(vtable + entry) & 0xffff;
        return offset == 0 ? 0 : file.at((long) start + offset, size);
    }

    int int8(int index, int otherwise) throws ModelException {
        int at = field(index, 1);
        return at == 0 ? otherwise : bytes.get(at);
    }

    int int32(int index, int otherwise) throws ModelException {
        int at = field(index, 4);
        return at == 0 ? otherwise : bytes.getInt(at);
    }

    long int64(int index, long otherwise) throws ModelException {
        int at = field(index, 8);
        return at == 0 ? otherwise : bytes.getLong(at);
    }

    /** Text, or null where it is left out. */
    String text(int index) throws ModelException {
        Vector vector = vector(index, 1);
        if (vector == null) {
            return null;
        }
        file.spend(vector.size / 4);
        byte[] letters = new byte[vector.size];
        ByteBuffer from = bytes.duplicate();
        from.position(vector.first);
        from.get(letters);
        return new String(letters, StandardCharsets.UTF_8);
    }

    /** Elements of so many bytes each, or null where they are left out. */
    Vector vector(int index, int elementBytes) throws ModelException {
        int at = field(index, 4);
        if (at == 0) {
            return null;
        }
        int length = file.at(at + file.unsigned(at), 4);
        long count = file.unsigned(length);
        file.at(length + 4L, count * elementBytes);
        return new Vector((int) count, length + 4);
    }

    /** Tables; empty where they are left out. */
    FlatTable[] tables(int index) throws ModelException {
        Vector vector = vector(index, 4);
        int count = vector == null ? 0 : vector.size;
        if (count > MOST_TABLES) {
            throw FlatFile.damaged("it has " + count + " parts of a kind of which at most " + MOST_TABLES
                    + " make sense");
        }
        file.spend(count);
        FlatTable[] tables = new FlatTable[count];
        for (int i = 0; i < count; i++) {
            int at = vector.first + 4 * i;
            tables[i] = new FlatTable(file, at + file.unsigned(at));
        }
        return tables;
    }

    /** A table, or null where it is left out. */
    FlatTable table(int index) throws ModelException {
        int at = field(index, 4);
        return at == 0 ? null : new FlatTable(file, at + file.unsigned(at));
    }

    /** Numbers; empty where they are left out. */
    int[] int32s(int index) throws ModelException {
        Vector vector = vector(index, 4);
        int[] numbers = new int[vector == null ? 0 : vector.size];
        file.spend(numbers.length);
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = bytes.getInt(vector.first + 4 * i);
        }
        return numbers;
    }

    /** The first of a vector of floats, 0 where there is none. */
    float firstFloat(Vector vector) {
        return vector == null || vector.size == 0 ? 0 : bytes.getFloat(vector.first);
    }

    long firstLong(Vector vector) {
        return vector == null || vector.size == 0 ? 0 : bytes.getLong(vector.first);
    }

    /** Elements inside of the file, from byte `first`. */
    static final class Vector {
        final int size;
        final int first;

        Vector(int size, int first) {
            this.size = size;
            this.first = first;
        }
    }
}
