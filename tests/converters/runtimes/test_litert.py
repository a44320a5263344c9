"""What users rely on: LiteRT gives the file's own answers for data in the model's units, or says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_files

from converters.child import Limits
from converters.errors import ChildDiedError, DataError, ModelError, UsageError
from converters.runtimes import litert

X = np.random.default_rng(0).uniform(-2, 2, (7, 4)).astype(np.float32)


@pytest.mark.parametrize("kernels", ["default", "builtin", "reference"])
def test_a_float_file_computes_its_layer(kernels: litert.Kernels) -> None:
    (out,) = litert.run(small_files.float_dense(), X, kernels=kernels)
    np.testing.assert_allclose(out, small_files.dense(X), atol=1e-5)


def test_an_integer_file_takes_and_gives_real_numbers() -> None:
    (out,) = litert.run(small_files.int8_dense(), {"x": X}, kernels="reference")
    assert out.dtype == np.float32
    # Half a step of input through the largest row of weights, and half a step of output.
    bound = small_files.INPUT_SCALE / 2 * np.abs(small_files.WEIGHTS).sum(1).max() + small_files.OUTPUT_SCALE / 2
    zero = np.float32(-small_files.OUTPUT_ZERO * 0.0)
    np.testing.assert_allclose(out, np.maximum(small_files.dense(X), zero), atol=bound + 1e-6)


def test_raw_data_are_the_files_own_integers() -> None:
    quantized = np.rint(X / small_files.INPUT_SCALE + small_files.INPUT_ZERO).astype(np.int8)
    (raw,) = litert.run(small_files.int8_dense(), quantized, raw=True)
    (real,) = litert.run(small_files.int8_dense(), X)
    assert raw.dtype == np.int8
    np.testing.assert_array_equal((raw.astype(int) - small_files.OUTPUT_ZERO) * small_files.OUTPUT_SCALE, real)


def test_raw_data_of_another_type_are_refused() -> None:
    with pytest.raises(DataError, match="must be int8.*is float32"):
        litert.run(small_files.int8_dense(), X, raw=True)


def test_samples_shared_by_processes_come_back_in_order() -> None:
    told = []
    (shared,) = litert.run(small_files.float_dense(), X, jobs=3, progress=lambda *row: told.append(row))
    np.testing.assert_allclose(shared, small_files.dense(X), atol=1e-5)
    assert told[-1] == ("running", 7, 7)


def test_a_file_with_a_batch_of_three_takes_seven_samples() -> None:
    (out,) = litert.run(small_files.float_dense(batch=3), X, jobs=2)
    np.testing.assert_allclose(out, small_files.dense(X), atol=1e-5)


def test_inputs_are_found_by_name_in_any_order() -> None:
    a, b = X[:, :3], X[:, 1:]
    (named,) = litert.run(small_files.two_inputs(), {"b": b, "a": a})
    (listed,) = litert.run(small_files.two_inputs(), [a, b])
    np.testing.assert_allclose(named, a - b, atol=1e-6)
    np.testing.assert_array_equal(named, listed)


def test_a_file_of_open_size_takes_the_datas_size() -> None:
    (out,) = litert.run(small_files.resizable(), X)
    np.testing.assert_array_equal(out, np.maximum(X, 0))


def test_samples_do_not_see_the_state_that_earlier_ones_left() -> None:
    (out,) = litert.run(small_files.with_memory(), np.ones((3, 1), np.float32), kernels="builtin")
    np.testing.assert_array_equal(out, np.ones((3, 1)))


def test_indices_stay_whole_numbers() -> None:
    (out,) = litert.run(small_files.integers_in(), np.array([2, 0, 1]))
    np.testing.assert_array_equal(out.ravel(), [20, 0, 10])
    with pytest.raises(DataError, match="whole numbers"):
        litert.run(small_files.integers_in(), np.array([0.5]))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (X[:, :3], r"samples of shape \[3\]; the model takes samples of shape \[4\]"),
        ({"y": X}, "names an input 'y'; the model's inputs are 'x'"),
        ([X, X], "has 2 inputs and the model 1"),
        (np.full((1, 4), np.nan), "holds NaN"),
        (X[:0], "no sample"),
        (np.full((1, 4), "a"), "give numbers"),
        ({}, "lacks input"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_anything_runs(inputs: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        litert.run(small_files.float_dense(), inputs)  # type: ignore[arg-type]


def test_inputs_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match=r"different numbers of samples \[6, 7\]"):
        litert.run(small_files.two_inputs(), [X[:6, :3], X[:, :3]])


def test_an_operator_without_a_kernel_is_named() -> None:
    with pytest.raises(ModelError, match="LiteRT cannot run this file.*Mystery"):
        litert.run(small_files.one_float_operator("CUSTOM", custom="Mystery"), X)


def test_unknown_kernels_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="default, builtin, reference"):
        litert.run(small_files.float_dense(), X, kernels="fast")  # type: ignore[arg-type]


def test_too_little_time_is_one_line() -> None:
    with pytest.raises(ChildDiedError, match="running the model on LiteRT took longer than"):
        litert.run(small_files.float_dense(), X, limits=Limits(seconds=0.001))


def test_kernel_sets_have_different_names() -> None:
    names = {litert.describe(kernels) for kernels in ("default", "builtin", "reference")}
    assert len(names) == 3
    assert litert.describe("default", threads=2).endswith("(XNNPACK, 2 threads)")


def test_timing_counts_runs_and_the_files_own_bytes() -> None:
    data = small_files.int8_dense()
    timing = litert.time(data, kernels="builtin", runs=20)
    assert timing.times_ms.shape == (20,)
    assert (timing.times_ms > 0).all()
    assert timing.peak_memory_bytes is not None
    assert timing.peak_memory_bytes >= len(data)
    assert timing.quantile(0.5) <= timing.quantile(0.99)


def test_the_float_resnet_scores_as_published(real_data: Path) -> None:
    stored = np.load(real_data / "cifar10" / "cifar10_test_lossless500.npz")
    data = (real_data / "mlperf_tiny" / "ic" / "pretrainedResnet.tflite").read_bytes()
    (out,) = litert.run(data, stored["x"], jobs=2)
    assert float(np.mean(out.argmax(1) == stored["y"])) == 0.878
