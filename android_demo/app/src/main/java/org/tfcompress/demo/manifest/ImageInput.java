package org.tfcompress.demo.manifest;

/** Pixels from 0 to 255; a value of the model's input is (pixel - mean) / std. */
public final class ImageInput extends InputSpec {
    /** What a pixel holds. */
    public enum Channels {
        GRAY(1),
        RGB(3),
        BGR(3);

        public final int count;

        Channels(int count) {
            this.count = count;
        }
    }

    /** The order of the dimensions behind the batch: height, width, channels, or channels first. */
    public enum Layout {
        NHWC,
        NCHW
    }

    /** How strokes of the drawing pad look to the model. */
    public enum Ink {
        WHITE_ON_BLACK,
        BLACK_ON_WHITE
    }

    public final Channels channels;
    public final Layout layout;

    /** Null where there is no sense in drawing. */
    public final Ink drawing;

    public ImageInput(Channels channels, Layout layout, double[] mean, double[] std, Ink drawing) {
        super(mean, std);
        this.channels = channels;
        this.layout = layout;
        this.drawing = drawing;
    }

    @Override
    public String kind() {
        return "image";
    }
}
