package org.tfcompress.demo.ui;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.tfcompress.demo.compare.Comparison;
import org.tfcompress.demo.compare.Side;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.manifest.DemoModel;
import org.tfcompress.demo.manifest.Manifest;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.preprocess.Preprocessor;
import org.tfcompress.demo.runtime.RunOptions;
import org.tfcompress.demo.session.Listed;
import org.tfcompress.demo.session.Session;

/** Whom a model is compared with: the compare.tflite of its folder, or another model of the library. */
final class Opponent {
    private static final String OWN = "compare.tflite";
    private static final String NOBODY = "";

    private final String key;
    private final String title;

    /** Null for the compare.tflite of the model's own folder, and for nobody. */
    private final Listed other;

    /** It takes and gives the same shapes, as far as is known; a compare.tflite is there to do so. */
    final boolean fits;

    private Opponent(String key, String title, Listed other, boolean fits) {
        this.key = key;
        this.title = title;
        this.other = other;
        this.fits = fits;
    }

    /**
     * All that a model can be compared with, its own compare.tflite first. Where none of them fits, the first one is
     * nobody, so that nothing is tried before the user chooses.
     */
    static List<Opponent> all(DemoModel model, Session session, String ownTitle, String nobodysTitle) {
        List<Opponent> all = new ArrayList<>();
        if (model.hasCompare()) {
            all.add(new Opponent(OWN, ownTitle, null, true));
        }
        String shapes = ModelFile.shapes(model.inputs, model.outputs);
        for (Listed listed : session.models()) {
            if (session.chosen() == null || !listed.key.equals(session.chosen().key)) {
                String title = listed.title + ", " + listed.detail;
                all.add(new Opponent(listed.key, title, listed, listed.shapes.equals(shapes)));
            }
        }
        if (!all.isEmpty() && all.stream().noneMatch(each -> each.fits)) {
            all.add(0, new Opponent(NOBODY, nobodysTitle, null, false));
        }
        return all;
    }

    /** Tells it from all others of this model. */
    String key() {
        return key;
    }

    /** It stands for no choice yet. */
    boolean isNobody() {
        return key.equals(NOBODY);
    }

    /**
     * Runs both on the same input. Off the main thread.
     *
     * @param ownFile what to call the compare.tflite
     * @throws ModelException one of them cannot run, takes another kind of input, or has another number of outputs
     */
    Comparison compare(DemoModel model, TestInput input, String ownFile, BooleanSupplier cancelled)
            throws ModelException, IOException {
        Threads.background();
        float[] values = input.values(Preprocessor.of(model.manifest, model.inputs.get(0)));
        Side first = Side.run(
                model.title, model.bytes, model.manifest, model.labels, values, RunOptions.USUAL, cancelled);
        boolean classes = model.manifest.output == Manifest.Output.CLASSES;
        String called = other == null ? ownFile : other.title;
        try {
            Side second = other == null
                    ? own(model, values, ownFile, cancelled)
                    : another(model, DemoModel.read(other.folder), input, cancelled);
            return new Comparison(first, second, classes);
        } catch (ModelException error) {
            String sentence = error.getMessage();
            boolean named = sentence.startsWith(called);
            throw new ModelException(named ? sentence : called + ": " + sentence, error);
        }
    }

    private static Side own(DemoModel model, float[] values, String title, BooleanSupplier cancelled)
            throws ModelException {
        ByteBuffer bytes = model.compareBytes();
        return Side.run(title, bytes, model.manifest, model.labels, values, RunOptions.USUAL, cancelled);
    }

    private static Side another(DemoModel first, DemoModel second, TestInput input, BooleanSupplier cancelled)
            throws ModelException, IOException {
        first.refuseOthers(second.title, second.inputs, second.outputs);
        float[] values = input.values(Preprocessor.of(second.manifest, second.inputs.get(0)));
        return Side.run(
                second.title, second.bytes, second.manifest, second.labels, values, RunOptions.USUAL, cancelled);
    }

    @Override
    public boolean equals(Object that) {
        return that instanceof Opponent && key().equals(((Opponent) that).key()) && title.equals(that.toString());
    }

    @Override
    public int hashCode() {
        return key().hashCode();
    }

    /** What the list shows. */
    @Override
    public String toString() {
        return title;
    }
}
