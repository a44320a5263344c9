"""Writes and loads model files, harmless and hostile, in a child process: `sample_files:write_here` and so on."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any


def write_here(folder: str, *, progress: Any) -> None:
    """Writes every sample that needs a Keras or TensorFlow to write it. Canaries go to <name of the sample>.canary."""
    root = Path(folder)
    _write_keras_3(root)
    _write_tf_keras(root)
    _write_saved_models(root)
    _write_tf1(root)
    _redirect_saver(root)
    _write_names(root)
    for canary in root.glob("*.canary"):
        canary.unlink()  # building a model with a Lambda runs it once


def load_here(folder: str, name: str, allow_code: bool, need_layers: bool, *, progress: Any) -> dict[str, Any]:
    """Checks, loads and calls one sample; says what came out of it, or the error, and whether the canary appeared."""
    from converters.errors import CompressionError
    from converters.keras_models import load, safety

    path = Path(folder, name)
    outcome: dict[str, Any] = {"error": "", "message": ""}
    try:
        model = load.load(safety.check(path, allow_code=allow_code), need_layers=need_layers, allow_code=allow_code)
        outcome |= _describe(model)
    except CompressionError as error:
        outcome |= {"error": type(error).__name__, "message": str(error)}
    return outcome | {"canary": canary_of(path).exists()}


def load_all_here(folder: str, cases: list[Any], *, progress: Any) -> list[dict[str, Any]]:
    """`load_here` for a list of (name, allow_code, need_layers), in one process."""
    return [load_here(folder, *case, progress=progress) for case in cases]


def check_damaged_here(folder: str, names: list[str], count: int, *, progress: Any) -> list[str]:
    """Checks `count` damaged copies of each file; returns the outcomes: the kind found, or the error's class."""
    from converters.errors import CompressionError
    from converters.keras_models import safety

    generator = random.Random(7)
    damaged = Path(folder, "damaged")
    outcomes = []
    for name in names:
        source = Path(folder, name)
        part = source / "saved_model.pb" if source.is_dir() else source
        target = damaged
        if source.is_dir():
            damaged_folder = Path(folder, "damaged_folder")
            damaged_folder.mkdir(exist_ok=True)
            target = damaged_folder / "saved_model.pb"
        for _ in range(count):
            target.write_bytes(_damage(part.read_bytes(), generator))
            try:
                found = safety.check(target.parent if source.is_dir() else target).kind
            except CompressionError as error:
                found = type(error).__name__
                if "\n" in str(error):
                    found = f"an error of several lines: {error}"
            outcomes.append(f"{name}: {found}")
    return outcomes


def canary_of(path: Path) -> Path:
    """The file that a hostile sample would write."""
    return path.parent / f"{path.name}.canary"


def _damage(data: bytes, generator: random.Random) -> bytes:
    if generator.random() < 0.2:
        return data[: generator.randrange(len(data))]
    changed = bytearray(data)
    # Structure stands at the ends of these formats, so half of the damage goes there.
    for _ in range(generator.choice((1, 4, 32))):
        span = len(changed) if generator.random() < 0.5 else min(len(changed), 2048)
        place = generator.randrange(span)
        changed[place if generator.random() < 0.5 else -1 - place] = generator.randrange(256)
    return bytes(changed)


def _describe(model: Any) -> dict[str, Any]:
    import numpy as np

    if hasattr(model, "function"):
        inputs = {spec.name: np.ones((1, *spec.shape), spec.dtype) for spec in model.inputs}
        results = model.function(**inputs)
        return {"kind": "graph", "outputs": {name: np.asarray(value) for name, value in results.items()}}
    result = model(np.ones((1, *model.inputs[0].shape[1:]), "float32"))
    library = type(model).__module__.partition(".")[0]
    return {"kind": library, "outputs": {"": np.asarray(result)}}


def _touching(path: Path) -> Any:
    """A function of one tensor that writes the canary; without a closure, so that its bytecode is all there is."""
    code = f"lambda x: (open({str(canary_of(path))!r}, 'w').close(), x)[1]"
    return eval(code)


def _small(library: Any, *middle: Any) -> Any:
    layers = library.layers
    inputs = library.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2")(inputs)
    x = layers.BatchNormalization()(x)
    for layer in middle:
        x = layer(x)
    return library.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))


