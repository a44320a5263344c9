package org.tfcompress.demo.preprocess;

/** An image in memory, whatever it came from. */
public final class Picture {
    public final int width;
    public final int height;

    /** Row by row, 0xAARRGGBB as Android's Bitmap.getPixels gives it; alpha is not looked at. Not copied. */
    public final int[] argb;

    public Picture(int width, int height, int[] argb) {
        if (width < 1 || height < 1 || argb.length != Math.multiplyExact(width, height)) {
            throw new IllegalArgumentException(argb.length + " pixels came for " + width + " x " + height);
        }
        this.width = width;
        this.height = height;
        this.argb = argb;
    }
}
