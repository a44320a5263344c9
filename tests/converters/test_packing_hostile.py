"""Damaged and hostile files: shrinking, encoding and decoding end in a file or in `ModelError` in one line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encoded_cases import encoded, filled
from mutations import mutated
from packable_files import BOTH, LITERT, network
from small_tflite import G, Op, T, build, model, pack, small_graph

from converters.decode import Layout, encodings
from converters.encode import decoded, encode
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, side_file
from converters.shrink import shrink

ALL = tuple(encodings())
EDITS: dict[str, Callable[[FlatBuffer], FlatBuffer]] = {
    "shrink for litert": lambda one: shrink(one, engine="litert"),
    "shrink for tflm": lambda one: shrink(one, engine="tflm"),
    "encode": lambda one: encode(one, encodings=ALL),
    "decoded": decoded,
}


def check_edits(data: bytes) -> bool:
    """Whether the file is read; every edit and every constant of it is tried then."""
    try:
        flatbuffer = FlatBuffer(data)
    except ModelError as error:
        assert "\n" not in str(error)
        return False
    for graph in flatbuffer.graphs:
        for tensor in graph.tensors:
            if tensor.is_constant:
                one_line(lambda tensor=tensor: flatbuffer.constant(tensor))
    for edit in EDITS.values():
        edited = one_line(lambda edit=edit: edit(flatbuffer))
        if edited is not None:
            FlatBuffer(edited.data, edited.names)
    return True


def one_line(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ModelError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
        return None


def small_encoded(name: str) -> bytes:
    """A file of some 2 KB with one encoding, so that most mutations hit its DECODE operators and tables."""
    made = encode(shrink(FlatBuffer(build(network(width=8))), engine="tflm"), encodings=(name,))
    assert made.is_encoded
    return made.data


@pytest.fixture(scope="module")
def all_encoded() -> list[bytes]:
    return [small_encoded(name) for name in ALL]


def test_a_mutated_encoded_file_is_read_edited_or_refused(all_encoded: list[bytes]) -> None:
    taken = sum(map(check_edits, mutated(all_encoded, 450, seed=11)))
    assert 450 / 20 < taken < 450 * 19 / 20


def test_a_mutated_plain_file_is_edited_or_refused() -> None:
    plain = [make() for name, make in (BOTH | LITERT).items() if name not in ("network", "observed ranges")]
    taken = sum(map(check_edits, mutated(plain, 400, seed=12)))
    assert 400 / 20 < taken < 400 * 19 / 20


def test_every_cut_of_an_encoded_file_is_read_or_refused(all_encoded: list[bytes]) -> None:
    for data in all_encoded:
        assert not any(check_edits(data[:size]) for size in range(0, 64))
        for size in range(64, len(data), 97):
            check_edits(data[:size])
        assert check_edits(data)


def test_streams_and_tables_of_noise_are_refused_one_by_one(all_encoded: list[bytes]) -> None:
    rng = np.random.default_rng(13)
    for data in all_encoded:
        flatbuffer = FlatBuffer(data)
        for tensor in flatbuffer.tensors:
            if tensor.coded:
                for buffer in (tensor.coded.stream, tensor.coded.table):
                    place = flatbuffer._buffers[buffer]
                    spoiled = bytearray(data)
                    spoiled[place] = rng.bytes(place.stop - place.start)
                    check_edits(bytes(spoiled))


def without(field: str, operator: int) -> Callable[[Any], None]:
    return lambda tree: setattr(tree.subgraphs[0].operators[operator], field, None)


def first_input_absent(tree: Any) -> None:
    for operator in tree.subgraphs[0].operators:
        operator.inputs = [-1, *operator.inputs[1:]]


def weights_absent(tree: Any) -> None:
    for operator in tree.subgraphs[0].operators:
        operator.inputs = [operator.inputs[0], -1, *operator.inputs[2:]]


def odd_scales(tree: Any) -> None:
    for tensor in tree.subgraphs[0].tensors:
        if tensor.quantization is not None:
            tensor.quantization.scale, tensor.quantization.zeroPoint = [0.1] * 7, [1, 2, 3]


SPOILT: dict[str, Callable[[Any], None]] = {
    **{f"operator {number} without {field}": without(field, number) for number in range(4) for field in ("inputs",)},
    **{f"operator {number} without outputs": without("outputs", number) for number in range(4)},
    "no operators": lambda tree: setattr(tree.subgraphs[0], "operators", None),
    "no codes": lambda tree: (setattr(tree.subgraphs[0], "operators", None), setattr(tree, "operatorCodes", None)),
    "no tensors": lambda tree: (
        setattr(tree, "subgraphs", [type(tree.subgraphs[0])()]),
        setattr(tree, "operatorCodes", None),
        setattr(tree, "buffers", None),
    ),
    "no doors": lambda tree: (
        setattr(tree.subgraphs[0], "inputs", None),
        setattr(tree.subgraphs[0], "outputs", None),
    ),
    "first inputs absent": first_input_absent,
    "weights absent": weights_absent,
    "one input each": lambda tree: [setattr(one, "inputs", one.inputs[:1]) for one in tree.subgraphs[0].operators],
    "odd scales": odd_scales,
    "a tensor feeds itself": lambda tree: setattr(tree.subgraphs[0].operators[1], "outputs", [3]),
    "unused codes": lambda tree: tree.operatorCodes.extend(tree.operatorCodes[:2]),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_senseless_graph_is_edited_or_refused(case: str) -> None:
    for graph in (small_graph(), network(width=8)):
        tree = model(graph)
        SPOILT[case](tree)
        check_edits(pack(tree))
    assert check_edits(build(small_graph()))


@pytest.mark.parametrize("dtype", ["int4", "string", "bool", "uint8", "float16", "bfloat16", "complex64", "resource"])
def test_a_decode_operator_for_a_type_that_it_does_not_know_is_refused(dtype: str) -> None:
    for name, form in encoded(filled(Layout("int8", (64,)), "few", 1)).items():
        tensors = [
            T("s", (len(form.stream),), "uint8", raw=form.stream),
            T("t", (len(form.table),), "uint8", raw=form.table),
            T("v", (64,), dtype),
        ]
        data = build(G(tensors, [Op("TFLM_DECODE", ["s", "t"], ["v"])], [], ["v"]))
        assert check_edits(data)
        flatbuffer = FlatBuffer(data)
        with pytest.raises(ModelError):
            flatbuffer.constant(flatbuffer.tensors[2])
        assert name in ALL


@pytest.mark.parametrize("name", ALL)
def test_one_stream_cannot_be_decoded_over_and_over(name: str) -> None:
    # Each DECODE operator takes a few bytes of the file; what all of them make is bounded by the file's size.
    form = encoded(filled(Layout("int8", (1 << 16,)), "skewed", 1))[name]
    parts = [T("s", (len(form.stream),), "uint8", raw=form.stream), T("t", (len(form.table),), "uint8", raw=form.table)]

    def file(count: int) -> bytes:
        values = [T(f"v{number}", (1 << 16,)) for number in range(count)]
        operators = [Op("TFLM_DECODE", ["s", "t"], [one.name]) for one in values]
        return build(G([*parts, *values], operators, [], [values[0].name]))

    assert FlatBuffer(file(2)).tensors[2].encoding == name
    with pytest.raises(ModelError) as caught:
        FlatBuffer(file(600))
    assert "\n" not in str(caught.value)


# --- side files -----------------------------------------------------------------------------------------------------


def shrunk_on_disk(folder: Path) -> tuple[Path, FlatBuffer]:
    flatbuffer = shrink(FlatBuffer(BOTH["network"]()), engine="tflm")
    flatbuffer.save(folder / "m.tflite")
    return folder / "m.tflite", flatbuffer


def test_names_come_back_with_the_file(tmp_path: Path) -> None:
    path, flatbuffer = shrunk_on_disk(tmp_path)
    back = FlatBuffer.read(path)
    assert [tensor.name for tensor in back.tensors] == [tensor.name for tensor in flatbuffer.tensors]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["m.tflite", "m.tflite.names.json"]


def told(path: Path, **changes: Any) -> bytes:
    return json.dumps(json.loads(side_file.place(path).read_text()) | changes).encode()


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda path: b"",
    "no JSON": lambda path: b"names: [",
    "not UTF-8": lambda path: b"\xff\xfe\x00{}",
    "null": lambda path: b"null",
    "a number": lambda path: b"1e999",
    "a list": lambda path: b"[1, 2]",
    "deep": lambda path: b"[" * 200_000 + b"]" * 200_000,
    "deep names": lambda path: told(path)[:-2] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge number": lambda path: b"9" * 100_000,
    "a huge format": lambda path: told(path, format=int("9" * 4000)),
    "another format": lambda path: told(path, format=2),
    "another hash": lambda path: told(path, sha256="0" * 64),
    "no hash": lambda path: told(path, sha256=None),
    "names as text": lambda path: told(path, names="abc"),
    "names as numbers": lambda path: told(path, names=[[1, 2, 3]]),
    "names as objects": lambda path: told(path, names={"0": ["a"]}),
    "too few names": lambda path: told(path, names=[["a"]]),
    "too many names": lambda path: told(path, names=[["a"] * 10_000]),
    "too many graphs": lambda path: told(path, names=[["a"], ["b"]]),
    "no graphs": lambda path: told(path, names=[]),
    "a surrogate": lambda path: told(path, names=[["\ud800"] * 11]),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_side_file_never_keeps_its_model_from_being_read(case: str, tmp_path: Path) -> None:
    path, flatbuffer = shrunk_on_disk(tmp_path)
    side_file.place(path).write_bytes(HOSTILE[case](path))
    back = FlatBuffer.read(path)
    assert back.data == flatbuffer.data
    assert [tensor.shape for tensor in back.tensors] == [tensor.shape for tensor in flatbuffer.tensors]


def test_a_side_file_of_many_megabytes_is_not_read(tmp_path: Path) -> None:
    path, _ = shrunk_on_disk(tmp_path)
    with side_file.place(path).open("r+b") as stream:
        stream.truncate(1 << 40)  # a hole: it takes no space
    assert FlatBuffer.read(path).names is None


def test_a_side_file_that_is_a_folder_is_left_alone(tmp_path: Path) -> None:
    path, flatbuffer = shrunk_on_disk(tmp_path)
    side_file.place(path).unlink()
    side_file.place(path).mkdir()
    assert FlatBuffer.read(path).data == flatbuffer.data


def test_a_side_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path, _ = shrunk_on_disk(tmp_path)
    side_file.place(path).unlink()
    os.mkfifo(side_file.place(path))
    assert FlatBuffer.read(path).names is None


def test_names_that_no_file_could_hold_are_left_alone(tmp_path: Path) -> None:
    path, flatbuffer = shrunk_on_disk(tmp_path)
    side_file.place(path).write_bytes(told(path, names=[["\ud800"] * len(flatbuffer.tensors)]))
    assert FlatBuffer.read(path).names is None


@pytest.mark.parametrize("name", ["\x1b[2J\nevil", "a" * 100_000, "", "\0", "../../etc/passwd"])
def test_a_name_from_a_side_file_reaches_no_error_message_as_it_is(name: str, tmp_path: Path) -> None:
    path, flatbuffer = shrunk_on_disk(tmp_path)
    side_file.place(path).write_bytes(told(path, names=[[name] * len(flatbuffer.tensors)]))
    back = FlatBuffer.read(path)
    with pytest.raises(ModelError) as caught:
        back.constant(back.inputs[0])
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


def test_the_side_file_of_an_earlier_file_goes_when_a_file_with_names_takes_its_place(tmp_path: Path) -> None:
    path, _ = shrunk_on_disk(tmp_path)
    FlatBuffer(BOTH["network"]()).save(path, force=True)
    assert not side_file.place(path).exists()
