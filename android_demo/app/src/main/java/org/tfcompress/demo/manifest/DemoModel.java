package org.tfcompress.demo.manifest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tfcompress.demo.guard.Threads;
import org.tfcompress.demo.model.ModelException;
import org.tfcompress.demo.model.ModelFile;
import org.tfcompress.demo.model.Sha256;
import org.tfcompress.demo.model.TensorSpec;
import org.tfcompress.demo.store.ModelFolder;
import org.tfcompress.demo.store.Streams;

/** A model with all that its folder says of it, looked at but not yet loaded. */
public final class DemoModel {
    private static final int TEXT_BYTES = 16 << 20;
    private static final String[] BESIDE = {ModelFolder.COMPARE, ModelFolder.VECTORS, ModelFolder.LICENSE};
    private static final int MOST_LINES = 2_000_000;

    public final ModelFolder folder;

    /** Of the manifest, or the folder's name. */
    public final String title;

    /** The file: direct, in native byte order. Position 0; give others a duplicate. */
    public final ByteBuffer bytes;

    /** Of the file, in lower case. */
    public final String sha256;

    /** How the file computes: "int8", "float32" ...; see {@link ModelFile#kind()}. */
    public final String kind;

    /** Number of operators in the file. */
    public final int operators;

    public final List<TensorSpec> inputs;
    public final List<TensorSpec> outputs;
    public final Manifest manifest;

    /** A name per class; empty where there are none. */
    public final List<String> labels;

    /** What does not match, a sentence each. */
    public final List<String> warnings;

    /** Files beside the model that are there; looked for once, so that a screen can ask at any time. */
    private final Set<String> beside = new HashSet<>();

    private DemoModel(
            ModelFolder folder, ByteBuffer bytes, ModelFile file, String sha256, Manifest manifest, List<String> labels,
            List<String> warnings) throws ModelException {
        this.folder = folder;
        this.bytes = bytes;
        this.sha256 = sha256;
        this.kind = file.kind();
        this.operators = file.operators();
        this.inputs = file.inputs();
        this.outputs = file.outputs();
        this.manifest = manifest;
        this.title = manifest.title == null || manifest.title.trim().isEmpty() ? folder.name() : manifest.title;
        this.labels = Collections.unmodifiableList(labels);
        this.warnings = Collections.unmodifiableList(warnings);
        for (String path : BESIDE) {
            if (folder.has(path)) {
                beside.add(path);
            }
        }
    }

    /**
     * Reads a folder. Takes as long as reading the file does: never on the main thread.
     *
     * @throws ModelException the model or its manifest is damaged or not for this app
     */
    public static DemoModel read(ModelFolder folder) throws ModelException {
        Threads.background();
        try {
            ByteBuffer bytes = folder.map(ModelFolder.MODEL);
            ModelFile file = ModelFile.read(bytes);
            if (file.inputs().isEmpty()) {
                throw new ModelException("The model has no input, so there is nothing to try it with; export it anew.");
            }
            List<String> warnings = new ArrayList<>();
            String sha256 = Sha256.of(bytes);
            Manifest manifest = manifest(folder, file, sha256, warnings);
            List<String> labels = labels(folder);
            warnAboutLabels(labels, file.outputs().get(0), manifest, warnings);
            return new DemoModel(folder, bytes, file, sha256, manifest, labels, warnings);
        } catch (IOException error) {
            throw new ModelException(
                    "The model " + folder.name() + " cannot be read (" + error.getMessage() + ").", error);
        }
    }

    private static Manifest manifest(ModelFolder folder, ModelFile file, String sha256, List<String> warnings)
            throws IOException, ModelException {
        if (!folder.has(ModelFolder.MANIFEST)) {
            TensorSpec input = file.inputs().get(0);
            if (Guess.input(input) instanceof ImageInput && Guess.pixels(input) == null) {
                warnings.add("Without model.json the model's pixels are taken to be 0 to 1.");
            }
            return Manifest.guessed(Guess.input(input));
        }
        List<String> vocabulary = folder.has(ModelFolder.VOCABULARY) ? lines(folder, ModelFolder.VOCABULARY) : null;
        Manifest manifest = ManifestReader.read(Streams.text(folder, ModelFolder.MANIFEST, TEXT_BYTES), vocabulary);
        if (manifest.sha256 == null || manifest.sha256.equals(sha256)) {
            return manifest;
        }
        warnings.add("model.json was written for another model.tflite, so its report is left out; "
                + "export the model anew.");
        return manifest.withoutReport();
    }

