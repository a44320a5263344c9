"""What a board says: the log of a bundle's program, with a model of the test's own for the one that needs TFLM."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from bundle_checks import MODELS, compile_host, laid_out, made

from tfcompress.benchmark import device_log

GOLDEN = Path(__file__).resolve().parents[2] / "golden"

# Answers as the expected outputs say, but for what its first argument asks.
MODEL = """
#include "model_small_model.h"

#include <cstdlib>
#include <cstring>

#include "model_small_vectors.h"

namespace model_small {
namespace {
const char* Fault() { const char* asked = std::getenv("FAULT"); return asked == nullptr ? "" : asked; }
alignas(16) unsigned char input[4096];
alignas(16) unsigned char output[4096];
std::size_t runs = 0;
}  // namespace
const char* Begin() { return std::strcmp(Fault(), "begin") == 0 ? "no room" : nullptr; }
bool Invoke() {
  if (std::strcmp(Fault(), "invoke") == 0 && runs == 1) return false;
  std::memcpy(output, kVectorOutputs[runs][0].data, kVectorOutputs[runs][0].size);
  if (std::strcmp(Fault(), "step") == 0 && runs == 1) output[3] = static_cast<unsigned char>(output[3] + 1);
  ++runs;
  return true;
}
bool Reset() { return true; }
std::size_t InputCount() { return 1; }
void* InputData(std::size_t) { return input; }
std::size_t InputBytes(std::size_t) { return kVectorInputs[0][0].size + (std::strcmp(Fault(), "size") == 0 ? 1 : 0); }
std::size_t OutputCount() { return 1; }
const void* OutputData(std::size_t) { return output; }
std::size_t OutputBytes(std::size_t) { return kVectorOutputs[0][0].size; }
std::size_t ArenaUsedBytes() { return 1000; }
std::size_t ArenaGivenBytes() { return 1100; }
}  // namespace model_small
"""


def program(folder: Path, kind: str, *options: str) -> Path:
    sources = laid_out(made(MODELS[kind]()), folder)
    (sources / "model_small_model.cpp").write_text(MODEL)
    compile_host([*sources.glob("*.cpp")], folder / "program", *options)
    return folder / "program"


def said_by(program: Path, fault: str = "", status: int = 0) -> str:
    finished = subprocess.run([program], env={"FAULT": fault}, capture_output=True, text=True)
    assert finished.returncode == status, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def int8_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = ['-DTFCOMPRESS_BOARD="a desk"', "-DTFCOMPRESS_CLOCK_HZ=64000000", '-DTFCOMPRESS_TFLM="of today"']
    return program(tmp_path_factory.mktemp("int8"), "int8", *options)


def test_a_log_names_the_file_the_board_and_the_counter_and_passes(int8_program: Path) -> None:
    log = device_log.parse(said_by(int8_program))
    data = MODELS["int8"]()
    assert (log.model, log.model_bytes, log.sha256) == ("model_small", len(data), hashlib.sha256(data).hexdigest())
    assert (log.runtime, log.board, log.clock, log.counter, log.how) == (
        "TFLM of today",
        "a desk",
        64000000,
        "us",
        "measured",
    )
    assert log.arena == (1000, 1100)
    assert (log.passed, log.total, log.failed, log.tolerance) == (3, 3, False, None)


def test_a_wrong_byte_is_named_and_the_program_fails(int8_program: Path) -> None:
    text = said_by(int8_program, "step", status=1)
    log = device_log.parse(text)
    assert (log.passed, log.total) == (2, 3)
    wrong = log.vectors[1].difference
    assert wrong is not None and (wrong.output, wrong.byte, wrong.got) == (0, 3, (wrong.expected + 1) % 256)
    assert text.endswith("result: FAIL 2/3\n")


@pytest.mark.parametrize(
    ("fault", "what", "passed"),
    [
        ("begin", "error: no room", 0),
        ("size", "error: an input has another size than the vectors", 0),
        ("invoke", "error: Invoke failed; TFLM printed why", 1),
    ],
)
def test_what_cannot_run_says_why_and_fails(int8_program: Path, fault: str, what: str, passed: int) -> None:
    lines = said_by(int8_program, fault, status=1).splitlines()
    assert lines[-2:] == [what, f"result: FAIL {passed}/3"]
    assert device_log.parse("\n".join(lines)).failed


def test_a_tolerance_lets_a_step_pass_and_is_told(tmp_path: Path) -> None:
    log = device_log.parse(said_by(program(tmp_path, "int8", "-DTFCOMPRESS_TOLERANCE=1"), "step"))
    assert (log.passed, log.tolerance) == (3, 1)


def test_floats_may_differ_in_their_last_digits_only(tmp_path: Path) -> None:
    runs = program(tmp_path, "float32", "-DTFCOMPRESS_SIMULATED", "-DTFCOMPRESS_NO_COUNTER")
    log = device_log.parse(said_by(runs))
    assert (log.how, log.counter, log.tolerance, log.passed) == ("simulated", "none", 16, 3)
    # Byte 3 of a float holds its sign and most of its exponent.
    assert device_log.parse(said_by(runs, "step", status=1)).vectors[1].difference is not None


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("device_log_*.txt")), ids=lambda path: path.stem)
def test_logs_that_real_runs_left_are_read(path: Path) -> None:
    # From the host and from QEMU's Cortex-M4, with TFLM as espressif/esp-tflite-micro 1.4.0 packages it.
    log = device_log.parse(path.read_bytes().decode())
    assert log.runtime == "TFLM of esp-tflite-micro 1.4.0"
    assert (log.how, log.counter) == (("measured", "us") if log.board == "host" else ("simulated", "none"))
    assert log.passed == (0 if "too_small" in path.stem else 5) and log.total == 5
