"""Whatever a file holds, written anew it says the same, is what the official verifier takes, and is no larger."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tflite import G, Op, T, build, model, pack, small_file, small_graph
from strict_flatbuffer import Checked, random_row, same

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, rows
from converters.flatbuffer.schema import SCALARS, TABLES, UNIONS

FILES = ["ic/pretrainedResnet_quant.tflite", "ic/pretrainedResnet.tflite", "kws/kws_ref_model.tflite"]

random_models = st.builds(
    lambda seed, present: random_row("Model", np.random.default_rng(seed), present=present),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.2, 0.5, 0.8, 0.95]),
)


def packed_officially(data: bytes) -> bytes:
    tree = schema.ModelT.InitFromPackedBuf(data, 0)
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@settings(max_examples=120, deadline=None)
@given(random_models)
def test_every_field_of_every_table_is_read_back_as_it_was_written(row: rows.Row) -> None:
    data = rows.write(row)
    back = rows.read(data)
    assert same(back, row)
    assert rows.write(back) == data


@settings(max_examples=120, deadline=None)
@given(random_models)
def test_every_offset_and_alignment_is_as_the_format_asks_for(row: rows.Row) -> None:
    checked = Checked(rows.write(row))
    assert not checked.overlaps()


def test_the_checker_finds_what_is_misplaced() -> None:
    data = small_file()
    Checked(data, aligned=False)
    for change in (1, 2, 4):
        moved = int.from_bytes(data[:4], "little") + change
        with pytest.raises((AssertionError, KeyError, IndexError)):
            Checked(moved.to_bytes(4, "little") + data[4:], aligned=False)
    with pytest.raises(AssertionError):  # the official Python writer aligns to what the numbers need
        Checked(data)


@pytest.mark.parametrize("union", ["builtin_options", "builtin_options2"])
def test_the_options_of_every_operator_are_read_back(union: str) -> None:
    rng = np.random.default_rng(0)
    operators = []
    for number, table in enumerate(UNIONS["Operator", union]):
        if number:
            options = random_row(table, rng, present=1.0)
            operators.append(rows.new("Operator", **{f"{union}_type": number, union: options}))
    row = rows.new("Model", subgraphs=[rows.new("SubGraph", operators=operators)])
    data = rows.write(row)
    assert same(rows.read(data), row)
    Checked(data)
    official = schema.ModelT.InitFromPackedBuf(data, 0).subgraphs[0].operators
    field = "".join(part.capitalize() for part in union.split("_"))
    for operator, table in zip(official, UNIONS["Operator", union][1:], strict=True):
        assert type(getattr(operator, field[0].lower() + field[1:])).__name__ == f"{table}T"


@settings(max_examples=100, deadline=None)
@given(random_models)
def test_the_official_reader_finds_every_value_that_was_written(row: rows.Row) -> None:
    assert official_says(schema.ModelT.InitFromPackedBuf(rows.write(row), 0), row, "Model")


def official_says(official: Any, row: rows.Row, table: str) -> bool:
    """Whether the official object of a table has the values of a row; it does not tell absent from empty."""
    for field in TABLES[table]:
        first, *rest = field.name.split("_")
        found, value = getattr(official, first + "".join(part.capitalize() for part in rest)), row[field.name]
        if field.kind == "scalar":
            assert found == value, field
        elif value is None:
            assert found is None or len(found) == 0, field
        elif field.kind == "string":
            assert found == value.encode(), field
        elif field.kind in ("bytes", "vector"):
            kind = np.dtype("u1" if field.kind == "bytes" else SCALARS[field.type][0])
            content = np.asarray([] if found is None else found, kind)
            assert content.tobytes() == bytes(value), field
        elif field.kind == "tables":
            assert all(official_says(one, item, field.type) for one, item in zip(found or [], value, strict=True))
        else:
            inner = UNIONS[table, field.name][row[f"{field.name}_type"]] if field.kind == "union" else field.type
            assert official_says(found, value, inner)
    return True


@pytest.mark.parametrize("data", [small_file("int8"), small_file("float32")], ids=["int8", "float32"])
def test_a_file_written_anew_says_the_same_in_no_more_bytes(data: bytes) -> None:
    written = rows.write(rows.read(data))
    assert same(rows.read(written), rows.read(data))
    assert len(written) <= len(packed_officially(data))
    Checked(written)


@pytest.mark.parametrize("name", FILES)
def test_real_files_written_anew_say_the_same_in_no_more_bytes(name: str, real_data: Path) -> None:
    data = (real_data / "mlperf_tiny" / name).read_bytes()
    written = rows.write(rows.read(data))
    assert same(rows.read(written), rows.read(data))
    assert len(written) <= min(len(data), len(packed_officially(data)))
    checked = Checked(written)
    assert not checked.overlaps()
    assert checked.wasted() < 400
    assert official_says(schema.ModelT.InitFromPackedBuf(written, 0), rows.read(data), "Model")


def test_equal_rows_give_equal_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path[:0] = ['tests', '.']\n"
        "import hashlib, numpy as np\nfrom strict_flatbuffer import random_row\n"
        "from converters.flatbuffer import rows\n"
        "print(hashlib.sha256(rows.write(random_row('Model', np.random.default_rng(7), present=0.9))).hexdigest())"
    )
    root = Path(__file__).parents[2]
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0].strip()) == 64


@pytest.mark.parametrize("sizes", [[1], [16], [3, 5, 17], [1] * 40, list(range(1, 60)), [1000, 1, 1, 1]])
def test_contents_of_buffers_lie_on_sixteen_bytes(sizes: list[int]) -> None:
    tensors = [T(f"t{i}", (size,), values=(np.arange(size) + i) % 100) for i, size in enumerate(sizes)]
    data = rows.write(rows.read(build(G(tensors, [], [], ["t0"]))))
    flatbuffer = FlatBuffer(data)
    for tensor, size in zip(flatbuffer.tensors, sizes, strict=True):
        place = flatbuffer._buffers[tensor.buffer]
        assert place.start % 16 == 0 and place.stop - place.start == size
        assert flatbuffer.constant(tensor)[0] == np.int8(tensor.index)
    Checked(data)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=70), min_size=1, max_size=30))
def test_gaps_between_contents_stay_below_what_alignment_forces(contents: list[bytes]) -> None:
    tensors = [T(f"t{i}", (len(content),), "uint8", raw=content) for i, content in enumerate(contents)]
    checked = Checked(rows.write(rows.read(build(G(tensors, [], [], ["t0"])))))
    assert checked.wasted() <= 15 * (len(set(contents)) + 1)


def test_what_occurs_twice_is_stored_once() -> None:
    def file(copies: int) -> bytes:
        tensors = [T(f"t{i}", (500,), values=7, scales=[0.5] * 50, axis=0) for i in range(copies)]
        return rows.write(rows.read(build(G(tensors, [], [], ["t0"]))))

    assert len(file(21)) - len(file(1)) < 20 * 100


def test_rows_that_were_changed_are_what_is_written() -> None:
    row = rows.read(small_file())
    row["subgraphs"][0]["tensors"][0]["name"] = "another"
    row["subgraphs"][0]["operators"][0]["builtin_options"]["stride_w"] = 3
    official = schema.ModelT.InitFromPackedBuf(rows.write(row), 0)
    assert official.subgraphs[0].tensors[0].name == b"another"
    assert official.subgraphs[0].operators[0].builtinOptions.strideW == 3
    assert official.subgraphs[0].operators[0].builtinOptions.strideH == 1


def test_nothing_in_rows_is_shared_although_it_is_in_the_file() -> None:
    tensors = [T(f"t{i}", (5,), values=7, scales=(0.5,)) for i in range(3)]
    row = rows.read(rows.write(rows.read(build(G(tensors, [Op("ADD", ["t0", "t1"], ["t2"])], [], ["t2"])))))
    row["subgraphs"][0]["tensors"][0]["quantization"]["scale"][0] = 9
    row["subgraphs"][0]["tensors"][0]["shape"][0] = 9
    others = row["subgraphs"][0]["tensors"][1:]
    assert [tensor["quantization"]["scale"][0] for tensor in others] == [0.5, 0.5]
    assert [tensor["shape"][0] for tensor in others] == [5, 5]


def test_a_new_row_has_the_defaults_and_no_field_that_the_table_lacks() -> None:
    assert rows.new("Conv2DOptions", stride_w=2)["dilation_w_factor"] == 1
    assert rows.new("Tensor")["shape"] is None
    with pytest.raises(KeyError, match="Tensor has no field strides"):
        rows.new("Tensor", strides=1)


def test_data_behind_the_flatbuffer_is_refused_in_one_line() -> None:
    for place in ("offset", "large"):
        tree = model(small_graph())
        if place == "offset":
            tree.buffers[1].data, tree.buffers[1].offset, tree.buffers[1].size = None, 64, 8
        else:
            operator = tree.subgraphs[0].operators[0]
            operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = 64, 8
        with pytest.raises(ModelError, match="outside of its flatbuffer and cannot be edited") as caught:
            rows.read(pack(tree))
        assert "\n" not in str(caught.value)
