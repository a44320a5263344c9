package org.tfcompress.demo.store;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.tfcompress.demo.model.ModelException;

/** The models that can be chosen: those that came with the app, then those that the user opened. */
public final class ModelLibrary {
    private static final String FOLDER = "models";

    private final AssetManager assets;
    private final Importer importer;

    public ModelLibrary(Context context) {
        assets = context.getAssets();
        importer = new Importer(new File(context.getFilesDir(), FOLDER));
    }

    /** Bundled folders by name, then opened ones by name. */
    public List<ModelFolder> folders() {
        List<ModelFolder> found = new ArrayList<>();
        for (String name : bundled()) {
            AssetFolder folder = new AssetFolder(assets, FOLDER + "/" + name);
            if (folder.has(ModelFolder.MODEL)) {
                found.add(folder);
            }
        }
        found.addAll(importer.folders());
        return found;
    }

    private List<String> bundled() {
        try {
            TreeSet<String> names = new TreeSet<>();
            for (String path : assets.list(FOLDER)) {
                names.add(path.split("/")[0]); // Robolectric lists what lies deeper too
            }
            return new ArrayList<>(names);
        } catch (IOException none) {
            return new ArrayList<>();
        }
    }

    /** See {@link Importer#importFile}. */
    public ModelFolder importFile(String displayName, InputStream from) throws ModelException {
        return importer.importFile(displayName, from);
    }

    public boolean canDelete(ModelFolder folder) {
        return folder instanceof DiskFolder;
    }

    /** Removes a model that the user opened; a bundled one stays. */
    public void delete(ModelFolder folder) {
        if (folder instanceof DiskFolder) {
            importer.delete((DiskFolder) folder);
        }
    }
}
