"""The schema table against the official generated module: slots, types, defaults, numbers of enumerations."""

from __future__ import annotations

from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from converters.flatbuffer.schema import OPERATORS, SCALARS, TABLES, TENSOR_TYPES, UNIONS, Field

FILLED = [name for name, fields in TABLES.items() if fields]


class Recorder:
    """Stands where a flatbuffers Builder would, and notes what the generated code asks of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


def numbers(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if not name.startswith("_")}


def written(table: str, field: Field) -> tuple[str, tuple[Any, ...]]:
    camel = "".join(part[:1].upper() + part[1:] for part in field.name.split("_"))
    recorder = Recorder()
    getattr(schema, f"{table}Add{camel}")(recorder, 0)
    return recorder.calls[0]


@pytest.mark.parametrize("table", FILLED)
def test_every_field_has_the_official_slot_type_and_default(table: str) -> None:
    for field in TABLES[table]:
        method, (slot, _, default) = written(table, field)
        assert slot == field.slot
        if field.kind == "scalar":
            assert (method.lower(), default) == (f"prepend{field.type}slot", field.default)
        else:
            assert method == "PrependUOffsetTRelativeSlot"


@pytest.mark.parametrize("table", FILLED)
def test_every_vector_has_the_official_element_size(table: str) -> None:
    for field in TABLES[table]:
        camel = "".join(part[:1].upper() + part[1:] for part in field.name.split("_"))
        starter = getattr(schema, f"{table}Start{camel}Vector", None)
        assert (starter is not None) == (field.kind in ("vector", "bytes", "tables"))
        if starter is not None:
            recorder = Recorder()
            starter(recorder, 0)
            assert recorder.calls[0][1][0] == (4 if field.kind == "tables" else SCALARS[field.type][1])


@pytest.mark.parametrize("table", FILLED)
def test_no_field_of_a_table_is_missing(table: str) -> None:
    recorder = Recorder()
    getattr(schema, f"{table}Start")(recorder)
    assert {field.slot for field in TABLES[table]} <= set(range(recorder.calls[0][1][0]))
    official = [name for name in vars(schema) if name.startswith(f"{table}Add")]
    # `Tensor` is no prefix of another table, but `Operator` is one of `OperatorCode`; Add keeps them apart.
    assert len(TABLES[table]) == len(official)


def test_operators_tensor_types_and_unions_have_the_official_numbers() -> None:
    assert {name: number for number, name in enumerate(OPERATORS)} == numbers(schema.BuiltinOperator)
    assert {name.upper(): number for number, name in enumerate(TENSOR_TYPES)} == numbers(schema.TensorType)
    official = {
        ("Operator", "builtin_options"): schema.BuiltinOptions,
        ("Operator", "builtin_options2"): schema.BuiltinOptions2,
        ("QuantizationParameters", "details"): schema.QuantizationDetails,
        ("DimensionMetadata", "array_segments"): schema.SparseIndexVector,
        ("DimensionMetadata", "array_indices"): schema.SparseIndexVector,
    }
    assert set(official) == set(UNIONS)
    for union, tables in UNIONS.items():
        assert {name: number for number, name in enumerate(tables)} == numbers(official[union])
        assert all(name in TABLES for name in tables)
