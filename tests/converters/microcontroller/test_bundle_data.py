"""What firmware relies on: the C++ data are the file, its scales and TFLM's own outputs; strict compilers take them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from bundle_checks import ARM, MODELS, STRICT, compile_host, compiler, laid_out, made

from converters.flatbuffer import FlatBuffer
from converters.runtimes import ports, quantized_io, tflm, timing

# What needs no TFLM.
PLAIN = ["data", "vectors", "ticks", "selftest"]

PROBE = """
#include <cstdio>
#include <vector>
#include "model_small_data.h"
#include "model_small_io.h"
#include "model_small_vectors.h"
using namespace model_small;

static void Dump(const void* data, std::size_t size) { std::fwrite(data, 1, size, stdout); }

int main() {
  if (reinterpret_cast<std::uintptr_t>(kModelData) % 16 != 0) return 1;
  for (std::size_t i = 0; i < kVectorCount; ++i) {
    if (reinterpret_cast<std::uintptr_t>(kVectorInputs[i][0].data) % 16 != 0) return 2;
    if (kVectorInputs[i][0].size != kInput0Elements * sizeof(Input0)) return 3;
    if (kVectorOutputs[i][0].size != kOutput0Elements * sizeof(Output0)) return 4;
  }
  Dump(kModelData, kModelBytes);
  for (std::size_t i = 0; i < kVectorCount; ++i) {
    Dump(kVectorInputs[i][0].data, kVectorInputs[i][0].size);
    Dump(kVectorOutputs[i][0].data, kVectorOutputs[i][0].size);
  }
  return 0;
}
"""

HELPERS = """
#include <cstdio>
#include <cstdlib>
#include "model_small_io.h"

template <typename T>
static void Answer(float value, float scale, std::int32_t zero_point) {
  const T integer = model_small::Quantize<T>(value, scale, zero_point);
  const float real = model_small::Dequantize<T>(integer, scale, zero_point);
  const std::int32_t wide = integer;
  std::fwrite(&wide, 4, 1, stdout);
  std::fwrite(&real, 4, 1, stdout);
}

int main(int, char** arguments) {
  struct { float value; float scale; std::int32_t zero_point; } row;
  std::FILE* rows = std::fopen(arguments[1], "rb");
  while (std::fread(&row, 12, 1, rows) == 1) {
    switch (arguments[2][0]) {
      case 'i': Answer<std::int8_t>(row.value, row.scale, row.zero_point); break;
      case 'u': Answer<std::uint8_t>(row.value, row.scale, row.zero_point); break;
      default: Answer<std::int16_t>(row.value, row.scale, row.zero_point);
    }
  }
  return 0;
}
"""


@pytest.mark.parametrize("kind", MODELS)
def test_the_array_is_the_file_and_the_vectors_are_what_tflm_computes(kind: str, tmp_path: Path) -> None:
    data = MODELS[kind]()
    folder = laid_out(made(data), tmp_path)
    probe = folder / "probe.cpp"
    probe.write_text(PROBE)
    sources = [folder / "model_small_data.cpp", folder / "model_small_vectors.cpp", probe]
    compile_host(sources, tmp_path / "probe")
    told = subprocess.run([tmp_path / "probe"], capture_output=True, check=True).stdout
    assert told[: len(data)] == data
    inputs = timing.random_inputs(ports.inputs_of(FlatBuffer(data)), 3, seed=0)
    (outputs,) = tflm.run(data, inputs, raw=True)
    assert told[len(data) :] == b"".join(inputs[0][i].tobytes() + outputs[i].tobytes() for i in range(3))


@pytest.mark.parametrize("kind", MODELS)
def test_everything_but_the_tflm_file_compiles_for_a_cortex_m_under_the_strictest_warnings(
    kind: str, tmp_path: Path
) -> None:
    gcc = compiler("arm-none-eabi-g++")
    folder = laid_out(made(MODELS[kind]()), tmp_path)
    sources = [str(folder / f"model_small_{name}.cpp") for name in PLAIN] + [str(folder / "main.cpp")]
    command = [gcc, *STRICT, *ARM, "-fno-exceptions", "-fno-rtti", "-c", *sources]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("processor", ["cortex-m0plus", "cortex-m33", "cortex-m55"])
def test_the_counter_compiles_for_processors_with_and_without_one(processor: str, tmp_path: Path) -> None:
    gcc = compiler("arm-none-eabi-g++")
    folder = laid_out(made(MODELS["int16"]()), tmp_path)
    command = [gcc, *STRICT, f"-mcpu={processor}", "-mthumb", "-c", str(folder / "model_small_ticks.cpp")]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr


def test_the_startup_code_of_the_emulated_boards_compiles(tmp_path: Path) -> None:
    gcc = compiler("arm-none-eabi-g++")
    laid_out(made(MODELS["int16"]()), tmp_path)
    options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", *ARM, "-c"]
    command = [gcc, *options, str(tmp_path / "qemu" / "startup.cpp")]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_the_helpers_round_and_saturate_as_the_converters_do(dtype: str, tmp_path: Path) -> None:
    folder = laid_out(made(MODELS["int16"]()), tmp_path)
    (folder / "helpers.cpp").write_text(HELPERS)
    compile_host([folder / "helpers.cpp"], tmp_path / "helpers", "-O2")
    rng = np.random.default_rng(3)
    limits = np.iinfo(dtype)
    count = 20_000
    scales = np.exp(rng.uniform(-12, 4, count)).astype(np.float32)
    points = rng.integers(limits.min, limits.max, count, endpoint=True)
    steps = rng.uniform(1.2 * limits.min - 9, 1.2 * limits.max + 9, count)
    steps[::3] = np.round(steps[::3]) + 0.5  # ties
    values = ((steps - points) * scales).astype(np.float32)
    values[:6] = [np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38]
    rows = np.empty(count, [("value", "<f4"), ("scale", "<f4"), ("point", "<i4")])
    rows["value"], rows["scale"], rows["point"] = values, scales, points
    (tmp_path / "rows").write_bytes(rows.tobytes())
    command = [tmp_path / "helpers", tmp_path / "rows", dtype if dtype != "int16" else "short"]
    told = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i4,<f4")
    # Along the axis of the values, each has a scale of its own.
    integers = quantized_io.quantize(values, dtype, scales, points)
    np.testing.assert_array_equal(told["f0"], integers)
    np.testing.assert_array_equal(told["f1"], quantized_io.dequantize(integers, scales, points))


def test_scales_survive_the_way_through_text() -> None:
    from converters.microcontroller.rendering import c_float

    rng = np.random.default_rng(5)
    bits = rng.integers(1, 0x7F80_0000, 5000, np.uint32)
    for value in bits.view(np.float32):
        text = c_float(float(value))
        assert text.endswith("f") and np.float32(text[:-1]) == value
    assert (c_float(1.0), c_float(0.05), c_float(1e-30)) == ("1.0f", "0.05f", "1e-30f")
