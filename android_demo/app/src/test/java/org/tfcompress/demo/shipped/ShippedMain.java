package org.tfcompress.demo.shipped;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.runtime.TfliteRunner;

/**
 * A program of its own, as a JVM that has loaded this library serves nothing else: the app's TfliteRunner on every
 * model that has vectors. It writes a line of {@link Figures} for each way to run each, or "refused", the name and the
 * reason.
 */
public final class ShippedMain {
    static final String REFUSED = "refused\t";

    private static final int[] THREADS = {1, 2, 4};

    private ShippedMain() {}

    public static void main(String[] none) throws Exception {
        for (Vectors vectors : Vectors.all()) {
            for (Delegate delegate : new Delegate[] {Delegate.CPU, Delegate.XNNPACK}) {
                for (int threads : THREADS) {
                    run(vectors, new RunOptions(threads, delegate));
                }
            }
        }
    }

    private static void run(Vectors vectors, RunOptions options) throws Exception {
        try (TfliteRunner runner = new TfliteRunner(vectors.bytes(), options)) {
            Figures figures = new Figures(vectors, runner.describe());
            List<TensorSpec> specs = runner.outputs();
            for (int i = 0; i < vectors.inputs.size(); i++) {
                ByteBuffer[] outputs = room(specs);
                runner.run(buffers(vectors.inputs.get(i)), outputs);
                for (int port = 0; port < outputs.length; port++) {
                    figures.add(specs.get(port).type, outputs[port], vectors.outputs.get(i).get(port));
                }
            }
            System.out.println(figures.line());
        } catch (ModelException refused) {
            System.out.println(REFUSED + vectors.name + "\t" + refused.getMessage());
        }
    }

    private static ByteBuffer[] buffers(List<byte[]> tensors) {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (byte[] tensor : tensors) {
            buffers.add(Vectors.direct(tensor));
        }
        return buffers.toArray(new ByteBuffer[0]);
    }

    private static ByteBuffer[] room(List<TensorSpec> specs) {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (TensorSpec spec : specs) {
            buffers.add(Vectors.direct(new byte[spec.bytes()]));
        }
        return buffers.toArray(new ByteBuffer[0]);
    }
}
