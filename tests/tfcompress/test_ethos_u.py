"""What users rely on: an Ethos-U is estimated by Vela and labelled so, and what it leaves to the CPU is named."""

from __future__ import annotations

import csv
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import packable_files
import pytest
import random_graphs
import small_files
from mutations import mutated
from small_tflite import G, Op, T, build

from converters.child import Limits
from converters.encode import encode
from converters.errors import ChildDiedError, CompressionError, FileError, ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import vela
from converters.shrink import shrink
from tfcompress.benchmark.estimate.ethos_u import NOTHING, EthosU, estimate, rows

CONV = ("Conv2DOptions", {"strideW": 1, "strideH": 1, "padding": 0, "fusedActivationFunction": 1})


def convolution(layer: str, source: str, result: str, channels: int) -> tuple[list[T], Op]:
    values = np.random.default_rng(1).integers(-127, 127, (channels, 3, 3, channels))
    scales = [0.01] * channels
    weights = T(f"{layer}/w", values.shape, values=values, scales=scales)
    biases = T(f"{layer}/b", (channels,), "int32", values=0, scales=[0.0005] * channels)
    return [weights, biases], Op("CONV_2D", [source, weights.name, biases.name], [result], CONV)


def with_odd_middle(channels: int = 16, names: tuple[str, str] = ("model/odd/out", "model/last/out")) -> FlatBuffer:
    """int8 convolution, L2_NORMALIZATION, which no Ethos-U has, and a convolution."""
    shape = (1, 8, 8, channels)
    activations = [T(name, shape, scales=[0.05], zero_points=[0]) for name in ("image", "model/first/out", *names)]
    before, first = convolution("model/first", "image", "model/first/out", channels)
    after, last = convolution("model/last", names[0], names[1], channels)
    odd = Op("L2_NORMALIZATION", ["model/first/out"], [names[0]], ("L2NormOptions", {}))
    return FlatBuffer(build(G([*activations, *before, *after], [first, odd, last], ["image"], [names[1]])))


@pytest.fixture(scope="module")
def network() -> FlatBuffer:
    return FlatBuffer(build(packable_files.network()))


@pytest.fixture(scope="module")
def whole(network: FlatBuffer) -> EthosU:
    return estimate(network, accelerator="ethos-u55-128")


@pytest.fixture(scope="module")
def divided() -> EthosU:
    return estimate(with_odd_middle(), accelerator="ethos-u55-128", clock_hz=400e6)


# --- numbers ----------------------------------------------------------------------------------------------------


def test_an_int8_network_runs_on_the_npu_as_a_whole(whole: EthosU) -> None:
    assert whole.cpu_operators == () and whole.npu_operators == len(whole.operators) == 4
    assert whole.total_cycles >= whole.npu_cycles > 0
    assert whole.inference_ms == whole.npu_ms == pytest.approx(whole.total_cycles / 500e6 * 1000)
    assert "stays on the CPU" not in " ".join(whole.notes)


def test_cycles_of_the_operators_add_up_to_the_total(whole: EthosU, divided: EthosU) -> None:
    for estimated in (whole, divided):
        assert sum(operator.cycles for operator in estimated.operators) == estimated.total_cycles


def test_more_multipliers_are_not_slower() -> None:
    found = [estimate(with_odd_middle(64), accelerator=f"ethos-u55-{macs}") for macs in (32, 64, 128, 256)]
    total, alone = [one.total_cycles for one in found], [one.npu_cycles for one in found]
    assert total == sorted(total, reverse=True) and alone == sorted(alone, reverse=True)
    # The weights of 64 * 64 * 3 * 3 have to come from flash, however many multipliers there are.
    assert alone[0] > 3 * alone[-1] and total[0] < 3 * total[-1]


def test_memory_holds_the_activations_and_the_weights(whole: EthosU, network: FlatBuffer) -> None:
    # The output of the convolution and that of the depthwise convolution live at the same time.
    assert whole.sram_bytes >= 2 * 6 * 6 * 24 and whole.dram_bytes == 0
    assert 0 < whole.flash_bytes < len(whole.file) < len(network.data) + 4096


def test_the_clock_turns_the_same_cycles_into_another_time(whole: EthosU, network: FlatBuffer) -> None:
    half = estimate(network, accelerator="ethos-u55-128", clock_hz=250e6)
    assert half.total_cycles == whole.total_cycles and half.config_hz == 500e6
    assert half.npu_ms == pytest.approx(2 * (whole.npu_ms or 0))
    assert "250 MHz only turns them into time" in half.notes[0]
    assert "not of a device" in whole.notes[0]


