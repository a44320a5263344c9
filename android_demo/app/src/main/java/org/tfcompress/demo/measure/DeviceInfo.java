package org.tfcompress.demo.measure;

/** What a report says of the phone and of the app that measured. */
public interface DeviceInfo {
    /** Maker, model and Android version: "Google Pixel 8, Android 14". */
    String target();

    /** Processor, app and version: "Google Tensor G3, demo app 0.1.0". */
    String source();
}
