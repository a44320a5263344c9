package org.tfcompress.demo.device;

import android.annotation.SuppressLint;
import android.content.Context;
import android.graphics.ImageFormat;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import android.util.Log;
import android.util.Size;
import android.view.Surface;
import java.util.Arrays;
import java.util.List;
import org.tfcompress.demo.preprocess.Picture;

/** A camera's live frames: on a surface for the eye, and as upright squares for the model. One camera, opened once. */
public final class Camera {
    /** Told on the camera's own thread. */
    public interface Listener {
        /** The camera runs; size of its frames and what is needed to show them upright. */
        void opened(Size size, int sensor, boolean front);

        /** True if a frame is wanted now; the others are dropped unread. */
        boolean wanted();

        void frame(Picture square);

        /** It cannot be opened or was taken away by another app. */
        void failed();
    }

    private static final int PIXELS = 640 * 480;
    private static Looper looper;

    private final CameraManager manager;
    private final SurfaceTexture view;
    private final int display;
    private final Listener listener;
    private final Handler handler = new Handler(thread());
    private CameraDevice device;
    private ImageReader reader;
    private Surface surface;
    private int turn;
    private boolean closed;

    /**
     * @param view where the eye sees the frames
     * @param display degrees by which the display is turned
     */
    public Camera(Context context, SurfaceTexture view, int display, Listener listener) {
        this.manager = context.getSystemService(CameraManager.class);
        this.view = view;
        this.display = display;
        this.listener = listener;
    }

    /** One thread for all cameras: one is let go before the next is opened on the same surface. */
    private static synchronized Looper thread() {
        if (looper == null) {
            HandlerThread thread = new HandlerThread("camera");
            thread.start();
            looper = thread.getLooper();
        }
        return looper;
    }

    /** Opens the front or the back camera, or the only one. Returns at once. Needs the permission. */
    public void open(boolean front) {
        handler.post(() -> guarded(() -> find(front)));
    }

    /** Lets the camera go. Returns at once; nothing is told any more. */
    public void close() {
        handler.post(() -> {
            closed = true;
            release();
        });
    }

    private interface Step {
        void run() throws CameraAccessException;
    }

    private void guarded(Step step) {
        try {
            step.run();
        } catch (CameraAccessException | RuntimeException e) {
            // Drivers throw more than the documentation names, and none of it is worth the app's end.
            Log.w("tfcompress", "the camera failed", e);
            fail();
        }
    }

    private void find(boolean front) throws CameraAccessException {
        int facing = front ? CameraCharacteristics.LENS_FACING_FRONT : CameraCharacteristics.LENS_FACING_BACK;
        String chosen = null;
        for (String id : manager.getCameraIdList()) {
            Integer lens = manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING);
            if (chosen == null || lens != null && lens == facing) {
                chosen = id;
                if (lens != null && lens == facing) {
                    break;
                }
            }
        }
        if (chosen == null) {
            fail();
        } else if (!closed) {
            openDevice(chosen);
        }
    }

    @SuppressLint("MissingPermission") // asked for by who shows the panel; a SecurityException is a failure here
    private void openDevice(String id) throws CameraAccessException {
        CameraCharacteristics facts = manager.getCameraCharacteristics(id);
        Integer sensor = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
        Integer lens = facts.get(CameraCharacteristics.LENS_FACING);
        boolean front = lens != null && lens == CameraCharacteristics.LENS_FACING_FRONT;
        Size size = size(facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP));
        turn = Turn.upright(sensor == null ? 90 : sensor, display, front);
        reader = ImageReader.newInstance(size.getWidth(), size.getHeight(), ImageFormat.YUV_420_888, 2);
        reader.setOnImageAvailableListener(this::read, handler);
        manager.openCamera(id, new CameraDevice.StateCallback() {
            @Override
            public void onOpened(CameraDevice opened) {
                if (closed) {
                    opened.close();
                    return;
                }
                device = opened;
                guarded(() -> {
                    start(size);
                    listener.opened(size, sensor == null ? 90 : sensor, front);
                });
            }

            @Override
            public void onDisconnected(CameraDevice lost) {
                lost.close();
                fail();
            }

            @Override
            public void onError(CameraDevice broken, int error) {
                broken.close();
                fail();
            }
        }, handler);
    }

    /** The size nearest to 640 x 480: enough for any model here, and quick to read. */
    static Size size(StreamConfigurationMap map) {
        Size[] sizes = map == null ? null : map.getOutputSizes(ImageFormat.YUV_420_888);
        Size best = new Size(640, 480);
        long least = Long.MAX_VALUE;
        for (Size size : sizes == null ? new Size[0] : sizes) {
            long off = Math.abs((long) size.getWidth() * size.getHeight() - PIXELS);
            if (off < least) {
                least = off;
                best = size;
            }
        }
        return best;
    }

    @SuppressWarnings("deprecation") // the call that replaces it exists from API 28 on
    private void start(Size size) throws CameraAccessException {
        view.setDefaultBufferSize(size.getWidth(), size.getHeight());
        surface = new Surface(view);
        CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
        request.addTarget(surface);
        request.addTarget(reader.getSurface());
        request.set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE);
        List<Surface> surfaces = Arrays.asList(surface, reader.getSurface());
        device.createCaptureSession(surfaces, new CameraCaptureSession.StateCallback() {
            @Override
            public void onConfigured(CameraCaptureSession session) {
                guarded(() -> session.setRepeatingRequest(request.build(), null, handler));
            }

            @Override
            public void onConfigureFailed(CameraCaptureSession session) {
                fail();
            }
        }, handler);
    }

    private void read(ImageReader from) {
        try (Image image = from.acquireLatestImage()) {
            if (image == null || closed || !listener.wanted()) {
                return;
            }
            Image.Plane[] planes = image.getPlanes();
            YuvFrame frame = new YuvFrame(
                    image.getWidth(), image.getHeight(), plane(planes[0]), plane(planes[1]), plane(planes[2]));
            listener.frame(frame.square(turn));
        }
    }

    private static YuvFrame.Plane plane(Image.Plane plane) {
        return new YuvFrame.Plane(plane.getBuffer(), plane.getRowStride(), plane.getPixelStride());
    }

    private void fail() {
        release();
        if (!closed) {
            listener.failed();
        }
    }

    private void release() {
        if (device != null) {
            device.close();
            device = null;
        }
        if (reader != null) {
            reader.close();
            reader = null;
        }
        if (surface != null) {
            surface.release();
            surface = null;
        }
    }
}
