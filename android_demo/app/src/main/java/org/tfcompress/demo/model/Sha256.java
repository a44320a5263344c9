package org.tfcompress.demo.model;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 as reports have it: 64 hex digits in lower case. */
public final class Sha256 {
    private Sha256() {}

    /** Of all bytes from position 0; the buffer is not moved. */
    public static String of(ByteBuffer bytes) {
        ByteBuffer whole = bytes.duplicate();
        whole.rewind();
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(whole);
            StringBuilder hex = new StringBuilder();
            for (byte each : digest.digest()) {
                hex.append(Character.forDigit(each >> 4 & 15, 16)).append(Character.forDigit(each & 15, 16));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException impossible) { // Android and Java both must have it
            throw new IllegalStateException(impossible);
        }
    }
}
