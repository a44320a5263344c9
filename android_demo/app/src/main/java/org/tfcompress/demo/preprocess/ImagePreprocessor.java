package org.tfcompress.demo.preprocess;

import org.tfcompress.demo.manifest.ImageInput;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.TensorSpec;

/**
 * Images: to gray or to the order of channels, resized, (pixel - mean) / std. A mean or std per channel is in the order
 * of the model's channels.
 */
public final class ImagePreprocessor extends Preprocessor {
    private final ImageInput input;

    /** Of the model's image, in pixels. */
    public final int width;

    /** Of the model's image, in pixels. */
    public final int height;

    /** @throws ModelException the model's input is no such image */
    public ImagePreprocessor(ImageInput input, TensorSpec spec) throws ModelException {
        super(input);
        this.input = input;
        int[] shape = spec.shape();
        boolean first = input.layout == ImageInput.Layout.NCHW;
        // A gray image may come without a dimension for its only channel.
        boolean flat = shape.length == 3 && input.channels == ImageInput.Channels.GRAY;
        int rows = flat ? 1 : first ? 2 : 1;
        boolean fits = shape.length == (flat ? 3 : 4) && shape[0] == 1;
        if (!fits || !flat && shape[first ? 1 : 3] != input.channels.count) {
            throw new ModelException("model.json tells of an image of " + input.channels.count + " channels ("
                    + input.layout + "), but the model takes " + spec + "; export the model anew.");
        }
        height = shape[rows];
        width = shape[rows + 1];
    }

    @Override
    public float[] picture(Picture picture) {
        int channels = input.channels.count;
        byte[] pixels = PillowResize.bilinear(
                channels(picture), picture.width, picture.height, channels, width, height);
        float[] values = new float[pixels.length];
        double[] mean = input.mean();
        double[] std = input.std();
        int plane = width * height;
        for (int i = 0; i < pixels.length; i++) {
            int channel = i % channels;
            int at = input.layout == ImageInput.Layout.NHWC ? i : channel * plane + i / channels;
            values[at] = scaled(pixels[i] & 0xff, mean, std, channel);
        }
        return values;
    }

    /** Channels last, in the model's order. */
    private byte[] channels(Picture picture) {
        int count = input.channels.count;
        byte[] made = new byte[Math.multiplyExact(picture.argb.length, count)];
        for (int i = 0; i < picture.argb.length; i++) {
            int pixel = picture.argb[i];
            int red = pixel >> 16 & 0xff;
            int green = pixel >> 8 & 0xff;
            int blue = pixel & 0xff;
            if (count == 1) {
                made[i] = (byte) gray(red, green, blue);
            } else {
                boolean rgb = input.channels == ImageInput.Channels.RGB;
                made[3 * i] = (byte) (rgb ? red : blue);
                made[3 * i + 1] = (byte) green;
                made[3 * i + 2] = (byte) (rgb ? blue : red);
            }
        }
        return made;
    }

    /** Pillow's `L` of 8-bit channels (ITU-R 601-2 luma, 16 fractional bits). */
    static int gray(int red, int green, int blue) {
        return 19595 * red + 38470 * green + 7471 * blue + 0x8000 >> 16;
    }
}