    private static List<String> labels(ModelFolder folder) throws IOException, ModelException {
        if (!folder.has(ModelFolder.LABELS)) {
            return Collections.emptyList();
        }
        List<String> labels = lines(folder, ModelFolder.LABELS);
        for (int i = 0; i < labels.size(); i++) {
            labels.set(i, labels.get(i).trim());
        }
        while (!labels.isEmpty() && labels.get(labels.size() - 1).isEmpty()) {
            labels.remove(labels.size() - 1);
        }
        return labels;
    }

    /** Lines without their ends; a line end at the end of the file begins no further one. */
    private static List<String> lines(ModelFolder folder, String path) throws IOException, ModelException {
        String text = Streams.text(folder, path, TEXT_BYTES);
        List<String> lines = new ArrayList<>(Arrays.asList(text.split("\r?\n", -1)));
        if (lines.get(lines.size() - 1).isEmpty()) {
            lines.remove(lines.size() - 1);
        }
        if (lines.size() > MOST_LINES) {
            throw new ModelException(path + " has " + lines.size() + " lines, at most " + MOST_LINES + " are read.");
        }
        return lines;
    }

    private static void warnAboutLabels(
            List<String> labels, TensorSpec output, Manifest manifest, List<String> warnings) {
        int values = output.elements();
        boolean binary = values == 1 && labels.size() == 2;
        if (!labels.isEmpty() && labels.size() != values && !binary && manifest.output == Manifest.Output.CLASSES) {
            warnings.add("labels.txt has " + labels.size() + " names, but the model has " + values + " classes.");
        }
    }

    /** The same with another input, as the user chose it where model.json is missing. */
    public DemoModel withInput(InputSpec input) throws ModelException {
        return new DemoModel(folder, bytes, ModelFile.read(bytes), sha256, manifest.withInput(input), labels, warnings);
    }

    public boolean hasCompare() {
        return beside.contains(ModelFolder.COMPARE);
    }

    public boolean hasVectors() {
        return beside.contains(ModelFolder.VECTORS);
    }

    public boolean hasLicense() {
        return beside.contains(ModelFolder.LICENSE);
    }

    /**
     * The model that this one is compared with.
     *
     * @throws ModelException it is damaged, or has inputs or outputs of other shapes
     */
    public ByteBuffer compareBytes() throws ModelException {
        try {
            ByteBuffer other = folder.map(ModelFolder.COMPARE);
            ModelFile file = ModelFile.read(other);
            refuseOthers(ModelFolder.COMPARE, file.inputs(), file.outputs());
            return other;
        } catch (IOException error) {
            throw new ModelException("compare.tflite cannot be read (" + error.getMessage() + ").", error);
        }
    }

    /**
     * Refuses to be compared with a model of other shapes. Types may differ: a float form is compared with an integer
     * one.
     *
     * @param called what the user knows the other one as
     * @throws ModelException its inputs or outputs have other shapes
     */
    public void refuseOthers(String called, List<TensorSpec> theirInputs, List<TensorSpec> theirOutputs)
            throws ModelException {
        refuseOther(called + " takes ", theirInputs, "takes ", inputs);
        refuseOther(called + " gives ", theirOutputs, "gives ", outputs);
    }

    private static void refuseOther(String they, List<TensorSpec> theirs, String verb, List<TensorSpec> ours)
            throws ModelException {
        boolean same = theirs.size() == ours.size();
        for (int i = 0; same && i < ours.size(); i++) {
            same = Arrays.equals(theirs.get(i).shape(), ours.get(i).shape());
        }
        if (!same) {
            throw new ModelException(they + theirs + ", but the model " + verb + ours
                    + "; both need the same shapes to be compared.");
        }
    }
}
