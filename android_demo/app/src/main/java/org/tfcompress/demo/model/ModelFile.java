package org.tfcompress.demo.model;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A look at a .tflite file before native code sees it. It survives any bytes, and says in a sentence why a file cannot
 * run here. Numbers of fields are those of TFLite's schema, version 3.
 */
public final class ModelFile {
    private static final int CUSTOM = 32;

    /** Custom operators that TFLite's own resolver has. */
    private static final Set<String> KNOWN_CUSTOM = new HashSet<>(
            Arrays.asList("TFLite_Detection_PostProcess", "NumericVerify", "Mfcc", "AudioSpectrogram"));

    private final FlatTable[] codes;
    private final List<Subgraph> subgraphs = new ArrayList<>();

    private ModelFile(ByteBuffer bytes) throws ModelException {
        if (bytes.capacity() < 16) {
            throw new ModelException("The file has " + bytes.capacity() + " bytes, which is no TFLite model; "
                    + "choose a .tflite file.");
        }
        FlatFile file = new FlatFile(bytes);
        if (file.bytes.getInt(4) != 0x334c4654) {
            throw new ModelException(
                    "The file is no TFLite model (TFL3 is missing at its start); choose a .tflite file.");
        }
        FlatTable model = FlatTable.root(file);
        int version = model.int32(0, 0);
        if (version != 3) {
            throw new ModelException("The file is of schema version " + version
                    + ", but the app knows 3; export it anew.");
        }
        codes = model.tables(1);
        boolean[] filled = filledBuffers(model.tables(4));
        int[] builtins = new int[codes.length];
        for (int i = 0; i < codes.length; i++) {
            builtins[i] = builtin(codes[i]);
        }
        for (FlatTable subgraph : model.tables(2)) {
            subgraphs.add(new Subgraph(subgraph, filled, builtins));
        }
    }

    /** The operator's number; the byte of old files holds those below 127 alone. */
    private static int builtin(FlatTable code) throws ModelException {
        return Math.max(code.int8(0, 0), code.int32(3, 0));
    }

    private static boolean[] filledBuffers(FlatTable[] buffers) throws ModelException {
        boolean[] filled = new boolean[buffers.length];
        for (int i = 0; i < buffers.length; i++) {
            FlatTable.Vector data = buffers[i].vector(0, 1);
            filled[i] = data != null && data.size > 0 || buffers[i].int64(1, 0) > 1;
        }
        return filled;
    }

    /**
     * Reads a file.
     *
     * @param bytes the whole file, from position 0 to the capacity; not moved
     * @throws ModelException it is damaged, or has operators or types that the app does not run
     */
    public static ModelFile read(ByteBuffer bytes) throws ModelException {
        ModelFile file = new ModelFile(bytes);
        file.refuseCustomOperators();
        for (Subgraph subgraph : file.subgraphs) {
            if (subgraph.shrunk != null) {
                throw new ModelException("Phones cannot run this file: it was shrunk for TFLM (" + subgraph.shrunk
                        + "); convert the model with --runtime litert.");
            }
        }
        if (file.subgraphs.isEmpty()) {
            throw FlatFile.damaged("it has no graph");
        }
        file.inputs();
        if (file.outputs().isEmpty()) {
            throw FlatFile.damaged("it has no output");
        }
        return file;
    }

    /** Throws what {@link #read} throws. */
    public static void check(ByteBuffer bytes) throws ModelException {
        read(bytes);
    }

    /** As {@link #kind()}, of a file. */
    public static String kind(ByteBuffer bytes) throws ModelException {
        return read(bytes).kind();
    }

    private void refuseCustomOperators() throws ModelException {
        for (FlatTable code : codes) {
            String name = builtin(code) == CUSTOM ? code.text(1) : null;
            if ("TFLM_DECODE".equals(name)) {
                throw new ModelException("The weights of this file are encoded for microcontrollers, and phones cannot "
                        + "read them; export it with --decode off.");
            }
            if (name != null && name.startsWith("Flex")) {
                throw new ModelException("The file needs TensorFlow's operator " + Printable.of(name.substring(4), 60)
                        + ", which the app does not have; convert the model with TFLite's own operators only.");
            }
            if (name != null && !KNOWN_CUSTOM.contains(name)) {
                throw new ModelException("The file needs the custom operator " + Printable.of(name, 60)
                        + ", which the app does not have; replace it in the model and export it anew.");
            }
        }
    }

