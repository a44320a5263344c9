package org.tfcompress.demo.ui;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.graphics.Matrix;
import android.graphics.SurfaceTexture;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.provider.Settings;
import android.view.Surface;
import android.view.TextureView;
import android.view.View;
import android.widget.ImageView;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowCameraCharacteristics;
import org.tfcompress.demo.R;

/** A model of colour pictures. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = Screens.PHONE)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ImagePanelTest {
    @Rule
    public final OffMainThread rule = new OffMainThread();

    private App app;

    @Before
    public void start() throws Exception {
        App.has("photos");
        PackageManager packages = RuntimeEnvironment.getApplication().getPackageManager();
        shadowOf(packages).setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, true);
        app = App.start();
    }

    private void answerPermission(boolean granted, boolean mayAskAgain) {
        shadowOf(app.activity().getPackageManager())
                .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, mayAskAgain);
        if (granted) {
            shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA);
        }
        app.activity().onRequestPermissionsResult(
                Tab.CLASSIFY.ordinal(),
                new String[] {Manifest.permission.CAMERA},
                new int[] {granted ? PackageManager.PERMISSION_GRANTED : PackageManager.PERMISSION_DENIED});
        app.settle();
    }

    @Test
    public void samplesAreShownSmallAndClassified() throws Exception {
        app.shot("classify-image-empty");
        app.touch("Sample flower");
        assertEquals("flower", app.text(R.id.result_first));
        app.touch("Sample temple");
        assertEquals("temple", app.text(R.id.result_first));
        assertNotNull(((ImageView) app.view(R.id.image_still)).getDrawable());
        app.shot("classify-image");
        app.turn(Screens.LYING);
        app.shot("classify-image-lying");
        assertEquals("temple", app.text(R.id.result_first));
    }

    @Test
    public void aPickedPictureIsClassified() {
        app.touch("Pick a picture").pick(App.document("mine.png", App.resource("photos/samples/flower.png")));
        assertEquals("flower", app.text(R.id.result_first));
        assertTrue(app.view(R.id.image_still).isShown());
    }

    @Test
    public void aPickedPictureIsTakenThoughAndroidEndedTheAppMeanwhile() {
        app.touch("Pick a picture");
        app.session().open(app.session().chosen()); // as at a new start: the model is not there yet
        app.pick(App.document("mine.png", App.resource("photos/samples/flower.png")));
        assertEquals("flower", app.text(R.id.result_first));
    }

    @Test
    public void whatIsNoPictureIsSaid() {
        app.touch("Pick a picture").pick(App.document("mine.png", new byte[] {1, 2, 3}));
        assertEquals("The picture cannot be read; pick a PNG, JPEG or WebP file.", app.text(R.id.say));
        assertNull(app.session().outcome());
    }

    @Test
    public void aRefusedCameraSaysWhyItIsNeededAndAsksAgain() throws Exception {
        app.touch("Use the camera");
        String[] asked = shadowOf(app.activity()).getLastRequestedPermission().requestedPermissions;
        assertEquals(Manifest.permission.CAMERA, asked[0]);
        answerPermission(false, true);
        assertTrue(app.text(R.id.ask_text), app.text(R.id.ask_text).startsWith("Without the camera"));
        app.shot("classify-camera-refused");
        app.touch("Allow");
        app.touch("Sample flower");
        assertEquals("flower", app.text(R.id.result_first));
    }

    @Test
    public void aCameraRefusedForGoodLeadsToTheSettings() {
        app.touch("Use the camera");
        answerPermission(false, false);
        app.touch("Open settings");
        Intent opened = shadowOf(app.activity()).getNextStartedActivity();
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, opened.getAction());
        assertEquals("package:org.tfcompress.demo", opened.getDataString());
    }

    @Test
    public void aPhoneWithoutACameraIsTold() {
        shadowOf(app.activity().getPackageManager()).setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, false);
        app.touch("Use the camera");
        assertTrue(app.text(R.id.ask_text), app.text(R.id.ask_text).startsWith("This phone has no camera"));
    }

    @Test
    public void aCameraThatFailsIsToldAndNotTriedForEver() {
        answerPermission(true, true);
        TextureView live = app.view(R.id.image_live);
        assertEquals(View.VISIBLE, live.getVisibility());
        // No camera is there to be opened.
        live.getSurfaceTextureListener().onSurfaceTextureAvailable(new SurfaceTexture(0), 560, 560);
        await(() -> app.text(R.id.ask_text).startsWith("The camera cannot be used now"));
        assertFalse(app.session().inputs().live());
    }

    @Test
    public void theCameraIsOpenedAndLetGoWithTheScreen() throws Exception {
        CameraCharacteristics facts = ShadowCameraCharacteristics.newCameraCharacteristics();
        shadowOf(facts).set(CameraCharacteristics.LENS_FACING, CameraCharacteristics.LENS_FACING_BACK);
        shadowOf(facts).set(CameraCharacteristics.SENSOR_ORIENTATION, 90);
        CameraManager cameras = (CameraManager) app.activity().getSystemService(Context.CAMERA_SERVICE);
        shadowOf(cameras).addCamera("0", facts);
        answerPermission(true, true);
        TextureView live = app.view(R.id.image_live);
        live.getSurfaceTextureListener().onSurfaceTextureAvailable(new SurfaceTexture(0), 560, 560);
        await(() -> live.getTransform(null) != null && !live.getTransform(null).isIdentity());
        assertTrue(app.session().inputs().live());
        Matrix upright = live.getTransform(null);
        // Turned over, which makes no new activity.
        shadowOf(app.activity().getWindowManager().getDefaultDisplay()).setRotation(Surface.ROTATION_180);
        app.settle();
        live.getSurfaceTextureListener().onSurfaceTextureAvailable(new SurfaceTexture(0), 560, 560);
        await(() -> !live.getTransform(null).equals(upright));
        app.touch("Stop the camera");
        assertFalse(app.session().inputs().live());
        assertEquals(View.GONE, live.getVisibility());
    }

    private void await(java.util.function.BooleanSupplier what) {
        for (int i = 0; i < 500 && !what.getAsBoolean(); i++) {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            app.settle();
        }
        assertTrue(app.text(), what.getAsBoolean());
    }
}
