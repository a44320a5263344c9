package org.tfcompress.demo.device;

import android.annotation.TargetApi;
import android.content.Context;
import android.content.pm.PackageManager;
import android.os.Build;
import org.tfcompress.demo.measure.DeviceInfo;

/** The phone that the app runs on, by what Android tells of it. */
public final class ThisPhone implements DeviceInfo {
    private final String version;

    public ThisPhone(Context context) {
        version = versionOf(context);
    }

    @Override
    public String target() {
        String maker = known(Build.MANUFACTURER);
        String model = known(Build.MODEL);
        String name = model.startsWith(maker) ? model : (maker + " " + model).trim();
        return (name.isEmpty() ? "unknown phone" : name) + ", Android " + Build.VERSION.RELEASE;
    }

    @Override
    public String source() {
        return processor() + ", demo app " + version;
    }

    /** The app's version. */
    public String version() {
        return version;
    }

    /** The processor's name; before Android 12 only that of the board is known. */
    @TargetApi(Build.VERSION_CODES.S)
    public String processor() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            String named = (known(Build.SOC_MANUFACTURER) + " " + known(Build.SOC_MODEL)).trim();
            if (!named.isEmpty()) {
                return named;
            }
        }
        String board = known(Build.HARDWARE);
        return board.isEmpty() ? "unknown processor" : board;
    }

    private static String known(String told) {
        return told == null || told.equals(Build.UNKNOWN) ? "" : told.trim();
    }

    private static String versionOf(Context context) {
        try {
            return context.getPackageManager().getPackageInfo(context.getPackageName(), 0).versionName;
        } catch (PackageManager.NameNotFoundException impossible) { // it is this app
            throw new IllegalStateException(impossible);
        }
    }
}
