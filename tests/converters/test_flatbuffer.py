"""What `FlatBuffer` reads, against the official generated reader, and what it refuses."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from small_tflite import BYTES, G, Op, Parts, T, build, model, pack, small_file, small_graph

from converters.decode import Layout, encodings
from converters.errors import FileError, ModelError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.schema import OPERATORS, TABLES, TENSOR_TYPES, UNIONS

GOLDEN = Path(__file__).parents[1] / "golden"
REAL = [
    "ic/pretrainedResnet.tflite",
    "ic/pretrainedResnet_quant.tflite",
    "ic/pretrainedResnet_large_int8.tflite",
    "kws/kws_ref_model.tflite",
    "kws/kws_ref_model_float32.tflite",
]


def one_tensor(tensor: T) -> FlatBuffer:
    return FlatBuffer(build(G([tensor], [], [], [tensor.name])))


# --- the same as the official reader ------------------------------------------------------------------------------


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def check_against_the_generated_reader(data: bytes) -> None:
    official = schema.ModelT.InitFromPackedBuf(data, 0)
    ours = FlatBuffer(data)
    assert len(ours.graphs) == len(official.subgraphs)
    for mine, theirs in zip(ours.graphs, official.subgraphs, strict=True):
        assert list(mine.inputs) == list(theirs.inputs)
        assert list(mine.outputs) == list(theirs.outputs)
        for tensor, other in zip(mine.tensors, theirs.tensors, strict=True):
            check_tensor(ours, tensor, other, official)
        for operator, other in zip(mine.operators, theirs.operators, strict=True):
            check_operator(operator, other, official)
    metadata = {item.name.decode(): bytes(official.buffers[item.buffer].data) for item in official.metadata or []}
    assert ours.metadata == metadata
    for signature, other in zip(ours.signatures, official.signatureDefs or [], strict=True):
        assert signature.key == other.signatureKey.decode()
        assert signature.inputs == {item.name.decode(): item.tensorIndex for item in other.inputs}
        assert signature.outputs == {item.name.decode(): item.tensorIndex for item in other.outputs}


def check_tensor(ours: FlatBuffer, tensor: Any, other: Any, official: Any) -> None:
    assert tensor.name == other.name.decode()
    assert list(tensor.shape) == ([] if other.shape is None else list(other.shape))
    assert tensor.dtype == TENSOR_TYPES[other.type]
    assert tensor.buffer == other.buffer
    stored = official.buffers[other.buffer].data
    assert tensor.is_constant == (stored is not None and len(stored) > 0)
    if tensor.is_constant:
        assert ours.constant(tensor).tobytes() == bytes(stored)
        assert ours.constant(tensor).shape == tensor.shape
        assert tensor.bytes == len(stored)
    else:
        assert tensor.bytes == math.prod(tensor.shape) * BYTES[tensor.dtype]
    quantization = other.quantization
    scales = [] if quantization is None or quantization.scale is None else quantization.scale
    points = [] if quantization is None or quantization.zeroPoint is None else quantization.zeroPoint
    assert tensor.scales.tolist() == list(scales)
    assert tensor.zero_points.tolist() == list(points)
    assert tensor.axis == (0 if quantization is None else quantization.quantizedDimension)
    assert list(tensor.shape_signature) == ([] if other.shapeSignature is None else list(other.shapeSignature))


def check_operator(operator: Any, other: Any, official: Any) -> None:
    code = official.operatorCodes[other.opcodeIndex]
    name = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
    assert operator.name == (code.customCode.decode() if name == "CUSTOM" else name)
    assert operator.version == code.version
    assert list(operator.inputs) == list(other.inputs)
    assert list(operator.outputs) == list(other.outputs)
    table = UNIONS["Operator", "builtin_options"][other.builtinOptionsType]
    for field in TABLES[table]:
        expected = getattr(other.builtinOptions, camel(field.name))
        if field.kind == "vector":
            assert operator.options[field.name] == tuple(np.asarray(expected).tolist())
        else:
            assert operator.options[field.name] == expected


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_every_value_equals_the_official_readers(dtype: str) -> None:
    check_against_the_generated_reader(small_file(dtype))


@pytest.mark.parametrize("name", REAL)
def test_every_value_of_real_files_equals_the_official_readers(name: str, real_data: Path) -> None:
    check_against_the_generated_reader((real_data / "mlperf_tiny" / name).read_bytes())


# --- what operators are, as text ----------------------------------------------------------------------------------


def operator_list(flatbuffer: FlatBuffer) -> str:
    lines = []
    for operator in flatbuffer.operators:
        shapes = " ".join("x".join(map(str, flatbuffer.tensors[index].shape)) for index in operator.outputs)
        dtype = flatbuffer.tensors[operator.outputs[0]].dtype
        lines.append(f"{operator.index:>2} {operator.name:<18} {operator.layer:<20} {dtype} {shapes} {operator.macs}")
    parts = " ".join(f"{name}={size}" for name, size in flatbuffer.ledger.items())
    total = f"{len(flatbuffer.data)} bytes: {parts}; {flatbuffer.macs} MACs, {flatbuffer.parameters} parameters"
    return "\n".join([*lines, total, ""])


def test_the_operators_of_a_small_file_read_as_they_did() -> None:
    assert operator_list(FlatBuffer(small_file())) == (GOLDEN / "operators_small.txt").read_text()


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("ic/pretrainedResnet_quant.tflite", "operators_ic_int8.txt"),
        ("ic/pretrainedResnet.tflite", "operators_ic_float32.txt"),
        ("kws/kws_ref_model.tflite", "operators_kws_int8.txt"),
    ],
)
def test_the_operators_of_real_files_read_as_they_did(name: str, golden: str, real_data: Path) -> None:
    assert operator_list(FlatBuffer.read(real_data / "mlperf_tiny" / name)) == (GOLDEN / golden).read_text()


# --- constants ----------------------------------------------------------------------------------------------------


def test_int4_weights_come_unpacked_with_the_first_in_the_low_bits() -> None:
    flatbuffer = one_tensor(T("w", (3,), "int4", raw=bytes([0x9F, 0x07])))
    assert flatbuffer.constant(flatbuffer.tensors[0]).tolist() == [-1, -7, 7]
    assert flatbuffer.tensors[0].bytes == 2


def test_bfloat16_weights_come_as_the_numbers_they_are() -> None:
    raw = (np.array([1.5, -0.25], np.float32).view(np.uint32) >> 16).astype("<u2").tobytes()
    flatbuffer = one_tensor(T("w", (2,), "bfloat16", raw=raw))
    assert flatbuffer.constant(flatbuffer.tensors[0]).tolist() == [1.5, -0.25]


def test_stored_values_cannot_be_changed_through_the_view() -> None:
    flatbuffer = FlatBuffer(small_file())
    constant = next(tensor for tensor in flatbuffer.tensors if tensor.is_constant)
    with pytest.raises(ValueError, match="read-only"):
        flatbuffer.constant(constant)[...] = 0


def test_asking_for_the_values_of_an_activation_says_that_there_are_none() -> None:
    flatbuffer = FlatBuffer(small_file())
    with pytest.raises(ModelError, match="computed when the model runs"):
        flatbuffer.constant(flatbuffer.inputs[0])


# --- ledger, parameters, integer-only -----------------------------------------------------------------------------


def test_weights_and_biases_count_by_their_use_and_shapes_as_graph() -> None:
    flatbuffer = FlatBuffer(small_file())
    assert flatbuffer.ledger["weights"] == 3 * 3 * 3 * 2 + 5 * 48
    assert flatbuffer.ledger["biases"] == 4 * (3 + 5)
    assert flatbuffer.parameters == 3 * 3 * 3 * 2 + 5 * 48 + 3 + 5
    assert sum(flatbuffer.ledger.values()) == len(flatbuffer.data)


def test_a_buffer_that_two_tensors_share_counts_once() -> None:
    tree = model(G([T("a", (4,), values=[1, 2, 3, 4]), T("b", (4,))], [], [], ["a", "b"]))
    tree.subgraphs[0].tensors[1].buffer = tree.subgraphs[0].tensors[0].buffer
    flatbuffer = FlatBuffer(pack(tree))
    assert flatbuffer.ledger["weights"] == 4
    assert flatbuffer.parameters == 4


def test_a_buffer_that_nothing_refers_to_is_padding() -> None:
    plain = FlatBuffer(build(small_graph()))
    unused = FlatBuffer(build(small_graph(), parts=Parts(unused=[bytes(1000)])))
    assert unused.ledger["padding"] >= plain.ledger["padding"] + 1000
    assert unused.ledger["weights"] == plain.ledger["weights"]


def test_half_precision_weights_count_through_their_dequantize() -> None:
    tensors = [
        T("x", (1, 4), "float32"),
        T("dense/w16", (2, 4), "float16", values=1.0),
        T("dense/b16", (2,), "float16", values=1.0),
        T("w", (2, 4), "float32"),
        T("b", (2,), "float32"),
        T("y", (1, 2), "float32"),
    ]
    operators = [Op("DEQUANTIZE", ["dense/w16"], ["w"]), Op("DEQUANTIZE", ["dense/b16"], ["b"])]
    operators.append(Op("FULLY_CONNECTED", ["x", "w", "b"], ["y"]))
    flatbuffer = FlatBuffer(build(G(tensors, operators, ["x"], ["y"])))
    assert (flatbuffer.ledger["weights"], flatbuffer.ledger["biases"], flatbuffer.parameters) == (16, 4, 10)
    assert flatbuffer.operators[2].layer == "dense"


def test_weights_that_decode_restores_count_as_the_weights_they_stand_for() -> None:
    values = np.arange(24, dtype=np.int8).reshape(3, 8) // 12
    form = encodings()["lut"].encode(values, Layout("int8", (3, 8)))
    assert form is not None
    tensors = [
        T("x", (1, 8)),
        T("dense/w", (len(form.stream),), "uint8", raw=form.stream),
        T("dense/w_ancillary", (len(form.table),), "uint8", raw=form.table),
        T("dense/w_decoded", (3, 8), scales=(0.1,)),
        T("y", (1, 3)),
    ]
    operators = [Op("TFLM_DECODE", ["dense/w", "dense/w_ancillary"], ["dense/w_decoded"])]
    operators.append(Op("FULLY_CONNECTED", ["x", "dense/w_decoded", None], ["y"]))
    flatbuffer = FlatBuffer(build(G(tensors, operators, ["x"], ["y"])))
    assert flatbuffer.ledger["lut"] == len(form.stream) + len(form.table)
    assert flatbuffer.ledger["weights"] == 0
    assert flatbuffer.parameters == 24
    decoded = flatbuffer.tensors[3]
    assert (decoded.encoding, decoded.bytes, decoded.stored_bytes) == ("lut", 24, len(form.stream))
    np.testing.assert_array_equal(flatbuffer.constant(decoded), values)


def test_integer_only_means_no_float_tensor_in_any_graph() -> None:
    body = G([T("x", (1,), "float32")], [], ["x"], ["x"], "body")
    assert FlatBuffer(small_file("int8")).integer_only
    assert not FlatBuffer(small_file("float32")).integer_only
    assert not FlatBuffer(build(small_graph("int8"), body)).integer_only


def test_the_gzip_size_is_that_of_gzip_9_without_a_time() -> None:
    data = small_file()
    assert FlatBuffer(data).gzip_bytes == len(gzip.compress(data, 9, mtime=0))


def test_large_models_data_behind_the_flatbuffer_is_found() -> None:
    tree = model(G([T("w", (64,), values=0)], [], [], ["w"]))
    tree.buffers[1].data, tree.buffers[1].offset, tree.buffers[1].size = None, 1 << 20, 64
    start = len(pack(tree))
    tree.buffers[1].offset = start
    data = pack(tree) + bytes(range(64))
    flatbuffer = FlatBuffer(data)
    assert flatbuffer.constant(flatbuffer.tensors[0]).tolist() == list(range(64))
    assert flatbuffer.ledger["weights"] == 64
    with pytest.raises(ModelError, match="the file is cut"):
        FlatBuffer(data[:-1])


# --- files --------------------------------------------------------------------------------------------------------


def test_reading_says_what_is_wrong_with_a_path(tmp_path: Path) -> None:
    for name, content in {
        "empty.tflite": b"",
        "text.tflite": b"hello world",
        "zip.tflite": b"PK\3\4" + bytes(99),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=rf"{name}: this is no \.tflite file"):
            FlatBuffer.read(tmp_path / name)
    with pytest.raises(FileError, match="does not exist"):
        FlatBuffer.read(tmp_path / "missing.tflite")
    with pytest.raises(FileError, match="is a folder"):
        FlatBuffer.read(tmp_path)
    with pytest.raises(FileError, match="is a device"):
        FlatBuffer.read("/dev/null")


def test_a_saved_file_is_the_same_bytes(tmp_path: Path) -> None:
    flatbuffer = FlatBuffer(small_file())
    flatbuffer.save(tmp_path / "m.tflite")
    assert FlatBuffer.read(tmp_path / "m.tflite") == flatbuffer
    with pytest.raises(FileError, match="--force"):
        flatbuffer.save(tmp_path / "m.tflite")
