"""What users rely on: encoded weights are smaller, are the same weights, and are not what a kernel reads too early."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_runtime import outputs, same
from file_meaning import meaning
from packable_files import BOTH, FULL, network, shared_weights, skewed
from small_tflite import G, Op, Parts, T, build
from strict_flatbuffer import Checked

from converters.decode import Layout, encodings
from converters.encode import constants, decoded, encode
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.file import layout_of
from converters.runtimes import tflm
from converters.shrink import shrink

sys.path.insert(0, str(Path(__file__).parents[1] / "contracts"))

import operator_probes_shape  # noqa: E402, F401  (fills CASES)
from one_operator import build as build_one  # noqa: E402
from operator_probes import CASES  # noqa: E402

ALL = tuple(encodings())
needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")


def small(graph: G) -> FlatBuffer:
    return shrink(FlatBuffer(build(graph)), engine="tflm")


def constant_named(flatbuffer: FlatBuffer, name: str) -> np.ndarray:
    (tensor,) = (one for one in flatbuffer.tensors if one.name == name)
    return flatbuffer.constant(tensor)


def dense(weight: T, *more: T, outputs: tuple[str, ...] = ("y",), second: Op | None = None) -> G:
    """x @ weight -> y; what a test adds comes behind."""
    units, depth = weight.shape
    tensors = [T("x", (1, depth), scales=(0.05,)), weight, T("y", (1, units), scales=(0.1,)), *more]
    operators = [Op("FULLY_CONNECTED", ["x", weight.name, None], ["y"], FULL), *([second] if second else [])]
    return G(tensors, operators, ["x"], list(outputs))


@pytest.mark.parametrize("allowed", [("lut",), ("prune",), ("huffman",), ALL], ids=["lut", "prune", "huffman", "all"])
@pytest.mark.parametrize("name", ["network", "per tensor", "int16x8", "shared weights"])
def test_each_encoding_alone_saves_bytes_and_keeps_every_constant(name: str, allowed: tuple[str, ...]) -> None:
    before = shrink(FlatBuffer(BOTH[name]()), engine="tflm")
    after = encode(before, encodings=allowed)
    assert {tensor.encoding for tensor in after.tensors} - {""} <= set(allowed)
    assert after.is_encoded and len(after.data) < len(before.data)
    Checked(after.data)
    back = decoded(after)
    assert not back.is_encoded
    assert meaning(back.data, engine="tflm") == meaning(before.data, engine="tflm")
    for tensor in before.tensors:
        if tensor.is_constant:
            assert constant_named(after, tensor.name).tobytes() == before.constant(tensor).tobytes()
    assert encode(before, encodings=allowed).data == after.data


def test_no_encoding_asked_for_leaves_the_file_alone() -> None:
    before = small(network())
    assert encode(before, encodings=()) is before
    assert decoded(before) is before


def test_all_encodings_together_are_at_least_as_small_as_any_alone() -> None:
    for graph in (network(), shared_weights()):
        before = small(graph)
        alone = [len(encode(before, encodings=(name,)).data) for name in ALL]
        assert len(encode(before, encodings=ALL).data) <= min(alone)


def test_encoding_an_encoded_file_again_changes_nothing_or_saves_more() -> None:
    once = encode(small(network()), encodings=ALL)
    again = encode(once, encodings=ALL)
    assert len(again.data) <= len(once.data)
    assert meaning(decoded(again).data, engine="tflm") == meaning(decoded(once).data, engine="tflm")


def test_a_file_that_keeps_its_names_and_is_not_shrunk_is_encoded_too() -> None:
    before = FlatBuffer(build(network()))
    after = encode(before, encodings=ALL)
    assert after.is_encoded and len(after.data) < len(before.data)
    assert constant_named(after, "conv/w").tobytes() == constant_named(before, "conv/w").tobytes()


@pytest.mark.parametrize("allowed", ["lut", "prune", "huffman"])
def test_a_tensor_with_one_scale_is_encoded_whatever_axis_it_names(allowed: str) -> None:
    # TFLM refuses to decode a tensor of one scale whose axis is not 0.
    graph = network(per_channel=False, width=64)
    for tensor in graph.tensors:
        if tensor.name == "depth/w":
            tensor.axis = 3
    before = FlatBuffer(build(graph))
    after = encode(before, encodings=(allowed,))
    assert {tensor.name for tensor in after.tensors if tensor.encoding} >= {"depth/w", "dense/w"}
    if tflm.available():
        assert same(*outputs([before.data, after.data], ["tflm"]))


@needs_tflm
@pytest.mark.parametrize("points", [None, [0], "each"])
def test_channels_are_told_as_tflm_tells_them_by_scales_and_zero_points(points: Any) -> None:
    # Values such that tables per channel are smallest, if there are channels: TFLM sees none without zero points.
    rows = np.array([np.random.default_rng(row).choice([row, row - 90, 3 * row], 96) for row in range(24)])
    weight = T("w", (24, 96), values=rows, scales=[0.01 + 0.001 * row for row in range(24)])
    weight.zero_points = [0] * 24 if points == "each" else points or []
    before = FlatBuffer(build(dense(weight)))
    assert layout_of(before.tensors[1]).channels == (1 if points is None else 24)
    after = encode(before, encodings=("lut",))
    assert after.is_encoded or points is None
    assert same(*outputs([before.data, after.data], ["tflm"]))


@needs_tflm
def test_an_encoded_file_may_be_shrunk_afterwards() -> None:
    # Equal scales of all channels become one for TFLM, unless the tables of a decoded tensor go by its channels.
    graph = network()
    rows = np.array([np.random.default_rng(row).choice([row, row - 90, 3 * row], (3, 3, 4)) for row in range(24)])
    graph.tensors[1] = T("conv/w", (24, 3, 3, 4), values=rows, scales=[0.01] * 24)
    before = FlatBuffer(build(graph))
    after = encode(before, encodings=("lut",))
    assert {tensor.name for tensor in after.tensors if tensor.encoding} >= {"conv/w"}
    smaller = shrink(after, engine="tflm")
    assert len(smaller.data) < len(after.data)
    assert constant_named(smaller, "conv/w").tobytes() == constant_named(before, "conv/w").tobytes()
    one, *others = outputs([before.data, after.data, smaller.data], ["tflm"])
    assert all(same(one, other) for other in others)


def test_scales_that_do_not_share_out_the_elements_are_no_channels() -> None:
    graph = dense(T("w", (8, 50), values=skewed((8, 50), 1), scales=[0.1] * 7))
    before = FlatBuffer(build(graph))
    after = encode(before, encodings=("lut", "prune"))
    assert after is before
    assert not Layout("int8", (8, 50), (0,) * 7, 7).is_supported


# --- what must stay plain -------------------------------------------------------------------------------------------


def test_a_constant_that_is_an_output_too_stays_plain() -> None:
    weight = T("w", (64, 64), values=skewed((64, 64), 1), scales=(0.02,))
    assert encode(small(dense(weight)), encodings=ALL).is_encoded
    before = small(dense(weight, outputs=("y", "w")))
    assert encode(before, encodings=ALL) is before


def test_a_constant_that_another_operator_reads_when_it_is_prepared_stays_plain() -> None:
    weight = T("w", (64, 64), values=skewed((64, 64), 1), scales=(0.02,))
    out = T("z", (64, 64), scales=(0.02,))
    before = small(dense(weight, out, outputs=("y", "z"), second=Op("RELU", ["w"], ["z"])))
    assert encode(before, encodings=ALL) is before


def test_a_constant_that_another_graph_shows_stays_plain() -> None:
    weight = T("w", (64, 64), values=skewed((64, 64), 1), scales=(0.02,))
    other = G([T("w", (64, 64), values=skewed((64, 64), 1), scales=(0.02,))], [], [], ["w"])
    before = shrink(FlatBuffer(build(dense(weight), other)), engine="tflm")
    assert encode(before, encodings=ALL) is before


def test_a_constant_that_is_shown_in_two_shapes_is_decoded_in_neither() -> None:
    values = skewed((64, 64), 1)
    tensors = [
        T("w", (64, 64), values=values, scales=(0.02,)),
        T("v", (32, 128), values=values.reshape(32, 128), scales=(0.02,)),
    ]
    more = [T("x2", (1, 128), scales=(0.05,)), T("z", (1, 32), scales=(0.1,)), tensors[1]]
    graph = dense(tensors[0], *more, outputs=("y", "z"), second=Op("FULLY_CONNECTED", ["x2", "v", None], ["z"], FULL))
    graph.inputs = ["x", "x2"]
    before = small(graph)
    assert not any(one.candidate.values.size == 4096 for one in constants(before))


def test_metadata_of_the_same_content_as_a_weight_keep_it() -> None:
    values = skewed((64, 64), 1).astype(np.int8)
    weight = T("w", (64, 64), values=values, scales=(0.02,))
    parts = Parts({"TFLITE_METADATA": values.tobytes()})
    before = shrink(FlatBuffer(build(dense(weight), parts=parts)), engine="litert")
    after = encode(before, encodings=ALL)
    assert after.metadata["TFLITE_METADATA"] == values.tobytes()


def test_the_constants_of_operators_that_are_left_out_stay_plain() -> None:
    before = small(network())
    readers = {constant.readers for constant in constants(before)}
    for number in range(len(before.operators)):
        after = encode(before, encodings=ALL, leaving=(number,))
        plain = decoded(after).operators[number]
        kept = [before.tensors[index].name for index in plain.inputs[1:]]
        assert not any(tensor.encoding for tensor in after.tensors if tensor.name in kept)
    assert encode(before, encodings=ALL, leaving=range(len(before.operators))) is before
    assert len(readers) > 2


def test_every_reader_gets_a_decode_operator_right_before_it() -> None:
    after = encode(small(shared_weights()), encodings=ALL)
    computed: dict[int, str] = {}
    for operator in after.operators:
        for index in operator.inputs:
            if index >= 0 and after.tensors[index].encoding:
                # Its memory is free for others once this operator has run: nothing may lie between.
                assert computed[index] == f"{operator.index - 1} TFLM_DECODE"
        computed.update(dict.fromkeys(operator.outputs, f"{operator.index} {operator.name}"))
    decodings = [operator for operator in after.operators if operator.name == "TFLM_DECODE"]
    assert len(decodings) >= 3
    assert all(len(operator.inputs) == 2 * len(operator.outputs) for operator in decodings)
    filled = [index for operator in decodings for index in operator.outputs]
    assert len(filled) == len(set(filled))


@needs_tflm
def test_tflm_computes_the_same_from_encoded_files() -> None:
    before = [shrink(FlatBuffer(BOTH[name]()), engine="tflm") for name in BOTH]
    after = [encode(one, encodings=allowed) for one in before for allowed in (("lut",), ("prune",), ("huffman",), ALL)]
    found = outputs([one.data for one in (*before, *after)], ["tflm"])
    for number in range(len(after)):
        assert same(found[number // 4], found[len(before) + number]), list(BOTH)[number // 4]
    assert sum(one.is_encoded for one in after) >= 16


@needs_tflm
def test_no_operator_reads_an_encoded_constant_while_it_is_prepared() -> None:
    # Every operator and type that TFLM has a kernel for, with everything encoded that is believed to be read in time,
    # and each activation turned into a constant where that is possible.
    def forced(candidates: Any, allowed: Any) -> list[Any]:
        found = []
        for one in candidates:
            forms = [encodings()[name].encode(one.values, one.layout) for name in allowed]
            found.append(next((form for form in forms if form is not None), None))
        return found

    files, names = [], []
    for name, make in CASES.items():
        for dtype in ("int8", "int16", "float32"):
            try:
                flatbuffer = FlatBuffer(build_one(make(dtype)))
            except (KeyError, TypeError, OverflowError):
                continue
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("converters.encode.choose", forced)
                patch.setattr("converters.encode._saves", lambda *_: True)
                after = encode(flatbuffer, encodings=("lut", "prune", "huffman"))
            if after.is_encoded:
                files += [flatbuffer.data, after.data]
                names.append((name, dtype))
    found = outputs(files, ["tflm"], samples=1)
    tried = set()
    for number, name in enumerate(names):
        plain, coded = found[2 * number], found[2 * number + 1]
        if not isinstance(plain["tflm"], str):
            assert same(plain, coded), name
            tried.add(name[0])
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"} <= tried
