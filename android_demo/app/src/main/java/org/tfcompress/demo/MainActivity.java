package org.tfcompress.demo;

import android.app.Activity;

/** The app. */
public class MainActivity extends Activity {}
