package org.tfcompress.demo.check;

import android.content.ComponentName;
import android.content.Context;
import android.content.Intent;
import android.content.ServiceConnection;
import android.os.Bundle;
import android.os.Handler;
import android.os.IBinder;
import android.os.Looper;
import android.os.Message;
import android.os.Messenger;
import android.os.ParcelFileDescriptor;
import android.os.RemoteException;
import java.io.File;
import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.tfcompress.demo.R;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.model.ModelException;

/** Asks {@link CheckService} whether a model can be run, and waits for what it says, or for its death. */
public final class Checker {
    private static final int WAIT_SECONDS = 60;

    private final Context context;

    public Checker(Context context) {
        this.context = context;
    }

    /**
     * Returns if the model ran. Blocks: not on the main thread, which has to hear from the service meanwhile.
     *
     * @throws ModelException it cannot run, ended the process, or took more than a minute
     */
    public void check(File model) throws ModelException, IOException {
        Threads.background();
        BlockingQueue<String> answers = new ArrayBlockingQueue<>(8);
        try (ParcelFileDescriptor file = ParcelFileDescriptor.open(model, ParcelFileDescriptor.MODE_READ_ONLY)) {
            Link link = new Link(context, file, answers);
            Intent service = new Intent(context, CheckService.class);
            String problem;
            try {
                if (!context.bindService(service, link, Context.BIND_AUTO_CREATE)) {
                    throw new ModelException(context.getString(R.string.check_missing));
                }
                problem = answers.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            } finally {
                context.unbindService(link); // also where binding failed: Android keeps the link until then
            }
            if (problem == null) {
                throw new ModelException(context.getString(R.string.check_slow, WAIT_SECONDS));
            }
            if (!problem.isEmpty()) {
                throw new ModelException(problem);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ModelException(context.getString(R.string.check_missing), e);
        }
    }

    /** Asks once connected; puts down what comes first: the answer (empty if all is well) or the end of the process. */
    private static final class Link implements ServiceConnection {
        private final Context context;
        private final ParcelFileDescriptor file;
        private final BlockingQueue<String> answers;
        private final Messenger here;

        Link(Context context, ParcelFileDescriptor file, BlockingQueue<String> answers) {
            this.context = context;
            this.file = file;
            this.answers = answers;
            here = new Messenger(new Handler(Looper.getMainLooper(), this::answered));
        }

        private boolean answered(Message message) {
            String problem = message.getData().getString(CheckService.PROBLEM);
            answers.offer(problem == null ? "" : problem);
            return true;
        }

        @Override
        public void onServiceConnected(ComponentName name, IBinder binder) {
            Message question = Message.obtain();
            Bundle data = new Bundle();
            data.putParcelable(CheckService.FILE, file);
            question.setData(data);
            question.replyTo = here;
            try {
                new Messenger(binder).send(question);
            } catch (RemoteException e) {
                died();
            }
        }

        @Override
        public void onServiceDisconnected(ComponentName name) {
            died();
        }

        @Override
        public void onBindingDied(ComponentName name) {
            died();
        }

        @Override
        public void onNullBinding(ComponentName name) {
            died();
        }

        private void died() {
            answers.offer(context.getString(R.string.check_died));
        }
    }
}
