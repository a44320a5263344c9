package org.tfcompress.demo.ui;

import org.tfcompress.demo.store.ModelFolder;

/** A model as the list of models shows it. */
public final class Listed {
    public final ModelFolder folder;

    /** Tells this folder from all others, also after a restart. */
    public final String key;

    public final String title;

    /** Type and size: "int8, 34,458 bytes"; or why it cannot run. */
    public final String detail;

    /** The user opened it, and may remove it. */
    public final boolean deletable;

    Listed(ModelFolder folder, String title, String detail, boolean deletable) {
        this.folder = folder;
        this.key = (deletable ? "opened/" : "bundled/") + folder.name();
        this.title = title;
        this.detail = detail;
        this.deletable = deletable;
    }
}
