package org.tfcompress.demo.check;

import android.app.Service;
import android.content.Intent;
import android.os.Bundle;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.IBinder;
import android.os.Looper;
import android.os.Message;
import android.os.Messenger;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;
import android.util.Log;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.List;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.runtime.Delegate;
import org.tfcompress.demo.runtime.ModelRunner;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.runtime.Runners;

/**
 * Opens and runs a model from outside once, in a process of its own that may do nothing else: native code that such a
 * file breaks takes this process down and not the app. Gets a file, answers with a sentence, or null if it ran.
 */
public class CheckService extends Service {
    static final String FILE = "file";
    static final String PROBLEM = "problem";

    private final HandlerThread thread = new HandlerThread("check");

    @Override
    public IBinder onBind(Intent intent) {
        thread.start();
        return new Messenger(new Asked(thread.getLooper())).getBinder();
    }

    @Override
    public void onDestroy() {
        thread.quitSafely();
        super.onDestroy();
    }

    /** Answers one question after the other, off the main thread. */
    private static final class Asked extends Handler {
        Asked(Looper looper) {
            super(looper);
        }

        @Override
        public void handleMessage(Message message) {
            Bundle question = message.getData();
            question.setClassLoader(ParcelFileDescriptor.class.getClassLoader());
            Bundle reply = new Bundle();
            reply.putString(PROBLEM, problem(question));
            Message answer = Message.obtain();
            answer.setData(reply);
            try {
                message.replyTo.send(answer);
            } catch (RemoteException e) {
                Log.w("tfcompress", "who asked has gone", e);
            }
        }
    }

    @SuppressWarnings("deprecation") // the form that names the class exists from API 33 on
    private static String problem(Bundle question) {
        try (ParcelFileDescriptor file = question.getParcelable(FILE)) {
            run(file);
            return null;
        } catch (ModelException e) {
            return e.getMessage();
        } catch (IOException e) {
            return "The file cannot be read: " + e.getMessage();
        }
    }

    /** With each kind of kernels that the app uses. */
    private static void run(ParcelFileDescriptor file) throws ModelException, IOException {
        Threads.background();
        try (FileInputStream from = new FileInputStream(file.getFileDescriptor());
                FileChannel channel = from.getChannel()) {
            ByteBuffer model = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            model.order(ByteOrder.nativeOrder());
            ModelFile.check(model);
            for (Delegate delegate : new Delegate[] {Delegate.CPU, Delegate.XNNPACK}) {
                try (ModelRunner runner = Runners.factory.open(model, new RunOptions(1, delegate))) {
                    runner.run(zeros(runner.inputs()), zeros(runner.outputs()));
                }
            }
        }
    }

    private static ByteBuffer[] zeros(List<TensorSpec> specs) {
        ByteBuffer[] buffers = new ByteBuffer[specs.size()];
        for (int i = 0; i < buffers.length; i++) {
            buffers[i] = ByteBuffer.allocateDirect(specs.get(i).bytes()).order(ByteOrder.nativeOrder());
        }
        return buffers;
    }
}
