package org.tfcompress.demo.session;

import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.store.ModelFolder;

/** A model as the list of models shows it. */
public final class Listed {
    public final ModelFolder folder;

    /** Tells this folder from all others, also after a restart. */
    public final String key;

    public final String title;

    /** Type and size: "int8, 34,458 bytes"; or why it cannot run. */
    public final String detail;

    /** Of {@link ModelFile#shapes}; empty where it cannot run. */
    public final String shapes;

    /** The user opened it, and may remove it. */
    public final boolean deletable;

    Listed(ModelFolder folder, String title, String detail, String shapes, boolean deletable) {
        this.folder = folder;
        this.key = (deletable ? "opened/" : "bundled/") + folder.name();
        this.title = title;
        this.detail = detail;
        this.shapes = shapes;
        this.deletable = deletable;
    }
}
