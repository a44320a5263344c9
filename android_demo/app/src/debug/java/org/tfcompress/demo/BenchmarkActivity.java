package org.tfcompress.demo;

import android.app.Activity;

/** Benchmark by wire. */
public class BenchmarkActivity extends Activity {}
