package org.tfcompress.demo;

import java.util.Arrays;
import java.util.Random;

/** Files that were damaged: bytes changed, cut off, repeated. The same ones each time. */
public final class Spoiled {
    private static final byte[] TELLING = {0, 1, 2, 4, 8, 16, 0x7f, (byte) 0x80, (byte) 0xff, (byte) 0xfe};

    private final Random random;

    public Spoiled(long seed) {
        random = new Random(seed);
    }

    /** A damaged copy. */
    public byte[] of(byte[] file) {
        byte[] copy = file.clone();
        int changes = 1 + random.nextInt(8);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(copy.length);
            switch (random.nextInt(4)) {
                case 0:
                    copy[at] = (byte) random.nextInt();
                    break;
                case 1:
                    copy[at] = TELLING[random.nextInt(TELLING.length)];
                    break;
                case 2:
                    copy[at] ^= (byte) (1 << random.nextInt(8));
                    break;
                default:
                    int length = Math.min(copy.length - at, 1 + random.nextInt(16));
                    System.arraycopy(file, random.nextInt(file.length - length + 1), copy, at, length);
            }
        }
        return random.nextInt(5) == 0 ? Arrays.copyOf(copy, random.nextInt(copy.length)) : copy;
    }
}
