package org.tfcompress.demo.model;

import java.util.Arrays;

/** A tensor as the file declares it, constants and results in between among them. */
final class GraphTensor {
    /** Numbers of TFLite's schema (TensorType). */
    static final int FLOAT32 = 0;
    static final int FLOAT16 = 1;
    static final int INT32 = 2;
    static final int UINT8 = 3;
    static final int INT64 = 4;
    static final int STRING = 5;
    static final int BOOL = 6;
    static final int INT16 = 7;
    static final int INT8 = 9;

    final int type;
    final float scale;
    final int zeroPoint;

    /** How many there are: one, or one per channel. */
    final int scales;

    final int zeroPoints;

    /** Its values are in the file. */
    final boolean constant;

    private final FlatTable table;

    GraphTensor(FlatTable table, boolean[] filledBuffers) throws ModelException {
        this.table = table;
        type = table.int8(1, 0);
        int buffer = table.int32(2, 0);
        if (buffer < 0 || buffer >= Math.max(1, filledBuffers.length)) {
            throw FlatFile.damaged("a tensor's values are in buffer " + buffer + " of " + filledBuffers.length);
        }
        constant = buffer < filledBuffers.length && filledBuffers[buffer];
        FlatTable quantization = table.table(4);
        FlatTable.Vector scaled = quantization == null ? null : quantization.vector(2, 4);
        FlatTable.Vector zeros = quantization == null ? null : quantization.vector(3, 8);
        scale = quantization == null ? 0 : quantization.firstFloat(scaled);
        zeroPoint = quantization == null ? 0 : (int) quantization.firstLong(zeros);
        scales = scaled == null ? 0 : scaled.size;
        zeroPoints = zeros == null ? 0 : zeros.size;
    }

    boolean quantizedAs(int wanted) {
        return type == wanted && scale != 0;
    }

    /**
     * What the app needs to know of an input or output.
     *
     * @param what "input" or "output", for messages
     * @throws ModelException a type that the app cannot fill or show
     */
    TensorSpec spec(String what) throws ModelException {
        String name = Printable.of(table.text(3), 60);
        int[] shape = table.int32s(0);
        long elements = 1;
        for (int size : shape) {
            elements *= size;
            if (size < 1) {
                throw new ModelException("The " + what + " " + name + " is of shape " + Arrays.toString(shape)
                        + ", but the app needs sizes of at least 1; convert the model with fixed sizes.");
            }
            if (elements > Integer.MAX_VALUE / 8) {
                throw FlatFile.damaged("its " + what + " " + name + " would take more than " + Integer.MAX_VALUE
                        + " bytes");
            }
        }
        return new TensorSpec(name, dtype(what, name), shape, scale, zeroPoint);
    }

    private DType dtype(String what, String name) throws ModelException {
        switch (type) {
            case FLOAT32:
                return DType.FLOAT32;
            case INT32:
                return DType.INT32;
            case UINT8:
                return DType.UINT8;
            case INT64:
                return DType.INT64;
            case BOOL:
                return DType.BOOL;
            case INT16:
                return DType.INT16;
            case INT8:
                return DType.INT8;
            default:
                throw new ModelException("The " + what + " " + name + " is of type "
                        + (type == STRING ? "string" : "" + type)
                        + ", but the app knows float32, int8, uint8, int16, int32, "
                        + "int64 and bool; export another form.");
        }
    }
}
