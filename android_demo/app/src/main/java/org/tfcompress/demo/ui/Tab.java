package org.tfcompress.demo.ui;

import org.tfcompress.demo.R;

/** The tabs, in their order. A new screen is one line here. */
public enum Tab {
    CLASSIFY(R.string.tab_classify, R.drawable.ic_classify, ClassifyScreen::new),
    COMPARE(R.string.tab_compare, R.drawable.ic_compare, CompareScreen::new),
    BENCHMARK(R.string.tab_benchmark, R.drawable.ic_benchmark, BenchmarkScreen::new),
    ABOUT(R.string.tab_about, R.drawable.ic_about, AboutScreen::new);

    private interface Maker {
        Screen make(Host host);
    }

    final int title;
    final int icon;
    private final Maker maker;

    Tab(int title, int icon, Maker maker) {
        this.title = title;
        this.icon = icon;
        this.maker = maker;
    }

    /** A new screen for an activity. */
    public Screen screen(Host host) {
        return maker.make(host);
    }
}
