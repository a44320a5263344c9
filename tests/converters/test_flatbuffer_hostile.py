"""Damaged and hostile files: `ModelError` in one line or views that can all be read, and never much work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from mutations import mutated
from small_tflite import G, Op, T, build, model, pack, small_file, small_graph

from converters.errors import CertificateError, ModelError
from converters.flatbuffer import FlatBuffer
from converters.spec import ConversionSpec
from converters.verify import verify
from tfcompress.report.inspection import describe

MUTANTS = 700


def calls_made(function: Callable[[], Any]) -> int:
    """How many functions are called, native ones too: a measure of work that no busy machine can change."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def read_everything(data: bytes) -> bool:
    """Whether the file was taken; every view of it is read then."""
    try:
        flatbuffer = FlatBuffer(data)
    except ModelError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        return False
    assert sum(flatbuffer.ledger.values()) == len(data)
    assert all(size >= 0 for size in flatbuffer.ledger.values())
    for tensor in flatbuffer.tensors:
        if tensor.is_constant:
            assert flatbuffer.constant(tensor).size >= 0
    described = describe(flatbuffer)
    assert len(described["tensors"]) == len(flatbuffer.tensors)
    try:
        verify(flatbuffer, ConversionSpec())
    except CertificateError as error:
        assert "\n" not in str(error)
    return True


def check_mutants(files: list[bytes], count: int, *, seed: int) -> None:
    taken = 0
    for data in mutated(files, count, seed=seed):
        work = 0

        def read(data: bytes = data) -> None:
            nonlocal taken
            taken += read_everything(data)

        work = calls_made(read)
        assert work < 100_000 + 20 * len(data)
    # Both ways out were walked: a reader that refuses everything would pass otherwise, and one that checks nothing.
    assert count / 20 < taken < count * 19 / 20