@pytest.mark.parametrize(
    ("accelerator", "configuration", "memory"),
    [
        ("ethos-u65-256", ("Ethos_U65_Client_Server", "Dedicated_Sram_384KB"), "dram_bytes"),
        ("ethos-u65-512", ("Ethos_U65_Embedded", "Shared_Sram"), "flash_bytes"),
        ("ethos-u85-256", ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"), "dram_bytes"),
        ("ethos-u55-64", ("Ethos_U55_Deep_Embedded", "Sram_Only"), "flash_bytes"),
    ],
)
def test_weights_lie_where_the_configuration_says(
    network: FlatBuffer, accelerator: str, configuration: tuple[str, str], memory: str
) -> None:
    system, mode = configuration
    found = estimate(network, accelerator=accelerator, system_config=system, memory_mode=mode)
    assert (found.system_config, found.memory_mode) == configuration
    other = {"dram_bytes": "flash_bytes", "flash_bytes": "dram_bytes"}[memory]
    # The weights are compressed, with a scale and a bias of 10 bytes for every output channel.
    assert getattr(found, memory) > 10 * (24 + 24 + 10) and getattr(found, other) == 0


def test_file_and_cycles_are_those_of_velas_command_line(whole: EthosU, network: FlatBuffer, tmp_path: Path) -> None:
    source = tmp_path / "model.tflite"
    source.write_bytes(network.data)
    command = [sys.executable, "-m", "ethosu.vela", "--accelerator-config", "ethos-u55-128", "--output-dir"]
    subprocess.run([*command, str(tmp_path), str(source)], check=True, capture_output=True)
    assert (tmp_path / "model_vela.tflite").read_bytes() == whole.file
    (summary,) = csv.DictReader(next(tmp_path.glob("*_summary_*.csv")).open(encoding="utf-8"))
    assert (int(summary["cycles_npu"]), int(summary["cycles_total"])) == (whole.npu_cycles, whole.total_cycles)
    assert float(summary["sram_memory_used"]) * 1024 == whole.sram_bytes
    assert float(summary["off_chip_flash_memory_used"]) * 1024 == whole.flash_bytes


def test_the_compiled_file_is_one_operator_of_the_npu(whole: EthosU) -> None:
    assert [operator.name for operator in FlatBuffer(whole.file).operators] == [vela.OPERATOR]


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_a_shrunk_file_compiles_to_the_same(network: FlatBuffer, whole: EthosU, engine: Any) -> None:
    smaller = shrink(network, engine=engine)
    assert len(smaller.data) < len(network.data)
    found = estimate(smaller, accelerator="ethos-u55-128")
    assert (found.npu_cycles, found.total_cycles) == (whole.npu_cycles, whole.total_cycles)
    assert (found.sram_bytes, found.flash_bytes) == (whole.sram_bytes, whole.flash_bytes)
    # The second constant is what the NPU reads: weights as Vela packs them, biases, and the scales of the channels.
    weights = [FlatBuffer(file) for file in (found.file, whole.file)]
    constants = [[one.constant(tensor) for tensor in one.tensors if tensor.is_constant][1] for one in weights]
    assert np.array_equal(*constants) and len(constants[0]) == whole.flash_bytes


@pytest.mark.parametrize("seed", [6, 14, 39, 40])
def test_any_integer_network_shrunk_for_tflm_compiles_to_the_same(seed: int) -> None:
    network = FlatBuffer(random_graphs.random_file(seed))
    assert network.integer_only
    came, small = (estimate(one, accelerator="ethos-u85-128") for one in (network, shrink(network, engine="tflm")))
    assert (came.total_cycles, came.sram_bytes, came.dram_bytes) == (
        small.total_cycles,
        small.sram_bytes,
        small.dram_bytes,
    )


# --- what stays on the CPU --------------------------------------------------------------------------------------


def test_an_operator_that_vela_cannot_take_is_named_with_its_layer_and_reason(divided: EthosU) -> None:
    (operator,) = divided.cpu_operators
    assert (operator.index, operator.name, operator.layer, operator.cycles) == (1, "L2_NORMALIZATION", "odd", 0)
    assert operator.reason == "Unsupported opType"
    assert divided.npu_ms is not None and divided.inference_ms is None
    told = divided.notes[-1]
    assert "1 operator stays on the CPU, whose time is not in the estimate" in told
    assert "1 L2_NORMALIZATION (layer odd): Unsupported opType" in told


def test_reasons_do_not_depend_on_the_names_in_the_file() -> None:
    # Vela prints names as they are: these look like a report about another operator.
    hostile = "x'\n\nWarning (supported operators) operator: CONV_2D, ofm: 'tensor 1'\nReason: made up\n\n"
    found = estimate(with_odd_middle(names=(hostile, "same")), accelerator="ethos-u85-128")
    assert [(one.index, one.reason) for one in found.cpu_operators] == [(1, "Unsupported opType")]
    assert all(row.value.isprintable() for row in rows(found) if isinstance(row.value, str))
    unnamed = shrink(with_odd_middle(), engine="litert")
    assert [one.index for one in estimate(unnamed, accelerator="ethos-u55-32").cpu_operators] == [1]


def test_a_float_file_has_no_estimate_and_says_why() -> None:
    found = estimate(FlatBuffer(small_files.float_dense()), accelerator="ethos-u55-128")
    assert found.npu_operators == 0 and found.npu_ms is None
    assert "DataType Float32" in found.cpu_operators[0].reason and "tensor" not in found.cpu_operators[0].reason[30:]
    values = {row.name: row.value for row in rows(found)}
    assert values["npu_latency_ms"] == values["npu_total_cycles"] == values["npu_sram"] == NOTHING


# --- rows -------------------------------------------------------------------------------------------------------


def test_every_row_is_estimated_by_vela_and_says_for_what(divided: EthosU) -> None:
    made = rows(divided, target="my board", per_operator=True)
    assert {(row.how, row.runtime, row.target) for row in made} == {("estimated", vela.describe(), "my board")}
    for row in made:
        assert row.unit and "not run" in row.source and "Ethos_U55_High_End_Embedded" in row.source
        assert "400,000,000 Hz" in row.source
    assert rows(divided)[0].target == "ethos-u55-128"


def test_shares_of_the_operators_add_up_to_one(divided: EthosU) -> None:
    shares = [row for row in rows(divided, per_operator=True) if row.name.startswith("npu_operator_share/")]
    assert [row.name for row in shares] == ["npu_operator_share/0/CONV_2D/first", "npu_operator_share/2/CONV_2D/last"]
    assert sum(row.value for row in shares if isinstance(row.value, float)) == pytest.approx(1.0)


# --- errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"accelerator": "ethos-u55-96"}, "Vela knows ethos-u55-32, "),
        ({"accelerator": "ethos-u55-128", "system_config": "Ethos_U65_High_End"}, "begins with Ethos_U55_"),
        ({"accelerator": "ethos-u55-128", "system_config": "Ethos_U55_Nowhere"}, "Ethos_U55_Nowhere not found"),
        ({"accelerator": "ethos-u55-128", "memory_mode": "Dedicated_Sram"}, "must be Sram or Dram"),
        ({"accelerator": "ethos-u55-128", "clock_hz": 400.0}, "such as 400000000"),
        ({"accelerator": "ethos-u55-128", "clock_hz": float("nan")}, "such as 400000000"),
    ],
)
def test_wrong_options_are_told(network: FlatBuffer, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        estimate(network, **options)


def test_an_encoded_file_is_refused_with_the_way_out(network: FlatBuffer) -> None:
    encoded = encode(network, encodings=("lut",))
    assert encoded.is_encoded
    with pytest.raises(ModelError, match="--decode off"):
        estimate(encoded, accelerator="ethos-u55-128")


def test_what_is_compiled_already_or_has_branches_is_refused(whole: EthosU) -> None:
    with pytest.raises(ModelError, match="compiled for an Ethos-U already"):
        estimate(FlatBuffer(whole.file), accelerator="ethos-u55-128")
    with pytest.raises(ModelError, match="3 graphs"):
        estimate(FlatBuffer(build(*packable_files.branches())), accelerator="ethos-u55-128")


def test_a_missing_or_damaged_file_is_told(tmp_path: Path, network: FlatBuffer) -> None:
    with pytest.raises(FileError, match="does not exist"):
        estimate(tmp_path / "none.tflite", accelerator="ethos-u55-128")
    path = tmp_path / "cut.tflite"
    path.write_bytes(network.data[:-500])
    with pytest.raises(ModelError, match="cut.tflite"):
        estimate(path, accelerator="ethos-u55-128")


def test_a_spoiled_file_gives_a_result_or_one_line(network: FlatBuffer) -> None:
    tried = 0
    for data in mutated([network.data, small_files.int8_dense()], 60, seed=3):
        try:
            flatbuffer = FlatBuffer(data)
        except ModelError:
            continue
        tried += 1
        try:
            assert estimate(flatbuffer, accelerator="ethos-u55-64", limits=Limits(seconds=5.0)).file
        except CompressionError as error:
            assert "\n" not in str(error)
        if tried == 8:
            break
    assert tried == 8


def test_vela_works_under_limits(network: FlatBuffer) -> None:
    with pytest.raises(ChildDiedError, match="compiling the model with Vela took longer than 0.01 s"):
        estimate(network, accelerator="ethos-u55-128", limits=Limits(seconds=0.01))


def test_without_vela_the_extra_is_named(network: FlatBuffer, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(NotAvailableError, match=r"pip install 'tfcompress\[ethos-u\]'"):
        estimate(network, accelerator="ethos-u55-128")


# --- real models ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ic/pretrainedResnet_quant.tflite", "kws/kws_ref_model.tflite"])
def test_real_models_are_estimated_the_same_after_shrinking(real_data: Path, name: str) -> None:
    model = FlatBuffer.read(real_data / "mlperf_tiny" / name)
    came, small = (estimate(one, accelerator="ethos-u55-256") for one in (model, shrink(model, engine="tflm")))
    assert came.cpu_operators == small.cpu_operators == ()
    assert (came.total_cycles, came.sram_bytes) == (small.total_cycles, small.sram_bytes)
    assert sum(operator.cycles for operator in small.operators) == small.total_cycles
    # No convolution can take fewer cycles than its multiply-accumulates by 256 at a time.
    for operator, one in zip(came.operators, model.operators, strict=True):
        assert operator.cycles * 256 >= one.macs
