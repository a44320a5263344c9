"""Small models of every type of input, and the compilers that their bundles go through."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from small_tflite import G, Op, T, build, small_graph

from converters.flatbuffer import FlatBuffer
from converters.microcontroller import bundle
from converters.microcontroller.bundle import Bundle

STRICT = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic"]
ARM = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]


def relu(dtype: str) -> bytes:
    """RELU on eight values: scales differ, so the outputs are not the inputs."""
    if dtype == "float32":
        return build(G([T("x", (1, 8), dtype), T("y", (1, 8), dtype)], [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))
    point = (0,) if dtype == "int16" else (-7,)
    tensors = [
        T("x", (1, 8), dtype, scales=(0.037,), zero_points=point),
        T("y", (1, 8), dtype, scales=(0.05,), zero_points=point),
    ]
    return build(G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))


def from_uint8() -> bytes:
    """uint8 in, int8 out."""
    tensors = [
        T("x", (1, 8), "uint8", scales=(0.037,), zero_points=(121,)),
        T("y", (1, 8), "int8", scales=(0.037,), zero_points=(-7,)),
    ]
    return build(G(tensors, [Op("QUANTIZE", ["x"], ["y"])], ["x"], ["y"]))


MODELS = {
    "int8": lambda: build(small_graph("int8")),
    "uint8": from_uint8,
    "int16": lambda: relu("int16"),
    "float32": lambda: relu("float32"),
}


@cache
def made(data: bytes, format_name: str = "cmake", *, name: str = "model_small") -> Bundle:
    return bundle.make(FlatBuffer(data), format_name, name=name, options=bundle.Options(count=3))


def laid_out(bundle_made: Bundle, folder: Path) -> Path:
    """Writes the bundle's files; returns the folder of its C++."""
    for name, content in bundle_made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return next(path.parent for path in folder.rglob("*_data.cpp"))


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def compile_host(sources: list[Path], output: Path, *options: str) -> None:
    command = [compiler("g++"), *STRICT, *options, *map(str, sources), "-o", str(output)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
