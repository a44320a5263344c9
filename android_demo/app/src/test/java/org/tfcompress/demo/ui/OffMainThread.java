package org.tfcompress.demo.ui;

import android.app.Application;
import android.os.StrictMode;
import android.os.strictmode.Violation;
import java.io.FileDescriptor;
import java.security.Permission;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.rules.ExternalResource;
import org.robolectric.RuntimeEnvironment;

/**
 * Fails a test in which the app opened one of its files on the main thread, or StrictMode saw something else amiss.
 * StrictMode on a JVM does not see java.io, so a security manager looks at each file that is opened: those of the app's
 * data and of its models must not be opened by a call of ours from the main thread.
 */
@SuppressWarnings({"deprecation", "removal"}) // there is no other way to see every open of Java 17
public final class OffMainThread extends ExternalResource {
    private static final String OURS = "org.tfcompress.demo.";
    private static final List<String> HELPERS = Arrays.asList("App.java", "Shipped.java", "Phone.java", "Screens.java");

    private final List<String> seen = new CopyOnWriteArrayList<>();
    private SecurityManager before;

    @Override
    protected void before() {
        Application app = RuntimeEnvironment.getApplication();
        String data = app.getDataDir().getAbsolutePath();
        Thread main = Thread.currentThread();
        before = System.getSecurityManager();
        System.setSecurityManager(new Watch(main, data));
        StrictMode.setThreadPolicy(new StrictMode.ThreadPolicy.Builder()
                .detectAll()
                .penaltyListener(Runnable::run, this::violated)
                .build());
        // Not detectAll: Robolectric's activities are not known as visual contexts.
        StrictMode.setVmPolicy(new StrictMode.VmPolicy.Builder()
                .detectActivityLeaks()
                .detectLeakedClosableObjects()
                .detectLeakedRegistrationObjects()
                .detectContentUriWithoutPermission()
                .detectFileUriExposure()
                .detectCleartextNetwork()
                .detectUntaggedSockets()
                .penaltyListener(Runnable::run, this::violated)
                .build());
    }

    /** What was seen so far; for the test of this rule itself. */
    List<String> seen() {
        return seen;
    }

    @Override
    protected void after() {
        System.setSecurityManager(before);
        if (!seen.isEmpty()) {
            throw new AssertionError("on the main thread: " + seen);
        }
    }

    private void violated(Violation violation) {
        StackTraceElement ours = culprit(violation.getStackTrace());
        if (ours != null) {
            seen.add(violation + " by " + ours);
        }
    }

    /** The app's call that is nearest to what happened; null if it is a test's or none. */
    private static StackTraceElement culprit(StackTraceElement[] stack) {
        for (StackTraceElement each : stack) {
            String name = each.getClassName();
            if (name.startsWith(OURS) && !name.startsWith(OffMainThread.class.getName())) {
                String file = String.valueOf(each.getFileName());
                return file.endsWith("Test.java") || HELPERS.contains(file) ? null : each;
            }
        }
        return null;
    }

    private final class Watch extends SecurityManager {
        private final Thread main;
        private final String data;
        private boolean looking;

        Watch(Thread main, String data) {
            this.main = main;
            this.data = data;
        }

        @Override
        public void checkPermission(Permission permission) {}

        @Override
        public void checkPermission(Permission permission, Object context) {}

        @Override
        public void checkRead(String file) {
            look(file);
        }

        @Override
        public void checkRead(FileDescriptor file) {}

        @Override
        public void checkWrite(String file) {
            look(file);
        }

        private void look(String file) {
            boolean its = file.startsWith(data) || file.contains("/assets/models");
            if (!its || Thread.currentThread() != main || looking) {
                return;
            }
            looking = true; // making a stack trace may read files itself
            StackTraceElement[] stack = new Throwable().getStackTrace();
            looking = false;
            StackTraceElement ours = culprit(stack);
            if (ours != null) {
                seen.add(file + " by " + ours);
            }
        }
    }
}
