"""What per-operator times rest on: a prefix computes what the whole file computes up to there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import small_files

from converters.flatbuffer import FlatBuffer, prefix
from converters.runtimes import litert

X = np.random.default_rng(0).uniform(-2, 2, (5, 4)).astype(np.float32)


def test_the_whole_prefix_computes_what_the_file_computes() -> None:
    data = small_files.int8_dense()
    whole = prefix.first(prefix.parse(data), 2)
    np.testing.assert_array_equal(litert.run(whole, X)[0], litert.run(data, X)[0])


def test_a_shorter_prefix_gives_what_later_operators_read() -> None:
    part = prefix.first(prefix.parse(small_files.int8_dense()), 1)
    (out,) = litert.run(part, X, kernels="reference")
    assert out.min() < 0  # before the RELU
    np.testing.assert_allclose(out, small_files.dense(X), atol=0.1)


def test_every_prefix_of_a_real_file_holds_its_operators_and_no_more(real_data: Path) -> None:
    data = (real_data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite").read_bytes()
    model, whole = prefix.parse(data), FlatBuffer(data)
    sizes = []
    for count in range(len(whole.operators) + 1):
        part = FlatBuffer(prefix.first(model, count))
        assert [operator.name for operator in part.operators] == [row.name for row in whole.operators[:count]]
        assert part.inputs[0].name == whole.inputs[0].name
        sizes.append(len(part.data))
    assert sizes == sorted(sizes)
    # The first shortcut is read by a later ADD, so it stays an output beside the newest tensor.
    assert len(FlatBuffer(prefix.first(model, 2)).outputs) == 2


def test_an_operator_alone_takes_its_activations_and_keeps_its_weights() -> None:
    model = prefix.parse(small_files.int8_dense())
    dense, relu = (FlatBuffer(prefix.alone(model, index)) for index in (0, 1))
    assert [tensor.name for tensor in dense.inputs] == ["serving_default_x:0"]
    assert dense.parameters == 15
    assert [operator.name for operator in relu.operators] == ["RELU"]
    assert relu.parameters == 0
