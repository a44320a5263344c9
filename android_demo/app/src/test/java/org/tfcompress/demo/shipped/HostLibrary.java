package org.tfcompress.demo.shipped;

import static org.junit.Assert.assertEquals;
import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.io.IOException;

/** The APK's library, made loadable on this host by tools/host_so; skips a test where that cannot be done. */
final class HostLibrary {
    final File folder;

    private HostLibrary(File folder) {
        this.folder = folder;
    }

    static HostLibrary x86() throws IOException, InterruptedException {
        assumeHost("gcc");
        return build("x86_64");
    }

    /** To be run in qemu-aarch64. */
    static HostLibrary arm() throws IOException, InterruptedException {
        assumeHost("aarch64-linux-gnu-gcc");
        assumeTool("qemu-aarch64");
        return build("arm64-v8a");
    }

    File library() {
        return new File(folder, "libtensorflowlite_jni.so").getAbsoluteFile();
    }

    private static void assumeHost(String compiler) {
        String host = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        assumeTrue("the library is tried on Linux on x86_64 alone, and this is " + host, host.equals("Linux amd64"));
        assumeTool(compiler);
        assumeTool("python3");
    }

    private static void assumeTool(String tool) {
        for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
            if (new File(folder, tool).canExecute()) {
                return;
            }
        }
        assumeTrue(tool + " is not installed: the APK's library is not tried on this host (tools/host_so)", false);
    }

    private static HostLibrary build(String abi) throws IOException, InterruptedException {
        Program made = Program.run(new ProcessBuilder("bash", "tools/host_so/build.sh", abi), new byte[0]);
        assertEquals(made.errors, 0, made.status);
        return new HostLibrary(new File("target/host_so/" + abi));
    }
}
