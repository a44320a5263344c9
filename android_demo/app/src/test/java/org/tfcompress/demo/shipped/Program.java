package org.tfcompress.demo.shipped;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/** What another program wrote and how it ended. */
final class Program {
    final int status;
    final byte[] output;
    final String errors;

    private Program(int status, byte[] output, String errors) {
        this.status = status;
        this.output = output;
        this.errors = errors;
    }

    /** Runs it to its end. */
    static Program run(ProcessBuilder builder, byte[] input) throws IOException, InterruptedException {
        File errors = File.createTempFile("errors", ".txt");
        try {
            Process process = builder.redirectError(errors).start();
            Thread writer = new Thread(() -> {
                try (OutputStream to = process.getOutputStream()) {
                    to.write(input);
                } catch (IOException early) {
                    // It ended before it had read all; its exit status tells.
                }
            });
            writer.start();
            byte[] output = all(process.getInputStream());
            int status = process.waitFor();
            writer.join();
            return new Program(status, output, new String(Files.readAllBytes(errors.toPath()), StandardCharsets.UTF_8));
        } finally {
            Files.delete(errors.toPath());
        }
    }

    private static byte[] all(InputStream in) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] piece = new byte[65_536];
        for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
            out.write(piece, 0, count);
        }
        return out.toByteArray();
    }
}
