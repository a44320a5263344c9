package org.tfcompress.demo.runtime;

import android.os.Build;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;
import org.tensorflow.lite.TensorFlowLite;
import org.tensorflow.lite.nnapi.NnApiDelegate;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.model.DType;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.TensorSpec;

/** A model in TensorFlow Lite as the app brings it along. */
public final class TfliteRunner implements ModelRunner {
    private static final int NNAPI_SINCE = 27;

    private final Interpreter interpreter;
    private final NnApiDelegate nnapi;
    private final RunOptions options;
    private final List<TensorSpec> inputs = new ArrayList<>();
    private final List<TensorSpec> outputs = new ArrayList<>();

    /** See {@link RunnerFactory#open}. */
    public TfliteRunner(ByteBuffer model, RunOptions options) throws ModelException {
        Threads.background();
        ModelFile.check(model);
        if (options.delegate == Delegate.NNAPI && Build.VERSION.SDK_INT < NNAPI_SINCE) {
            throw new ModelException("NNAPI needs Android 8.1 or later, and this phone has Android "
                    + Build.VERSION.RELEASE + "; choose another delegate.");
        }
        this.options = options;
        NnApiDelegate delegate = null;
        Interpreter opened = null;
        try {
            delegate = options.delegate == Delegate.NNAPI ? accelerators() : null;
            opened = new Interpreter(model, tfliteOptions(options, delegate));
            opened.allocateTensors();
            for (int i = 0; i < opened.getInputTensorCount(); i++) {
                inputs.add(spec(opened.getInputTensor(i)));
            }
            for (int i = 0; i < opened.getOutputTensorCount(); i++) {
                outputs.add(spec(opened.getOutputTensor(i)));
            }
        } catch (IllegalArgumentException | IllegalStateException | LinkageError error) {
            close(opened, delegate);
            throw Complaint.of("load the model", error.getMessage(), error);
        } catch (ModelException error) {
            close(opened, delegate);
            throw error;
        }
        interpreter = opened;
        nnapi = delegate;
    }

    private static NnApiDelegate accelerators() {
        return new NnApiDelegate(new NnApiDelegate.Options()
                .setUseNnapiCpu(false)
                .setExecutionPreference(NnApiDelegate.Options.EXECUTION_PREFERENCE_SUSTAINED_SPEED));
    }

    private static Interpreter.Options tfliteOptions(RunOptions options, NnApiDelegate delegate) {
        Interpreter.Options made = new Interpreter.Options();
        made.setNumThreads(options.threads);
        made.setUseXNNPACK(options.delegate == Delegate.XNNPACK);
        if (delegate != null) {
            made.addDelegate(delegate);
        }
        return made;
    }

    private static TensorSpec spec(Tensor tensor) throws ModelException {
        Tensor.QuantizationParams quantization = tensor.quantizationParams();
        return new TensorSpec(
                tensor.name(), type(tensor), tensor.shape(), quantization.getScale(), quantization.getZeroPoint());
    }

    private static DType type(Tensor tensor) throws ModelException {
        switch (tensor.dataType()) {
            case FLOAT32:
                return DType.FLOAT32;
            case INT8:
                return DType.INT8;
            case UINT8:
                return DType.UINT8;
            case INT16:
                return DType.INT16;
            case INT32:
                return DType.INT32;
            case INT64:
                return DType.INT64;
            case BOOL:
                return DType.BOOL;
            default:
                throw new ModelException("The model has an input or output of type " + tensor.dataType()
                        + ", which the app cannot show; export another form.");
        }
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
        Threads.background();
        Object[] given = Buffers.exactly(in, inputs, "input");
        ByteBuffer[] wanted = Buffers.exactly(out, outputs, "output");
        Map<Integer, Object> map = new HashMap<>();
        for (int i = 0; i < wanted.length; i++) {
            map.put(i, wanted[i]);
        }
        try {
            interpreter.runForMultipleInputsOutputs(given, map);
        } catch (IllegalArgumentException | IllegalStateException error) {
            throw Complaint.of("run the model", error.getMessage(), error);
        }
    }

    @Override
    public void reset() {
        interpreter.resetVariableTensors();
    }

    @Override
    public String describe() {
        return "TensorFlow Lite " + TensorFlowLite.runtimeVersion() + " (" + options + ")";
    }

    @Override
    public void close() {
        close(interpreter, nnapi);
    }

    private static void close(Interpreter interpreter, NnApiDelegate nnapi) {
        if (interpreter != null) {
            interpreter.close();
        }
        if (nnapi != null) {
            nnapi.close();
        }
    }
}
