"""Small models in every form that the toolkit makes, and what Python's LiteRT makes of inputs to them."""

from __future__ import annotations

import hashlib
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from golden_preprocessing import Array, packed
from small_tflite import G, Op, T, build, model, pack

from converters.flatbuffer import FlatBuffer, prefix
from converters.runtimes import litert, ports
from converters.shrink import shrink

# Name -> dtype, io and what else `tfcompress.convert` is asked for.
FORMS: dict[str, dict[str, Any]] = {
    "float32": {"dtype": "float32"},
    "float16": {"dtype": "float16"},
    "dynamic": {"dtype": "dynamic"},
    "dynamic_per_channel": {"dtype": "dynamic", "dense": "per-channel"},  # 2.19 runs it, the app's 2.16.1 not
    "int8": {"dtype": "int8"},
    "uint8": {"dtype": "int8", "io": "uint8"},
    "int16x8": {"dtype": "int16x8"},
}
_TWO_FORMS = ("float32", "int8")
# A softmax stretches a step of its input over several of its output: this is the file without it.
_LOGITS = "int16x8_logits"
RUN = [*FORMS, _LOGITS, *(f"two_{name}" for name in _TWO_FORMS)]
KERNELS: tuple[litert.Kernels, ...] = ("builtin", "default")
VECTORS = 20


def convert_all(folder: Path) -> None:
    """Trains on scikit-learn's digits, converts to every form, and writes files that cannot run."""
    from tfcompress import demo
    from tfcompress.conversion import convert

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        demo.prepare(Path(work))
        for name, asked in FORMS.items():
            made = convert(Path(work) / "digits.keras", Path(work) / "digits.npz", **asked)
            (folder / f"{name}.tflite").write_bytes(made.flatbuffer.data)
    (folder / f"{_LOGITS}.tflite").write_bytes(_without_last(folder / "int16x8.tflite"))
    network = _two_inputs()
    for name in _TWO_FORMS:
        made = convert(network, _two_inputs_data(), dtype=name)
        (folder / f"two_{name}.tflite").write_bytes(made.flatbuffer.data)
    data = np.random.default_rng(6).normal(0, 1, (50, 64)).astype(np.float32)
    made = convert(_sparse(), data, runtime="tflm", decode="huffman")
    (folder / "encoded.tflite").write_bytes(made.flatbuffer.data)
    for name, data in (hostile() | shrunk((folder / "int8.tflite").read_bytes())).items():
        (folder / f"{name}.tflite").write_bytes(data)


def _without_last(file: Path) -> bytes:
    model = prefix.parse(file.read_bytes())
    return prefix.first(model, len(model.subgraphs[0].operators) - 1)


def _two_inputs() -> Any:
    import keras

    keras.utils.set_random_seed(1)
    left = keras.Input((3,), name="left")
    right = keras.Input((2, 2), name="right")
    both = keras.layers.Concatenate()([left, keras.layers.Flatten()(right)])
    hidden = keras.layers.Dense(8, activation="relu")(both)
    outputs = [keras.layers.Dense(4)(hidden), keras.layers.Dense(2, activation="sigmoid")(hidden)]
    return keras.Model([left, right], outputs)


def _sparse() -> Any:
    """A model whose weights are worth encoding: most of them are 0."""
    import keras

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64)])
    random = np.random.default_rng(6)
    kernel = np.where(random.random((64, 64)) < 0.9, 0, random.normal(0, 1, (64, 64)))
    model.set_weights([kernel.astype(np.float32), np.zeros(64, np.float32)])
    return model


def hostile() -> dict[str, bytes]:
    """Files that are whole, but that no phone runs."""

    def one(operator: str) -> G:
        tensors = [T("x", [1, 4], "float32"), T("y", [1, 4], "float32")]
        return G(tensors, [Op(operator, ["x"], ["y"])], ["x"], ["y"])

    later = model(one("RELU"))
    later.operatorCodes[0].version = 99
    unknown = model(one("RELU"))
    unknown.operatorCodes[0].deprecatedBuiltinCode, unknown.operatorCodes[0].builtinCode = 127, 250
    text = G([T("x", [1], "string"), T("y", [1], "string")], [Op("RELU", ["x"], ["y"])], ["x"], ["y"])
    apart = G(
        [T("x", [1, 4], "float32"), T("z", [1, 3], "float32", 1.0), T("y", [1, 4], "float32")],
        [Op("ADD", ["x", "z"], ["y"], ("AddOptions", {}))],
        ["x"],
        ["y"],
    )
    return {
        "custom": build(one("MysteryOperator")),
        "flex": build(one("FlexErf")),
        "later": pack(later),
        "unknown": pack(unknown),
        "text": build(text),
        "apart": build(apart),
    }


