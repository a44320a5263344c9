package org.tfcompress.demo.runtime;

import static org.bytedeco.tensorflowlite.global.tensorflowlite.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithoutDefaultDelegates;
import org.bytedeco.tensorflowlite.TfLiteInterpreter;
import org.bytedeco.tensorflowlite.TfLiteInterpreterOptions;
import org.bytedeco.tensorflowlite.TfLiteModel;
import org.bytedeco.tensorflowlite.TfLiteRegistration;
import org.bytedeco.tensorflowlite.TfLiteTensor;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.TensorSpec;

/**
 * The same files on a desktop JVM: TensorFlow Lite's C API through org.bytedeco:tensorflow-lite. For tests, since
 * Android's library does not load here. NNAPI is refused, as on a phone that has none.
 */
public final class JvmRunner implements ModelRunner {
    private static final int BUILTIN_OPERATORS = 256;
    private static final int VERSIONS = 20;

    private final BytePointer bytes;
    private final RunOptions options;
    private final TfLiteInterpreterOptions settings = TfLiteInterpreterOptionsCreate();
    private final BuiltinOpResolverWithoutDefaultDelegates kernels = new BuiltinOpResolverWithoutDefaultDelegates();
    private TfLiteModel model;
    private TfLiteInterpreter interpreter;
    private final List<TensorSpec> inputs = new ArrayList<>();
    private final List<TensorSpec> outputs = new ArrayList<>();
    private boolean closed;

    /** See {@link RunnerFactory#open}. */
    public JvmRunner(ByteBuffer model, RunOptions options) throws ModelException {
        this(model, options, true);
    }

    /** @param looked false to hand the file to native code without a look at it, for tests of what that says */
    JvmRunner(ByteBuffer model, RunOptions options, boolean looked) throws ModelException {
        if (looked) {
            ModelFile.check(model);
        }
        if (options.delegate == Delegate.NNAPI) {
            throw new ModelException("This machine has no NNAPI; choose another delegate.");
        }
        this.options = options;
        byte[] copy = new byte[model.capacity()];
        ByteBuffer whole = model.duplicate();
        whole.clear();
        whole.get(copy);
        bytes = new BytePointer(copy);
        try {
            open(copy.length);
        } catch (ModelException error) {
            close();
            throw error;
        }
    }

    private void open(int size) throws ModelException {
        Reports.ALL.clear();
        model = TfLiteModelCreateWithErrorReporter(bytes, size, Reports.ALL, null);
        if (isNull(model)) {
            throw Complaint.of("load the model", Reports.ALL.text(), null);
        }
        TfLiteInterpreterOptionsSetNumThreads(settings, options.threads);
        TfLiteInterpreterOptionsSetErrorReporter(settings, Reports.ALL, null);
        if (options.delegate == Delegate.XNNPACK) {
            interpreter = TfLiteInterpreterCreate(model, settings);
        } else {
            // What TfLiteInterpreterCreate takes by itself would bring XNNPACK with it.
            addKernels();
            interpreter = TfLiteInterpreterCreateWithSelectedOps(model, settings);
        }
        if (isNull(interpreter) || TfLiteInterpreterAllocateTensors(interpreter) != 0) {
            throw Complaint.of("load the model", Reports.ALL.text(), null);
        }
        for (int i = 0; i < TfLiteInterpreterGetInputTensorCount(interpreter); i++) {
            inputs.add(spec(TfLiteInterpreterGetInputTensor(interpreter, i)));
        }
        for (int i = 0; i < TfLiteInterpreterGetOutputTensorCount(interpreter); i++) {
            outputs.add(spec(TfLiteInterpreterGetOutputTensor(interpreter, i)));
        }
    }

    private void addKernels() {
        for (int operator = 0; operator < BUILTIN_OPERATORS; operator++) {
            for (int version = 1; version <= VERSIONS; version++) {
                TfLiteRegistration kernel = kernels.FindOp(operator, version);
                if (!isNull(kernel)) {
                    TfLiteInterpreterOptionsAddBuiltinOp(settings, operator, kernel, version, version);
                }
            }
        }
    }

    private static boolean isNull(Pointer pointer) {
        return pointer == null || pointer.isNull();
    }

    private static TensorSpec spec(TfLiteTensor tensor) throws ModelException {
        int[] shape = new int[TfLiteTensorNumDims(tensor)];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = TfLiteTensorDim(tensor, i);
        }
        return new TensorSpec(
                TfLiteTensorName(tensor).getString(),
                type(TfLiteTensorType(tensor)),
                shape,
                TfLiteTensorQuantizationParams(tensor).scale(),
                TfLiteTensorQuantizationParams(tensor).zero_point());
    }

    private static DType type(int type) throws ModelException {
        int[] types = {kTfLiteFloat32, kTfLiteInt8, kTfLiteUInt8, kTfLiteInt16, kTfLiteInt32, kTfLiteInt64,
                kTfLiteBool};
        for (int i = 0; i < types.length; i++) {
            if (types[i] == type) {
                return DType.values()[i];
            }
        }
        throw new ModelException("The model has an input or output of type " + type + ", which the app cannot show.");
    }

    @Override
    public List<TensorSpec> inputs() {
        return Collections.unmodifiableList(inputs);
    }

    @Override
    public List<TensorSpec> outputs() {
        return Collections.unmodifiableList(outputs);
    }

    @Override
    public void run(ByteBuffer[] in, ByteBuffer[] out) throws ModelException {
        Reports.ALL.clear();
        ByteBuffer[] given = Buffers.exactly(in, inputs, "input");
        ByteBuffer[] wanted = Buffers.exactly(out, outputs, "output");
        for (int i = 0; i < given.length; i++) {
            TfLiteTensor tensor = TfLiteInterpreterGetInputTensor(interpreter, i);
            refuse(TfLiteTensorCopyFromBuffer(tensor, new BytePointer(given[i]), given[i].capacity()));
        }
        refuse(TfLiteInterpreterInvoke(interpreter));
        for (int i = 0; i < wanted.length; i++) {
            TfLiteTensor tensor = TfLiteInterpreterGetOutputTensor(interpreter, i);
            refuse(TfLiteTensorCopyToBuffer(tensor, new BytePointer(wanted[i]), wanted[i].capacity()));
        }
    }

    private void refuse(int status) throws ModelException {
        if (status != 0) {
            throw Complaint.of("run the model", Reports.ALL.text(), null);
        }
    }

    @Override
    public void reset() {
        TfLiteInterpreterResetVariableTensors(interpreter);
    }

    @Override
    public String describe() {
        return "TensorFlow Lite " + TfLiteVersion().getString() + " (" + options + ")";
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (!isNull(interpreter)) {
            TfLiteInterpreterDelete(interpreter);
        }
        TfLiteInterpreterOptionsDelete(settings);
        if (!isNull(model)) {
            TfLiteModelDelete(model);
        }
        kernels.close();
        bytes.close();
    }
}
