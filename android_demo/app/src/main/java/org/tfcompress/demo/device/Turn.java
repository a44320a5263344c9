package org.tfcompress.demo.device;

/** How a camera's pictures have to be turned. Angles are degrees clockwise. */
public final class Turn {
    private Turn() {}

    /**
     * The angle by which a frame must be turned to stand upright on the display.
     *
     * @param sensor SENSOR_ORIENTATION of the camera: 0, 90, 180 or 270
     * @param display by how much the display is turned from the phone's natural position: 0, 90, 180 or 270
     */
    public static int upright(int sensor, int display, boolean front) {
        return front ? (sensor + display) % 360 : (sensor - display + 360) % 360;
    }
}