def shrunk(int8: bytes) -> dict[str, bytes]:
    """Files that are shrunk for TFLM, so that no phone runs them, one for each thing that is left out."""
    dense = [
        T("x", [1, 2], "int8", scales=[0.5], zero_points=[0]),
        T("w", [1, 2], "int8", [[1, 2]], scales=[0.25], zero_points=[0]),
        T("b", [1], "int32", [3]),
        T("y", [1, 1], "int8", scales=[0.5], zero_points=[0]),
    ]
    flat = [T("x", [1, 4], "float32"), T("s", [2], "int32", [2, 2]), T("r", [2, 2], "float32")]
    reshape = Op("RESHAPE", ["x", "s"], ["r"], ("ReshapeOptions", {"newShape": [2, 2]}))
    files = {
        "shrunk": int8,
        "shrunk_bias": build(
            G(dense, [Op("FULLY_CONNECTED", ["x", "w", "b"], ["y"], ("FullyConnectedOptions", {}))], ["x"], ["y"])
        ),
        "shrunk_reshape": build(
            G([*flat, T("y", [2, 2], "float32")], [reshape, Op("TANH", ["r"], ["y"])], ["x"], ["y"])
        ),
    }
    return {name: shrink(FlatBuffer(data), engine="tflm").data for name, data in files.items()}


def runs(folder: Path, name: str) -> dict[str, Any]:
    """Real inputs, the tensors' bytes that they become, and both kernel sets' outputs, as vectors.json has them."""
    flatbuffer = FlatBuffer((folder / f"{name}.tflite").read_bytes())
    inputs = ports.inputs_of(flatbuffer)
    reals = [data[:VECTORS] for data in _two_inputs_data()] if name.startswith("two") else _digits()
    stored = [port.to_file(real) for port, real in zip(inputs, reals, strict=True)]
    made: dict[str, Any] = {
        "format": 1,
        "sha256": hashlib.sha256(flatbuffer.data).hexdigest(),
        "tolerance": _tolerance(flatbuffer),
        "reals": [[packed(real[i]) for real in reals] for i in range(VECTORS)],
        "kernels": {},
    }
    for kernels in KERNELS:
        outputs = litert.run(flatbuffer.data, stored, kernels=kernels, raw=True)
        vectors = [
            {"inputs": [packed(array[i]) for array in stored], "outputs": [packed(array[i]) for array in outputs]}
            for i in range(VECTORS)
        ]
        made["kernels"][kernels] = {"runtime": litert.describe(kernels, threads=1), "vectors": vectors}
    return made


def _tolerance(flatbuffer: FlatBuffer) -> dict[str, int]:
    """More than one step only where a 16-bit softmax ends the file, whose kernels differ from version to version.

    A step of one of its inputs, s_in, moves an output by s_in * p (1 - p), a quarter of s_in at most.
    """
    last, allowed = flatbuffer.operators[-1], {}
    for tensor in flatbuffer.outputs:
        if tensor.is_quantized:
            stretched = float(flatbuffer.tensors[last.inputs[0]].scales[0]) / 4 / float(tensor.scales[0])
            softmax = last.name == "SOFTMAX" and tensor.dtype == "int16"
            allowed[tensor.dtype] = math.ceil(stretched) if softmax else 1
    return allowed


def _digits() -> list[Array]:
    from sklearn.datasets import load_digits

    images = load_digits().images[1000 : 1000 + VECTORS]
    return [(images / 16.0).astype(np.float32)[..., None]]


def _two_inputs_data() -> list[Array]:
    random = np.random.default_rng(5)
    return [random.normal(0, 1, (200, 3)).astype(np.float32), random.normal(0, 2, (200, 2, 2)).astype(np.float32)]
