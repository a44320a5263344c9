package org.tfcompress.demo.ui.input;

import android.content.Context;
import android.graphics.Matrix;
import android.graphics.RectF;
import android.graphics.SurfaceTexture;
import android.hardware.display.DisplayManager;
import android.os.Handler;
import android.os.Looper;
import android.util.Size;
import android.view.Display;
import android.view.Surface;
import android.view.TextureView;
import android.view.WindowManager;
import org.tfcompress.demo.device.Camera;
import org.tfcompress.demo.preprocess.Picture;

/** A camera on a square view: opened as soon as the view can show it, closed when it is stopped. */
final class Preview {
    /** Told on the main thread. */
    interface Listener {
        /** The square in the middle, upright. */
        void frame(Picture picture);

        void failed();
    }

    private final Handler main = new Handler(Looper.getMainLooper());
    private final TextureView view;
    private final Listener listener;
    private final DisplayManager displays;
    private final Turned turned = new Turned();
    private volatile boolean wanted;
    private Camera camera;
    private boolean front;
    private boolean running;
    private int display;

    Preview(TextureView view, Listener listener) {
        this.view = view;
        this.listener = listener;
        displays = view.getContext().getSystemService(DisplayManager.class);
        view.setSurfaceTextureListener(new Surfaces());
    }

    /** Starts, or goes over to the other camera. Needs the permission. */
    void start(boolean frontCamera) {
        stop();
        front = frontCamera;
        running = true;
        wanted = true;
        displays.registerDisplayListener(turned, main);
        if (view.isAvailable()) {
            open(view.getSurfaceTexture());
        }
    }

    void stop() {
        running = false;
        wanted = false;
        displays.unregisterDisplayListener(turned);
        if (camera != null) {
            camera.close();
            camera = null;
        }
    }

    /** The frame that came was used: the next one may come. */
    void next() {
        wanted = running;
    }

    private void open(SurfaceTexture surface) {
        Context context = view.getContext();
        display = degrees(context);
        Camera opened = new Camera(context.getApplicationContext(), surface, display, new Frames(display));
        camera = opened;
        opened.open(front);
    }

    @SuppressWarnings("deprecation") // Context.getDisplay exists from API 30 on
    private static int degrees(Context context) {
        Display display = context.getSystemService(WindowManager.class).getDefaultDisplay();
        switch (display.getRotation()) {
            case Surface.ROTATION_90:
                return 90;
            case Surface.ROTATION_180:
                return 180;
            case Surface.ROTATION_270:
                return 270;
            default:
                return 0;
        }
    }

    /** Opens the camera anew where the phone was turned over: by half a turn Android makes no new activity. */
    private final class Turned implements DisplayManager.DisplayListener {
        @Override
        public void onDisplayChanged(int id) {
            if (camera != null && degrees(view.getContext()) != display) {
                start(front);
            }
        }

        @Override
        public void onDisplayAdded(int id) {}

        @Override
        public void onDisplayRemoved(int id) {}
    }

    /** From the camera's thread to the main one. */
    private final class Frames implements Camera.Listener {
        private final int display;

        Frames(int display) {
            this.display = display;
        }

        @Override
        public void opened(Size size, int sensor, boolean frontCamera) {
            main.post(() -> view.setTransform(square(view.getWidth(), view.getHeight(), size, sensor, display)));
        }

        @Override
        public boolean wanted() {
            return wanted;
        }

        @Override
        public void frame(Picture square) {
            wanted = false;
            main.post(() -> {
                if (running) {
                    listener.frame(square);
                }
            });
        }

        @Override
        public void failed() {
            main.post(() -> {
                if (running) {
                    stop();
                    listener.failed();
                }
            });
        }
    }

    /**
     * How the view's content, which a TextureView stretches over all of it, is put right: upright, not distorted, and
     * cut to the square in the middle, as the model sees it.
     */
    static Matrix square(int width, int height, Size size, int sensor, int display) {
        boolean upright = sensor % 180 == 90;
        float frameWidth = upright ? size.getHeight() : size.getWidth();
        float frameHeight = upright ? size.getWidth() : size.getHeight();
        RectF whole = new RectF(0, 0, width, height);
        RectF frame = new RectF(0, 0, frameWidth, frameHeight);
        frame.offset(whole.centerX() - frame.centerX(), whole.centerY() - frame.centerY());
        Matrix matrix = new Matrix();
        matrix.setRectToRect(whole, frame, Matrix.ScaleToFit.FILL);
        float scale = Math.max(width / Math.min(frameWidth, frameHeight), height / Math.min(frameWidth, frameHeight));
        matrix.postScale(scale, scale, whole.centerX(), whole.centerY());
        matrix.postRotate(-display, whole.centerX(), whole.centerY());
        return matrix;
    }

    /** Opens the camera once there is something to show it on. */
    private final class Surfaces implements TextureView.SurfaceTextureListener {
        @Override
        public void onSurfaceTextureAvailable(SurfaceTexture surface, int width, int height) {
            if (running && camera == null) {
                open(surface);
            }
        }

        @Override
        public void onSurfaceTextureSizeChanged(SurfaceTexture surface, int width, int height) {}

        @Override
        public boolean onSurfaceTextureDestroyed(SurfaceTexture surface) {
            if (camera != null) {
                camera.close();
                camera = null;
            }
            return true;
        }

        @Override
        public void onSurfaceTextureUpdated(SurfaceTexture surface) {}
    }
}
