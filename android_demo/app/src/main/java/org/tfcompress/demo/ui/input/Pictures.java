package org.tfcompress.demo.ui.input;

import android.content.ContentResolver;
import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.graphics.drawable.BitmapDrawable;
import android.graphics.drawable.Drawable;
import android.media.ExifInterface;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;
import org.tfcompress.demo.R;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.preprocess.Picture;
import org.tfcompress.demo.store.ModelFolder;

/** Picture files to pixels and back. Reading is for the worker. */
final class Pictures {
    /** A larger side is halved while it is read: no model here takes so much, and memory is short. */
    private static final int MOST_PIXELS_A_SIDE = 2048;

    /** Of a sample, which is taken pixel by pixel: 16 million are 64 MB. A larger one is refused. */
    private static final long MOST_PIXELS = 1L << 24;
    /** Up to here single pixels are shown as they are. */
    private static final int SMALL = 64;
    /** Nor is a picture in the row of samples read larger than twice this. */
    private static final int LEAST_A_SIDE = 192;

    private Pictures() {}

    /** A picture of a model's folder, pixel by pixel as it is stored; transparency is not looked at. */
    static Picture sample(ModelFolder folder, String file) throws IOException {
        BitmapFactory.Options size = size(folder, file);
        if ((long) size.outWidth * size.outHeight > MOST_PIXELS) {
            throw new IOException(
                    size.outWidth + " x " + size.outHeight + " pixels are more than a phone's memory takes");
        }
        return picture(decode(folder, file, options(1)));
    }

    /** The same for the row of samples: as many pixels as can be seen there, however large the file is. */
    static Bitmap small(ModelFolder folder, String file) throws IOException {
        BitmapFactory.Options size = size(folder, file);
        int sample = 1;
        while (Math.max(size.outWidth, size.outHeight) / (2 * sample) >= LEAST_A_SIDE) {
            sample *= 2;
        }
        return bitmap(picture(decode(folder, file, options(sample))));
    }

    private static BitmapFactory.Options size(ModelFolder folder, String file) throws IOException {
        BitmapFactory.Options size = options(1);
        size.inJustDecodeBounds = true;
        try (InputStream from = folder.open(file)) {
            BitmapFactory.decodeStream(from, null, size);
        }
        return size;
    }

    private static Bitmap decode(ModelFolder folder, String file, BitmapFactory.Options options) throws IOException {
        Threads.background();
        try (InputStream from = folder.open(file)) {
            Bitmap bitmap = BitmapFactory.decodeStream(from, null, options);
            if (bitmap == null) {
                throw new IOException("it is no PNG, JPEG or WebP picture");
            }
            return bitmap;
        }
    }

    /** A picture that the user picked, upright as its file says. */
    static Picture read(Context context, Uri from) throws ModelException {
        Threads.background();
        ContentResolver resolver = context.getContentResolver();
        try {
            BitmapFactory.Options size = options(1);
            size.inJustDecodeBounds = true;
            try (InputStream in = resolver.openInputStream(from)) {
                BitmapFactory.decodeStream(in, null, size);
            }
            int sample = 1;
            while (Math.max(size.outWidth, size.outHeight) / sample > MOST_PIXELS_A_SIDE) {
                sample *= 2;
            }
            Bitmap bitmap;
            try (InputStream in = resolver.openInputStream(from)) {
                bitmap = BitmapFactory.decodeStream(in, null, options(sample));
            }
            if (bitmap == null) {
                throw new ModelException(context.getString(R.string.picture_wrong));
            }
            return picture(upright(bitmap, turn(resolver, from)));
        } catch (IOException | SecurityException | IllegalArgumentException e) {
            throw new ModelException(context.getString(R.string.picture_wrong), e);
        }
    }

    private static BitmapFactory.Options options(int sample) {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inPreferredConfig = Bitmap.Config.ARGB_8888;
        options.inPremultiplied = false;
        options.inScaled = false;
        options.inSampleSize = sample;
        return options;
    }

    /** Degrees clockwise. */
    private static int turn(ContentResolver resolver, Uri from) {
        try (InputStream in = resolver.openInputStream(from)) {
            int tag = new ExifInterface(in)
                    .getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL);
            return tag == ExifInterface.ORIENTATION_ROTATE_90 ? 90
                    : tag == ExifInterface.ORIENTATION_ROTATE_180 ? 180
                    : tag == ExifInterface.ORIENTATION_ROTATE_270 ? 270 : 0;
        } catch (IOException e) {
            return 0; // a PNG has no such tag
        }
    }

    private static Bitmap upright(Bitmap bitmap, int turn) {
        if (turn == 0) {
            return bitmap;
        }
        Matrix matrix = new Matrix();
        matrix.postRotate(turn);
        return Bitmap.createBitmap(
                bitmap(picture(bitmap)), 0, 0, bitmap.getWidth(), bitmap.getHeight(), matrix, false);
    }

    private static Picture picture(Bitmap bitmap) {
        int[] argb = new int[bitmap.getWidth() * bitmap.getHeight()];
        bitmap.getPixels(argb, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
        for (int i = 0; i < argb.length; i++) {
            argb[i] |= 0xFF000000;
        }
        return new Picture(bitmap.getWidth(), bitmap.getHeight(), argb);
    }

    static Bitmap bitmap(Picture picture) {
        return Bitmap.createBitmap(picture.argb, picture.width, picture.height, Bitmap.Config.ARGB_8888);
    }

    /** For showing: the pixels of a small picture stay sharp squares, those of a large one are smoothed. */
    static Drawable crisp(Context context, Bitmap bitmap) {
        BitmapDrawable drawable = new BitmapDrawable(context.getResources(), bitmap);
        drawable.setFilterBitmap(Math.max(bitmap.getWidth(), bitmap.getHeight()) > SMALL);
        return drawable;
    }
}
