package org.tfcompress.demo.ui;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.net.Uri;
import android.os.Bundle;
import android.provider.Settings;
import java.util.ArrayList;

/** Remembers what was refused, so that a screen can tell "ask again" from "only in the settings". */
public final class Permissions {
    private static final String KEY = "refused";

    private final Activity activity;
    private final ArrayList<String> refused = new ArrayList<>();

    public Permissions(Activity activity, Bundle saved) {
        this.activity = activity;
        if (saved != null && saved.getStringArrayList(KEY) != null) {
            refused.addAll(saved.getStringArrayList(KEY));
        }
    }

    public boolean granted(String name) {
        return activity.checkSelfPermission(name) == PackageManager.PERMISSION_GRANTED;
    }

    /** Android asks the user; the answer comes to the activity with that code. */
    public void ask(String name, int code) {
        activity.requestPermissions(new String[] {name}, code);
    }

    /** Notes an answer. */
    public void answered(String name, boolean granted) {
        refused.remove(name);
        if (!granted) {
            refused.add(name);
        }
    }

    /** It was refused, and Android says that there is no use in explaining: it would not show its question again. */
    public boolean neverAsksAgain(String name) {
        return refused.contains(name) && !granted(name) && !activity.shouldShowRequestPermissionRationale(name);
    }

    /** This app's page in Android's settings; false if there is none. */
    public boolean openSettings() {
        Uri page = Uri.fromParts("package", activity.getPackageName(), null);
        try {
            activity.startActivity(new Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, page));
            return true;
        } catch (ActivityNotFoundException e) {
            return false;
        }
    }

    public void save(Bundle state) {
        state.putStringArrayList(KEY, refused);
    }
}