    /** Number of operators, of all graphs. */
    public int operators() {
        int count = 0;
        for (Subgraph subgraph : subgraphs) {
            count += subgraph.operators;
        }
        return count;
    }

    public List<TensorSpec> inputs() throws ModelException {
        return specs(subgraphs.get(0).inputs, "input");
    }

    public List<TensorSpec> outputs() throws ModelException {
        return specs(subgraphs.get(0).outputs, "output");
    }

    /** Shapes of all inputs and outputs, as text: files that can be laid side by side have the same. */
    public static String shapes(List<TensorSpec> inputs, List<TensorSpec> outputs) {
        StringBuilder text = new StringBuilder();
        for (TensorSpec input : inputs) {
            text.append(Arrays.toString(input.shape()));
        }
        text.append(" to ");
        for (TensorSpec output : outputs) {
            text.append(Arrays.toString(output.shape()));
        }
        return text.toString();
    }

    private List<TensorSpec> specs(int[] indices, String what) throws ModelException {
        List<TensorSpec> specs = new ArrayList<>();
        for (int index : indices) {
            specs.add(subgraphs.get(0).tensors[index].spec(what));
        }
        return Collections.unmodifiableList(specs);
    }

    /**
     * How the file computes: "int8", "uint8" (computes in int8 or uint8 and takes uint8), "int16x8", "float16" and
     * "dynamic" (weights of 16 or 8 bits, computes in float32), or "float32".
     */
    public String kind() {
        boolean half = false;
        boolean whole = false;
        boolean wide = false;
        boolean bytesOnly = false;
        boolean takesUint8 = false;
        Subgraph graph = subgraphs.get(0);
        for (GraphTensor tensor : graph.tensors) {
            half |= tensor.constant && tensor.type == GraphTensor.FLOAT16;
            whole |= tensor.constant && tensor.quantizedAs(GraphTensor.INT8);
            wide |= !tensor.constant && tensor.quantizedAs(GraphTensor.INT16);
            bytesOnly |= !tensor.constant
                    && (tensor.quantizedAs(GraphTensor.INT8) || tensor.quantizedAs(GraphTensor.UINT8));
        }
        for (int index : graph.inputs) {
            takesUint8 |= graph.tensors[index].quantizedAs(GraphTensor.UINT8);
        }
        if (wide) {
            return "int16x8";
        }
        if (bytesOnly) {
            return takesUint8 ? "uint8" : "int8";
        }
        return half ? "float16" : whole ? "dynamic" : "float32";
    }

    /** A graph whose indices are all inside of their lists. */
    private static final class Subgraph {
        final GraphTensor[] tensors;
        final int[] inputs;
        final int[] outputs;
        final int operators;

        /** What was left out of it for TFLM; null for nothing. */
        final String shrunk;

        Subgraph(FlatTable table, boolean[] filledBuffers, int[] builtins) throws ModelException {
            FlatTable[] declared = table.tables(0);
            tensors = new GraphTensor[declared.length];
            for (int i = 0; i < declared.length; i++) {
                tensors[i] = new GraphTensor(declared[i], filledBuffers);
            }
            inputs = checked(table.int32s(1), 0);
            outputs = checked(table.int32s(2), 0);
            FlatTable[] steps = table.tables(3);
            operators = steps.length;
            for (FlatTable step : steps) {
                int code = step.int32(0, 0);
                if (code < 0 || code >= builtins.length) {
                    throw FlatFile.damaged("an operator is of kind " + code + " of " + builtins.length);
                }
                checked(step.int32s(1), -1);
                checked(step.int32s(2), -1);
            }
            shrunk = Shrunk.why(tensors, steps, builtins);
        }

        private int[] checked(int[] indices, int lowest) throws ModelException {
            for (int index : indices) {
                if (index < lowest || index >= tensors.length) {
                    throw FlatFile.damaged("it uses tensor " + index + " of " + tensors.length);
                }
            }
            return indices;
        }
    }
}