def _write_keras_3(root: Path) -> None:
    import keras

    def own_loss(truth: Any, guess: Any) -> Any:
        return keras.ops.mean(truth - guess)

    @keras.saving.register_keras_serializable("house")
    class Doubling(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    model = _small(keras, lambda x: keras.ops.sigmoid(x * 2)[:, 1:])
    model.compile("adam", own_loss)
    model.save(root / "keras3.keras")
    model.export(root / "keras3_export", verbose=False)
    model.save_weights(root / "only.weights.h5")
    _small(keras).save(root / "keras3.h5")
    _small(keras, Doubling()).save(root / "own_layer.keras")
    _small(keras, keras.layers.Lambda(_touching(root / "lambda3.keras"))).save(root / "lambda3.keras")


def _write_tf_keras(root: Path) -> None:
    import h5py
    import tensorflow as tf
    import tf_keras

    def own_loss(truth: Any, guess: Any) -> Any:
        return tf.reduce_mean(truth - guess)

    model = _small(tf_keras, lambda x: tf.nn.sigmoid(x * 2)[:, 1:])
    model.compile("adam", own_loss)
    model.save(root / "tf_keras.keras")
    model.save(root / "tf_keras.h5")
    model.save(root / "tf_keras_folder", save_format="tf")
    _small(tf_keras, tf_keras.layers.DepthwiseConv2D(3)).save(root / "old.h5")
    with h5py.File(root / "old.h5", "r+") as file:
        # As TensorFlow 2.4 wrote it: Keras 3 refuses the `groups` of a DepthwiseConv2D.
        config = json.loads(file.attrs["model_config"])
        layer = next(layer for layer in config["config"]["layers"] if layer["class_name"] == "DepthwiseConv2D")
        layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"
    for name in ("lambda2.keras", "lambda2.h5"):
        _small(tf_keras, tf_keras.layers.Lambda(_touching(root / name))).save(root / name)
    words = tf_keras.Input((12,))
    x = tf_keras.layers.Bidirectional(tf_keras.layers.GRU(4))(tf_keras.layers.Embedding(5, 3)(words))
    tf_keras.Model(words, tf_keras.layers.Dense(2, activation="gelu")(x)).save(root / "recurrent", save_format="tf")
    hidden = _small(tf_keras, tf_keras.layers.Lambda(_touching(root / "lambda_folder")))
    hidden.save(root / "lambda_folder", save_format="tf")


def _write_saved_models(root: Path) -> None:
    import numpy as np
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(1)

    def save(name: str, compute: Any) -> None:
        class Module(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weights = tf.Variable(tf.ones([3, 2]))
                self.generator = generator  # a SavedModel must own what its functions use

            @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
            def __call__(self, x: Any) -> Any:
                return compute(x) @ self.weights

        tf.saved_model.save(Module(), str(root / name))

    def writes(x: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(str(canary_of(root / "writes_file")), "gone")]):
            return tf.identity(x)

    def prints(x: Any) -> Any:
        with tf.control_dependencies([tf.print("gone", output_stream=f"file://{canary_of(root / 'prints')}")]):
            return tf.identity(x)

    def restores(x: Any) -> Any:
        return (
            x + tf.raw_ops.RestoreV2(prefix="/etc/x", tensor_names=["w"], shape_and_slices=[""], dtypes=[tf.float32])[0]
        )

    save("plain", lambda x: x)
    save("writes_file", writes)
    save("prints", prints)
    save("restores", restores)
    save("python", lambda x: tf.reshape(tf.py_function(lambda value: value, [x], tf.float32), [-1, 3]))
    save("random", lambda x: x + generator.normal([3]))
    save("numpy", lambda x: tf.reshape(tf.numpy_function(np.sin, [x], tf.float32), [-1, 3]))


def _write_tf1(root: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        weights = tf.compat.v1.get_variable("w", [3, 2], use_resource=False)
        y = x @ weights @ tf.compat.v1.get_variable("v", [2, 2], use_resource=True)
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(root / "tf1"), {"x": x}, {"y": y})


def _write_names(root: Path) -> None:
    """All layers that the two Kerases have now, for a test of the lists."""
    import inspect

    import keras
    import tf_keras

    names = {
        name for library in (keras, tf_keras) for name, item in vars(library.layers).items() if inspect.isclass(item)
    }
    (root / "layers.json").write_text(json.dumps(sorted(names)))


def _redirect_saver(root: Path) -> None:
    """Two copies of `plain` whose savers were turned against it."""
    import shutil

    from tensorflow.core.protobuf import saved_model_pb2

    shutil.copytree(root / "plain", root / "cut_variables")
    variables = next((root / "cut_variables").rglob("variables.data*"))
    variables.write_bytes(variables.read_bytes()[:-8])
    for name in ("restores_elsewhere", "saves_when_called"):
        shutil.copytree(root / "plain", root / name)
        path = root / name / "saved_model.pb"
        model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        graph = model.meta_graphs[0]
        if name == "restores_elsewhere":
            for function in graph.graph_def.library.function:
                for node in function.node_def:
                    if node.op == "RestoreV2":
                        constant = next(other for other in function.node_def if other.op == "Const")
                        node.input[0] = f"{constant.name}:output:0"
        else:
            graph.signature_def["serving_default"].outputs["output_0"].name = graph.saver_def.save_tensor_name
        path.write_bytes(model.SerializeToString())
