package org.tfcompress.demo.session;

import android.content.Context;
import android.content.SharedPreferences;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.tfcompress.demo.R;
import org.tfcompress.demo.check.Checker;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Guess;
import org.tfcompress.demo.manifest.Json;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.runtime.Pipeline;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.store.DiskFolder;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.store.ModelLibrary;
import org.tfcompress.demo.store.Streams;
import org.tfcompress.demo.text.Figures;

/** Lists, opens, brings in and removes models. All of it opens files: off the main thread only. */
final class Loader {
    private static final String LAST = "last";
    private static final String PIXELS = "pixels/";
    private static final int MANIFEST_BYTES = 16 << 20;

    private final Context context;
    private ModelLibrary library;
    private SharedPreferences kept;

    Loader(Context context) {
        this.context = context;
    }

    private ModelLibrary library() {
        Threads.background();
        if (library == null) {
            library = new ModelLibrary(context);
        }
        return library;
    }

    private SharedPreferences kept() {
        Threads.background();
        if (kept == null) {
            kept = context.getSharedPreferences("models", Context.MODE_PRIVATE);
        }
        return kept;
    }

    /** All models that can be chosen. */
    List<Listed> list() {
        List<Listed> all = new ArrayList<>();
        for (ModelFolder folder : library().folders()) {
            all.add(listed(folder));
        }
        return all;
    }

    private String title(ModelFolder folder) {
        try {
            if (folder.has(ModelFolder.MANIFEST)) {
                String text = Streams.text(folder, ModelFolder.MANIFEST, MANIFEST_BYTES);
                String title = Json.object(text, ModelFolder.MANIFEST).optString("title").trim();
                return title.isEmpty() ? folder.name() : title;
            }
        } catch (IOException | ModelException e) {
            return folder.name(); // opening it says what is wrong
        }
        return folder.name();
    }

    private Listed listed(ModelFolder folder) {
        boolean deletable = library().canDelete(folder);
        try {
            ByteBuffer bytes = folder.map(ModelFolder.MODEL);
            ModelFile file = ModelFile.read(bytes);
            String size = new Figures(context).exactBytes(bytes.remaining());
            String detail = context.getString(R.string.kind_and_size, file.kind(), size);
            String shapes = ModelFile.shapes(file.inputs(), file.outputs());
            return new Listed(folder, title(folder), detail, shapes, deletable);
        } catch (IOException | ModelException e) {
            return new Listed(folder, title(folder), context.getString(R.string.cannot_run), "", deletable);
        }
    }

    /** The model that was shown last; the first one where that is gone; null where there is none. */
    Listed last(List<Listed> all) {
        String key = kept().getString(LAST, null);
        for (Listed each : all) {
            if (each.key.equals(key)) {
                return each;
            }
        }
        return all.isEmpty() ? null : all.get(0);
    }

    /** Loads a model and allocates its tensors. */
    Opened open(Listed listed) throws ModelException {
        DemoModel model = DemoModel.read(listed.folder);
        String pixels = kept().getString(PIXELS + listed.key, null);
        if (pixels != null && model.manifest.guessed) {
            model = model.withInput(Guess.image(model.inputs.get(0), Guess.Pixels.valueOf(pixels)));
        }
        Preprocessor preprocessor = Preprocessor.of(model.manifest, model.inputs.get(0));
        Opened opened = new Opened(model, preprocessor, new Pipeline(model, RunOptions.USUAL));
        // Not before: a model that ends the app would do so at each start.
        kept().edit().putString(LAST, listed.key).apply();
        return opened;
    }

    /** Remembers how the pixels of a model without model.json are scaled. */
    void scale(Listed listed, Guess.Pixels pixels) {
        kept().edit().putString(PIXELS + listed.key, pixels.name()).apply();
    }

    /**
     * Takes in a file from outside, once it was seen to run in a process of its own.
     *
     * @throws ModelException it is no model, or cannot run here; nothing of it is kept
     */
    ModelFolder bring(Uri from) throws ModelException, IOException {
        ModelFolder folder;
        try (InputStream in = context.getContentResolver().openInputStream(from)) {
            if (in == null) {
                throw new IOException(context.getString(R.string.gone));
            }
            folder = library().importFile(displayName(from), in);
        } catch (SecurityException e) {
            throw new IOException(context.getString(R.string.gone), e);
        }
        try {
            File place = ((DiskFolder) folder).file();
            new Checker(context).check(new File(place, ModelFolder.MODEL));
            if (folder.has(ModelFolder.COMPARE)) {
                new Checker(context).check(new File(place, ModelFolder.COMPARE));
            }
            return folder;
        } catch (ModelException | IOException | RuntimeException e) {
            library().delete(folder);
            throw e;
        }
    }

    private String displayName(Uri from) {
        try (Cursor cursor = context.getContentResolver()
                .query(from, new String[] {OpenableColumns.DISPLAY_NAME}, null, null, null)) {
            if (cursor != null && cursor.moveToFirst() && cursor.getString(0) != null) {
                return cursor.getString(0);
            }
        }
        String name = from.getLastPathSegment();
        return name == null ? "model.tflite" : name;
    }

    /** Removes a model that the user opened. */
    void delete(Listed listed) {
        kept().edit().remove(PIXELS + listed.key).apply();
        library().delete(listed.folder);
    }
}
