"""A `.tflite` file as a project for microcontrollers: the file to read first.

    made = bundle.make(flatbuffer, "cmake", name="resnet8")
    folder.write(Path("firmware"), made.files, bundle.FOLDER)

Same file, options and version: same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from converters import decode
from converters.child import Progress, no_progress
from converters.errors import ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown
from converters.folder import Kind
from converters.microcontroller import catalogue, identifiers, operators, vectors
from converters.microcontroller.catalogue import Format
from converters.microcontroller.rendering import Renderer, c_float
from converters.microcontroller.vectors import Vectors
from converters.runtimes import ports, tflm, tflm_arena
from converters.runtimes.ports import Array, Inputs, Port

# What building a bundle leaves in it.
_BUILT = frozenset({
    "build", ".pio", "managed_components", "sdkconfig", "sdkconfig.old", "dependencies.lock", ".vscode", ".cache",
})  # fmt: skip
FOLDER = Kind("bundle", "bundle.json", "firmware", _BUILT)
_SOURCES = (
    "data.h", "data.cpp", "io.h", "vectors.h", "vectors.cpp", "model.h", "model.cpp", "ticks.h", "ticks.cpp",
    "selftest.h", "selftest.cpp",
)  # fmt: skip
_C_TYPES = {
    **{name: f"std::{name}_t" for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")},
    "float32": "float",
    "bool": "bool",
}
_WITH_HELPERS = ("int8", "uint8", "int16")
# As C text it is six times as large, and no microcontroller holds more.
_MOST_BYTES = 32 << 20
_ALIGNMENT = 16


@dataclass(frozen=True)
class Options:
    """What can be chosen about a bundle.

    Attributes:
        count: test vectors.
        seed: of random inputs.
        margin_percent: what the arena gets on top of what was measured.
        origin: where given data come from, for the bundle's README.
    """

    count: int = 5
    seed: int = 0
    margin_percent: int = 10
    origin: str = "given arrays"


@dataclass(frozen=True)
class Arena:
    """The model's memory.

    Attributes:
        measured_bytes: what TFLM took on this host.
        given_bytes: that and the margin.
        margin_percent: the margin.
        runtime: what measured it.
    """

    measured_bytes: int
    given_bytes: int
    margin_percent: int
    runtime: str


@dataclass(frozen=True)
class Bundle:
    """The files of a project, and what is in them.

    Attributes:
        namespace: of the C++.
        format: the build system.
        files: path -> content.
        operators: methods of the resolver.
        arena: memory that it reserves.
        vectors: number of test vectors.
        model_bytes: size of the `.tflite`.
        sha256: of the `.tflite`.
        encoded: whether it holds DECODE operators.
    """

    namespace: str
    format: str
    files: Mapping[str, bytes]
    operators: tuple[str, ...]
    arena: Arena
    vectors: int
    model_bytes: int
    sha256: str
    encoded: bool

    def as_dict(self) -> dict[str, Any]:
        """The bundle with its documented JSON keys; of the files, the names."""
        found = asdict(self)
        return found | {"files": sorted(self.files), "operators": list(self.operators)}


def check(flatbuffer: FlatBuffer, chosen: Format) -> tuple[str, ...]:
    """Whether the file can go to this build system: the methods of its operators.

    Raises:
        ModelError: TFLM, or the TFLM that this build system has, cannot run it.
    """
    methods = operators.methods_for(flatbuffer)
    if flatbuffer.is_encoded and not chosen.decode:
        raise ModelError(
            f"the file is encoded (operator {decode.OPERATOR}), and no TFLM for {chosen.title} is known to have that "
            "operator; export a plain file, made with --decode off, or choose another format"
        )
    if missing := sorted(operators.names_in(flatbuffer) & set(chosen.lacks)):
        raise ModelError(
            f"the file has operator {missing[0]}, which the TFLM known for {chosen.title} has no kernel for; "
            "replace it in the model, or choose another format"
        )
    if operators.has_dense_per_channel(flatbuffer) and not chosen.dense_per_channel:
        raise ModelError(
            f"Dense weights of the file have a scale per channel, which the TFLM for {chosen.title} is too old for and "
            "computes wrongly; convert the model with --dense per-tensor, or choose another format"
        )
    if len(flatbuffer.data) > _MOST_BYTES:
        raise ModelError(f"the file has {len(flatbuffer.data):,} bytes; a bundle takes {_MOST_BYTES:,} at most")
    return methods


def make(
    flatbuffer: FlatBuffer,
    format_name: str,
    data: Inputs | Array | None = None,
    *,
    name: str,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> Bundle:
    """The files of a project that runs a `.tflite` file on a microcontroller.

    Args:
        flatbuffer: the file.
        format_name: one of `catalogue.names()`.
        data: samples `[n, ...]` in the float model's units for the test vectors; None for random ones.
        name: the namespace; see `identifiers`.
        options: what else can be chosen.
        progress: called with stage, done, total.

    Raises:
        ModelError: TFLM cannot run the file.
        UsageError: no such format, or an option out of its range.
    """
    options = options or Options()
    chosen, namespace = catalogue.find(format_name), identifiers.checked_namespace(name)
    if not 0 <= options.margin_percent <= 1000:
        raise UsageError(f"the arena's margin is {options.margin_percent} %; expected 0 to 1000")
    methods = check(flatbuffer, chosen)
    sides = {"inputs": ports.inputs_of(flatbuffer), "outputs": ports.outputs_of(flatbuffer)}
    described = {side: _described(side[:-1].title(), found) for side, found in sides.items()}
    progress("running the test vectors on TFLM", 0, 0)
    runs = vectors.make(
        flatbuffer, data, count=options.count, seed=options.seed, origin=options.origin, progress=progress
    )
    progress("measuring the arena", 0, 0)
    arena = _arena(flatbuffer.data, options.margin_percent)
    about = _about(flatbuffer, namespace)
    values = {
        "format": chosen,
        "ns": namespace,
        "macro": namespace.upper(),
        "model": about,
        "vectors": runs,
        "operators": methods,
        "arena": arena,
        **described,
    }
    return Bundle(
        namespace,
        format_name,
        _rendered(chosen, values),
        methods,
        arena,
        runs.count,
        len(flatbuffer.data),
        about["sha256"],
        about["encoded"],
    )


def _about(flatbuffer: FlatBuffer, namespace: str) -> dict[str, Any]:
    return {
        "name": namespace,
        "bytes": len(flatbuffer.data),
        "data": flatbuffer.data,
        "sha256": hashlib.sha256(flatbuffer.data).hexdigest(),
        "encoded": flatbuffer.is_encoded,
        "stateful": any(tensor.is_variable for graph in flatbuffer.graphs for tensor in graph.tensors),
    }


def _arena(data: bytes, margin_percent: int) -> Arena:
    counted = tflm_arena.measure(data)
    measured = max(counted.total_bytes, counted.smallest_bytes)
    given = -(-measured * (100 + margin_percent) // 100)
    return Arena(measured, -(-given // _ALIGNMENT) * _ALIGNMENT, margin_percent, tflm.describe())


def _described(title: str, found: Sequence[Port]) -> list[dict[str, Any]]:
    """Inputs or outputs as the templates take them."""
    described = []
    for number, port in enumerate(found):
        who = f"{title.lower()} '{shown(port.name)}'"
        if port.dtype not in _C_TYPES:
            raise ModelError(f"{who} is of type {port.dtype}, which TFLM's C++ has no type for")
        if port.scales.size > 1:
            raise ModelError(f"{who} has a scale per channel; a bundle takes one scale for all")
        helpers = port.is_quantized and port.dtype in _WITH_HELPERS
        limits = np.iinfo(port.dtype) if helpers else None
        if limits is not None and not limits.min <= int(port.zero_points[0]) <= limits.max:
            raise ModelError(f"{who} has zero point {port.zero_points[0]}, beyond {port.dtype}; the file is damaged")
        described.append({
            "title": title,
            "number": number,
            "label": identifiers.comment(port.name),
            "dtype": port.dtype,
            "c_type": _C_TYPES[port.dtype],
            "shape": str(list(port.shape)),
            "elements": max(1, _product(port.shape)),
            "scale": c_float(float(port.scales[0])) if helpers else None,
            "zero_point": int(port.zero_points[0]) if helpers else None,
        })  # fmt: skip
    return described


def _product(shape: Sequence[int]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def _rendered(chosen: Format, values: Mapping[str, Any]) -> dict[str, bytes]:
    renderer = Renderer(chosen.name, values)
    folder = renderer.text(chosen.source_folder)
    texts = {f"{folder}/{values['ns']}_{name}": renderer.file(f"{name}.j2") for name in _SOURCES}
    for path, template in chosen.files.items():
        texts[renderer.text(path)] = renderer.file(template)
    texts["README.md"] = renderer.file("README.md.j2", build=renderer.file("build.md.j2"))
    model: Mapping[str, Any] = values["model"]
    manifest = {
        "tfcompress_bundle": 1,
        "format": chosen.name,
        "namespace": values["ns"],
        "model_bytes": model["bytes"],
        "sha256": model["sha256"],
        "encoded": model["encoded"],
        "arena": asdict(values["arena"]),
        "operators": list(values["operators"]),
        "vectors": values["vectors"].count,
        "files": sorted([*texts, FOLDER.manifest]),
    }
    texts[FOLDER.manifest] = json.dumps(manifest, indent=2) + "\n"
    return {path: text.encode() for path, text in sorted(texts.items())}


__all__ = ["FOLDER", "Arena", "Bundle", "Options", "Vectors", "check", "make"]
