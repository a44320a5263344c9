"""What users rely on: TFLM's answers and its memory, counted two ways that agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_files

from converters.errors import ChildDiedError, DataError, ModelError, NotAvailableError
from converters.runtimes import choice, coverage, litert, operator_time, tflm, tflm_arena

pytestmark = pytest.mark.skipif(not tflm.available(), reason="TFLM is not available on this platform")

X = np.random.default_rng(0).uniform(-2, 2, (7, 4)).astype(np.float32)


def test_a_float_file_computes_its_layer() -> None:
    (out,) = tflm.run(small_files.float_dense(), X, jobs=2)
    np.testing.assert_allclose(out, small_files.dense(X), atol=1e-5)


def test_an_integer_file_equals_litert_reference_kernels() -> None:
    raw = np.random.default_rng(1).integers(-128, 128, (50, 4)).astype(np.int8)
    (ours,) = tflm.run(small_files.int8_dense(), raw, raw=True)
    (theirs,) = litert.run(small_files.int8_dense(), raw, raw=True, kernels="reference")
    np.testing.assert_array_equal(ours, theirs)


def test_samples_do_not_see_the_state_that_earlier_ones_left() -> None:
    (out,) = tflm.run(small_files.with_memory(), np.ones((3, 1), np.float32))
    np.testing.assert_array_equal(out, np.ones((3, 1)))


def test_a_crash_of_tflm_is_one_line_that_names_the_operator() -> None:
    message = r"running the model on TFLM crashed the native library \(SIG.*crashes on operator 0, SVDF \(layer svdf\)"
    with pytest.raises(ChildDiedError, match=message):
        tflm.run(small_files.with_memory(has_bias=False), np.ones((1, 1), np.float32))


def test_an_operator_without_a_kernel_is_named() -> None:
    with pytest.raises(ModelError, match="TFLM has no kernel for GELU"):
        tflm.run(small_files.one_float_operator("GELU"), X)


def test_the_refused_operator_is_found() -> None:
    assert coverage.refused(small_files.one_float_operator("GELU"), runtime="tflm") == (1,)
    assert coverage.refused(small_files.int8_dense(), runtime="tflm") == ()
    custom = small_files.one_float_operator("CUSTOM", custom="Mystery")
    assert coverage.refused(custom, runtime="litert") == (1,)


def test_a_reason_given_while_preparing_is_passed_on(real_data: Path) -> None:
    data = (real_data / "mlperf_tiny" / "kws" / "kws_ref_model_float32.tflite").read_bytes()
    with pytest.raises(ModelError, match=r"operator 0 \(CONV_2D\) failed to prepare: Hybrid models are not supported"):
        tflm.run(data, np.zeros((1, 49, 10, 1)))


def test_data_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match=r"samples of shape \[4\]; the model takes samples of shape \[1\]"):
        tflm.run(small_files.resizable(), X)


def test_what_crashed_says_what_it_printed() -> None:
    printed = "Didn't find op for builtin opcode 'GELU'\nFailed to get registration from op code GELU\n "
    assert tflm.complaint(printed) == "TFLM has no kernel for GELU; replace that operator, or use LiteRT"
    assert tflm.complaint("something else") == ""


def test_both_counts_of_a_small_arena_agree() -> None:
    arena = tflm_arena.measure(small_files.wide())
    assert arena.total_bytes == arena.head_bytes + arena.tail_bytes
    assert arena.head_bytes == 2 * 256 * 4
    assert abs(arena.smallest_bytes - arena.total_bytes) <= 64


def test_memory_for_planning_counts_where_activations_are_tiny() -> None:
    data = small_files.int8_dense()
    arena = tflm_arena.measure(data)
    assert arena.smallest_bytes > arena.total_bytes
    with pytest.raises(ModelError, match="failed to allocate"):
        tflm.open_session(data, arena_bytes=arena.total_bytes)


@pytest.mark.parametrize(
    ("name", "total"), [("ic/pretrainedResnet_quant.tflite", 55_984), ("kws/kws_ref_model.tflite", 24_272)]
)
def test_both_counts_of_a_real_arena_agree(real_data: Path, name: str, total: int) -> None:
    arena = tflm_arena.measure((real_data / "mlperf_tiny" / name).read_bytes())
    assert arena.total_bytes == total
    assert abs(arena.smallest_bytes - total) <= 64


def test_one_byte_less_than_the_smallest_arena_fails() -> None:
    data = small_files.int8_dense()
    smallest = tflm_arena.measure(data).smallest_bytes
    tflm.open_session(data, arena_bytes=smallest)
    with pytest.raises(ModelError, match="failed to allocate"):
        tflm.open_session(data, arena_bytes=smallest - 1)


def test_the_sum_of_operator_times_is_the_whole_time() -> None:
    times = np.array([[1.0, 1.2, 5.0], [3.0, 3.1, 7.0], [3.0, 3.3, 7.1]])
    summary = operator_time.summarize(times)
    np.testing.assert_allclose(summary.milliseconds, [2.0, 0.1], atol=1e-9)
    assert summary.rounds == 3


@pytest.mark.parametrize("rounds", [5, 20, 100])
def test_an_operator_that_takes_no_time_is_rarely_said_to_take_some(rounds: int) -> None:
    generator = np.random.default_rng(0)
    true = np.array([0.0, 5.0, 5.0])[:, np.newaxis]
    # Noise with outliers, as on a busy machine.
    trials = [operator_time.summarize(true + generator.standard_t(2, (3, rounds))) for _ in range(1000)]
    assert np.mean([trial.is_resolved[1] for trial in trials]) < 0.045
    assert np.mean([trial.is_resolved[0] for trial in trials]) > (0.5 if rounds == 5 else 0.99)


def test_the_confidence_interval_has_the_ranks_of_the_binomial_tables() -> None:
    # Conover, Practical Nonparametric Statistics, table A3: 95 % intervals of a median.
    assert [operator_time._rank(count) for count in (5, 6, 10, 20, 100)] == [0, 0, 1, 5, 39]


@pytest.mark.parametrize("runtime", ["tflm", "litert-builtin"])
def test_every_operator_is_timed(runtime: choice.Runtime) -> None:
    times = operator_time.measure(small_files.int8_dense(), runtime=runtime, rounds=5)
    assert times.milliseconds.shape == times.resolution_ms.shape == (2,)


def test_the_version_is_part_of_the_name() -> None:
    assert tflm.describe().startswith("TFLM 0.dev")


def test_a_missing_wheel_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm, "available", lambda: False)
    with pytest.raises(NotAvailableError, match="not available on this platform"):
        tflm.describe()
