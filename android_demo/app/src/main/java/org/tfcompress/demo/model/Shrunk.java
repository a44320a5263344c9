package org.tfcompress.demo.model;

/** Whether a graph is one that `tfcompress` shrunk for microcontrollers: TFLM reads it, phones do not. */
final class Shrunk {
    /** Numbers of TFLite's schema (BuiltinOperator). */
    private static final int CONV_2D = 3;
    private static final int DEPTHWISE_CONV_2D = 4;
    private static final int FULLY_CONNECTED = 9;
    private static final int RESHAPE = 22;

    private Shrunk() {}

    /**
     * What was left out, as `tfcompress` says it; null where nothing was.
     *
     * @param steps the graph's operators, whose numbers are inside of the lists
     * @param builtins number of each kind of operator of the file
     */
    static String why(GraphTensor[] tensors, FlatTable[] steps, int[] builtins) throws ModelException {
        for (GraphTensor tensor : tensors) {
            if (tensor.zeroPoints == 1 && tensor.scales > 1) {
                return "one zero point stands for all channels";
            }
        }
        for (FlatTable step : steps) {
            int[] inputs = step.int32s(1);
            int builtin = builtins[step.int32(0, 0)];
            if (hasBias(builtin) && inputs.length > 2 && lacksScale(tensors, inputs[0], inputs[2])) {
                return "scales of biases are left out";
            }
            if (builtin == RESHAPE && inputs.length == 1 && step.table(4) == null) {
                return "shapes that RESHAPE makes are left out";
            }
        }
        return null;
    }

    /** Its third input is a bias. */
    private static boolean hasBias(int builtin) {
        return builtin == CONV_2D || builtin == DEPTHWISE_CONV_2D || builtin == FULLY_CONNECTED;
    }

    private static boolean lacksScale(GraphTensor[] tensors, int data, int bias) {
        if (data < 0 || bias < 0 || tensors[data].scales == 0) {
            return false;
        }
        int type = tensors[bias].type;
        return (type == GraphTensor.INT32 || type == GraphTensor.INT64) && tensors[bias].scales == 0;
    }
}
