"""Whatever small graph is shrunk or encoded: it computes the same, bit for bit, on every runtime that it is for."""

from __future__ import annotations

from typing import Any

import pytest
from every_runtime import outputs, same
from file_meaning import meaning
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_graphs import random_file
from strict_flatbuffer import Checked

from converters.decode import encodings
from converters.encode import constants, decoded, encode
from converters.flatbuffer import FlatBuffer, rows
from converters.runtimes import tflm
from converters.shrink import shrink

ENGINES: Any = ("litert", "tflm")
needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")
seeds = st.integers(0, 2**32 - 2)
many_seeds = st.lists(seeds, min_size=12, max_size=12, unique=True)
# Each example runs a dozen graphs in one child process.
in_a_child = settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)


def values_of(flatbuffer: FlatBuffer) -> dict[str, tuple[str, bytes]]:
    """Name of a constant -> its type and content; the encoded ones as they are restored, without what stores them."""
    stored = {index for operator in flatbuffer.operators if operator.name == "TFLM_DECODE" for index in operator.inputs}
    return {
        tensor.name.removesuffix("/again"): (tensor.dtype, flatbuffer.constant(tensor).tobytes())
        for tensor in flatbuffer.tensors
        if tensor.is_constant and tensor.index not in stored
    }


@settings(max_examples=80, deadline=None)
@given(seeds)
def test_a_shrunk_graph_says_the_same(seed: int) -> None:
    before = FlatBuffer(random_file(seed))
    for engine in ENGINES:
        after = shrink(before, engine=engine)
        assert meaning(after.data, engine=engine) == meaning(before.data, engine=engine)
        assert len(after.data) <= len(before.data)
        assert shrink(after, engine=engine).data == after.data
        assert FlatBuffer(after.data).only_tflm == "" or engine == "tflm"
        if after is not before:
            Checked(after.data)


@in_a_child
@given(many_seeds)
def test_a_shrunk_graph_computes_the_same(many: list[int]) -> None:
    before = [FlatBuffer(random_file(seed)) for seed in many]
    files = [one.data for one in before] + [shrink(one, engine="litert").data for one in before]
    found = outputs(files)
    for seed, one, other in zip(many, found[: len(many)], found[len(many) :], strict=True):
        assert same(one, other), seed
    if tflm.available():
        small = outputs([shrink(one, engine="tflm").data for one in before], ["tflm"])
        for seed, one, other in zip(many, found, small, strict=False):
            assert same({"tflm": one["tflm"]}, other), seed


@settings(max_examples=80, deadline=None)
@given(seeds)
def test_an_encoded_graph_is_no_larger_and_its_constants_come_back(seed: int) -> None:
    before = FlatBuffer(random_file(seed))
    for flatbuffer in (before, shrink(before, engine="tflm")):
        written = FlatBuffer(rows.write(rows.read(flatbuffer.data)))
        after = encode(flatbuffer, encodings=tuple(encodings()))
        assert len(after.data) <= len(flatbuffer.data)
        if after is not flatbuffer:
            # The encoding itself saves, and not only the writer.
            assert len(after.data) < len(written.data)
            Checked(after.data)
        assert encode(flatbuffer, encodings=tuple(encodings())).data == after.data
        assert values_of(after) == values_of(flatbuffer)
        assert values_of(decoded(after)).items() <= values_of(flatbuffer).items()
        assert meaning(decoded(after).data, engine="tflm") == meaning(flatbuffer.data, engine="tflm")


@needs_tflm
@in_a_child
@given(many_seeds)
def test_an_encoded_graph_computes_the_same(many: list[int]) -> None:
    before = [FlatBuffer(random_file(seed)) for seed in many]
    after = [encode(shrink(one, engine="tflm"), encodings=tuple(encodings())) for one in before]
    plain = [encode(one, encodings=tuple(encodings())) for one in before]
    again = [shrink(one, engine="tflm") for one in (*after, *plain)]
    files = [one.data for one in (*before, *after, *plain, *again)]
    found = outputs(files, ["tflm"])
    for number, seed in enumerate(many):
        for stage in range(1, 5):
            assert same(found[number], found[stage * len(many) + number]), (seed, stage)


@needs_tflm
@in_a_child
@given(many_seeds, st.sampled_from(sorted(encodings())))
def test_a_graph_computes_the_same_with_every_constant_encoded_that_may_be(many: list[int], name: str) -> None:
    # What saves no bytes is left plain otherwise, so that most constants of these graphs would not be tried.
    def all_of(candidates: Any, allowed: Any) -> list[Any]:
        return [encodings()[name].encode(one.values, one.layout) for one in candidates]

    before = [FlatBuffer(random_file(seed)) for seed in many]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("converters.encode.choose", all_of)
        patch.setattr("converters.encode._saves", lambda *_: True)
        after = [encode(one, encodings=(name,)) for one in before]
    assert sum(len(constants(one)) for one in before) > 10
    found = outputs([one.data for one in (*before, *after)], ["tflm"])
    for seed, one, other in zip(many, found[: len(many)], found[len(many) :], strict=True):
        assert same(one, other), (seed, name)
    assert any(one.is_encoded for one in after)