def test_a_mutated_small_file_is_refused_in_one_line_or_readable() -> None:
    control_flow = G(
        [T("x", (1, 4), scales=(0.1,)), T("c", (), "bool", values=True), T("y", (1, 4), scales=(0.1,))],
        [Op("IF", ["c", "x"], ["y"], ("IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 1}))],
        ["x"],
        ["y"],
    )
    custom = G([T("x", (2,), "float32"), T("y", (2,), "float32")], [Op("FlexErf", ["x"], ["y"])], ["x"], ["y"])
    files = [small_file("int8"), small_file("float32"), build(control_flow, small_graph()), build(custom)]
    check_mutants(files, MUTANTS, seed=3)


def test_a_mutated_real_file_is_refused_in_one_line_or_readable(real_data: Path) -> None:
    names = ("ic/pretrainedResnet_quant.tflite", "kws/kws_ref_model.tflite", "kws/kws_ref_model_float32.tflite")
    check_mutants([(real_data / "mlperf_tiny" / name).read_bytes() for name in names], 120, seed=4)


def test_every_cut_of_a_file_is_refused_or_readable() -> None:
    data = small_file()
    assert not any(read_everything(data[:size]) for size in range(0, 64))
    for size in range(64, len(data), 13):
        read_everything(data[:size])


def test_noise_behind_the_identifier_is_refused_or_readable() -> None:
    rng = np.random.default_rng(5)
    for size in (8, 9, 12, 40, 400, 4000):
        for _ in range(20):
            read_everything(rng.bytes(4) + b"TFL3" + rng.bytes(size))


# --- files made to cost much ---------------------------------------------------------------------------------------


def shared(make: Callable[[flatbuffers.Builder], int], count: int, *, tensors: bool) -> bytes:
    """A graph whose vector of tensors (or operators) names one table `count` times."""
    builder = flatbuffers.Builder(1 << 20)
    table = make(builder)
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    many = builder.EndVector()
    one = None
    if not tensors:
        schema.TensorStart(builder)
        tensor = schema.TensorEnd(builder)
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(tensor)
        one = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, many if one is None else one)
    if one is not None:
        schema.SubGraphAddOperators(builder, many)
    graph = schema.SubGraphEnd(builder)
    return finish(builder, graph)


def finish(builder: flatbuffers.Builder, graph: int) -> bytes:
    vectors = []
    for kind in ("OperatorCode", "Buffer"):
        getattr(schema, f"{kind}Start")(builder)
        table = getattr(schema, f"{kind}End")(builder)
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(table)
        vectors.append(builder.EndVector())
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddOperatorCodes(builder, vectors[0])
    schema.ModelAddBuffers(builder, vectors[1])
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def empty_operator(builder: flatbuffers.Builder) -> int:
    schema.OperatorStart(builder)
    end: int = schema.OperatorEnd(builder)
    return end


def wide_operator(builder: flatbuffers.Builder) -> int:
    builder.StartVector(4, 50_000, 4)
    for _ in range(50_000):
        builder.PrependInt32(0)
    inputs = builder.EndVector()
    schema.OperatorStart(builder)
    schema.OperatorAddInputs(builder, inputs)
    end: int = schema.OperatorEnd(builder)
    return end


def tensor_with_a_long_name(builder: flatbuffers.Builder) -> int:
    name = builder.CreateString("a/" * 100_000)
    schema.TensorStart(builder)
    schema.TensorAddName(builder, name)
    end: int = schema.TensorEnd(builder)
    return end


def test_a_few_operators_may_share_one_table() -> None:
    assert len(FlatBuffer(shared(empty_operator, 3, tensors=False)).operators) == 3


def test_hundreds_of_thousands_of_operators_in_one_table_are_refused() -> None:
    with pytest.raises(ModelError, match="no real model has as many"):
        FlatBuffer(shared(empty_operator, 150_000, tensors=False))


@pytest.mark.parametrize(("make", "tensors"), [(wide_operator, False), (tensor_with_a_long_name, True)])
def test_objects_that_multiply_by_sharing_are_refused(make: Callable[..., int], tensors: bool) -> None:
    data = shared(make, 400, tensors=tensors)
    work = 0

    def read() -> None:
        with pytest.raises(ModelError, match="share their content far too often"):
            FlatBuffer(data)

    work = calls_made(read)
    assert work < 100_000


def test_a_graph_listed_a_thousand_times_is_refused() -> None:
    data = bytearray(small_file())
    tree = model(*[small_graph()] * 1)
    builder = flatbuffers.Builder(1024)
    graph = tree.subgraphs[0].Pack(builder)
    builder.StartVector(4, 1000, 4)
    for _ in range(1000):
        builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    buffers = [schema.BufferT().Pack(builder) for _ in tree.buffers]
    builder.StartVector(4, len(buffers), 4)
    for buffer in buffers:
        builder.PrependUOffsetTRelative(buffer)
    buffers = builder.EndVector()
    codes = [code.Pack(builder) for code in tree.operatorCodes]
    builder.StartVector(4, len(codes), 4)
    for code in reversed(codes):
        builder.PrependUOffsetTRelative(code)
    codes = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddBuffers(builder, buffers)
    schema.ModelAddOperatorCodes(builder, codes)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    data = bytes(builder.Output())
    with pytest.raises(ModelError, match="share their content far too often"):
        FlatBuffer(data)


# --- values that make no sense -------------------------------------------------------------------------------------


def spoiled(change: Callable[[Any], None]) -> bytes:
    tree = model(small_graph())
    change(tree)
    return pack(tree)


def change_tensor(**values: Any) -> Callable[[Any], None]:
    def change(tree: Any) -> None:
        for name, value in values.items():
            setattr(tree.subgraphs[0].tensors[1], name, value)

    return change


def change_operator(**values: Any) -> Callable[[Any], None]:
    def change(tree: Any) -> None:
        for name, value in values.items():
            setattr(tree.subgraphs[0].operators[0], name, value)

    return change


SENSELESS = {
    "type": (change_tensor(type=99), "unknown type 99"),
    "buffer": (change_tensor(buffer=1000), "buffer 1000 of"),
    "negative size": (change_tensor(shape=[-3, 3]), "impossible shape"),
    "huge size": (change_tensor(shape=[2**31 - 1] * 8), "impossible shape"),
    "rank": (change_tensor(shape=[1] * 1000), "1000 dimensions"),
    "too few bytes": (
        change_tensor(shape=[4, 3, 3, 3]),
        r"stores 54 bytes, but int8 of shape \[4, 3, 3, 3\] takes 108",
    ),
    "input": (change_operator(inputs=[0, 77, 2]), "name tensor 77, but there are 10"),
    "negative input": (change_operator(inputs=[-2]), "name tensor -2"),
    "absent output": (change_operator(outputs=[-1]), "name tensor -1"),
    "opcode": (change_operator(opcodeIndex=9), "has code 9 of 4"),
    "graph input": (lambda tree: setattr(tree.subgraphs[0], "inputs", [10]), "inputs of the model name tensor 10"),
    "no graph": (lambda tree: setattr(tree, "subgraphs", []), "no graph"),
    "operator": (lambda tree: setattr(tree.operatorCodes[0], "builtinCode", 5000), "unknown code 5000"),
    "axis": (lambda tree: setattr(tree.subgraphs[0].tensors[1].quantization, "quantizedDimension", 4), "along axis 4"),
    "elsewhere": (lambda tree: setattr(tree, "externalBuffers", [schema.ExternalBufferT()]), "weights in other files"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_values_that_make_no_sense_are_named(case: str) -> None:
    change, message = SENSELESS[case]
    with pytest.raises(ModelError, match=message):
        FlatBuffer(spoiled(change))


def test_a_bias_with_the_axis_of_its_kernel_is_read_as_old_converters_meant_it() -> None:
    # TFLM's own person_detect.tflite of 2020 is such a file.
    def change(tree: Any) -> None:
        tree.subgraphs[0].tensors[2].quantization.quantizedDimension = 3

    bias = FlatBuffer(spoiled(change)).tensors[2]
    assert (len(bias.shape), bias.axis) == (1, 0)
    assert len(bias.scales) == bias.shape[0] > 1


def test_control_characters_in_names_do_not_reach_an_error_message() -> None:
    graph = G([T("\x1b[2J\nevil", (2,), values=[1, 2])], [], [], ["\x1b[2J\nevil"])
    tree = model(graph)
    tree.subgraphs[0].tensors[0].shape = [3]
    with pytest.raises(ModelError) as caught:
        FlatBuffer(pack(tree))
    assert str(caught.value).isprintable()


def test_a_name_that_is_no_text_is_still_a_name() -> None:
    tree = model(G([T("x", (2,), values=[1, 2])], [], [], ["x"]))
    tree.subgraphs[0].tensors[0].name = b"\xff\xfe\x80"
    assert FlatBuffer(pack(tree)).tensors[0].name == "\ufffd" * 3
