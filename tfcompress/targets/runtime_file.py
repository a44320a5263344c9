"""The TOML file of a runtime, checked; what it is based on is filled in.

A file with `based_on = "tflm"` says only what is different: a key replaces the base's, operators in [kernels] replace
the base's entry, `without` takes operators out, and its notes stand before the base's.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Any, get_args

from converters.errors import FileError
from converters.spec import DenseGranularity, DType, Engine
from tfcompress.toml_file import Key, check, parse, unknown, wrong

# Tensor types of the TFLite schema (TensorType in tflite/schema/schema.fbs) that an operator's data can have.
_TENSOR_TYPES = (
    *("float32", "float16", "bfloat16", "float64", "int2", "int4", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool", "string", "resource", "variant", "complex64", "complex128"),
)
_TABLES = ("kernels", "kernels_from_source")
_TYPES = Key("a list of types", "texts", choices=_TENSOR_TYPES)
_OPERATORS = Key('a table of operators such as CONV_2D = ["int8", "float32"]', "table")
_DENSE = '"per-channel", "per-tensor", or a table with one of them for each dtype'


def packaged() -> tuple[str, ...]:
    """Names of the packaged runtimes, sorted."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def packaged_text(name: str) -> str:
    """The text of a packaged runtime's file."""
    return (_folder() / f"{name}.toml").read_text(encoding="utf-8")


def values(text: str, file: str, *, ours: bool = False) -> dict[str, Any]:
    """The fields of a `Runtime`, from the text of its file.

    Args:
        text: the file.
        file: its name, for errors.
        ours: it is a packaged one: the names of weight encodings are not looked up, as that loads NumPy.

    Raises:
        FileError: the file is no TOML, a key is unknown or missing, or a value is not what was expected.
    """
    table = _whole(text, file)
    if not ours and table.get("decode"):
        _check_encodings(table["decode"], file)
    for key in ("dtypes", "kernels"):
        if key not in table:
            raise FileError(f"{file}: '{key}' is missing; expected {_keys()[key].expected}")
    dtypes, kernels = table["dtypes"], _kernels(table)
    if not dtypes:
        raise FileError(f"{file}: dtypes is empty; expected {_keys()['dtypes'].expected}")
    if not kernels:
        raise FileError(f"{file}: kernels is empty; expected {_OPERATORS.expected}")
    int4_weights = table.get("int4_weights", ())
    for operator in int4_weights:
        if operator not in kernels:
            raise FileError(f"{file}: int4_weights: {unknown('operator', operator, kernels)}")
    return {
        "name": table["name"],
        "version": table.get("version", ""),
        "source": table.get("source", ""),
        "kernels": kernels,
        "dtypes": dtypes,
        "dense": _dense(table, dtypes, file),
        "engine": _engine(table, file),
        "decode": table.get("decode", ()),
        "int4_weights": int4_weights,
        "notes": table.get("notes", ()),
        "based_on": table.get("based_on", ""),
        "family": table.get("family", ""),
    }


# What a key must be; made when it is first asked for, as `packaged` lists a folder.
@functools.cache
def _keys() -> Mapping[str, Key]:
    return {
        "name": Key('a text such as "my-runtime"', needed=True),
        "version": Key('a text such as "2.3.0"'),
        "source": Key("a text: where the facts are from"),
        "based_on": Key('the name of a packaged runtime such as "tflm"', choices=packaged()),
        "family": Key('whose kernels do the work, such as "cmsis-nn"'),
        "without": Key('a list of operators such as ["CONV_2D"]', "texts"),
        "dtypes": Key('a list of file types such as ["int8", "float32"]', "texts", choices=get_args(DType)),
        "dense": Key(_DENSE, "any"),
        "engine": Key('"litert", or "tflm" where files are for TFLM alone', "any"),
        "decode": Key('a list of weight encodings such as ["lut"]', "texts"),
        "int4_weights": Key('a list of operators such as ["CONV_2D"]', "texts"),
        "notes": Key("a list of sentences", "texts"),
        "kernels": _OPERATORS,
        "kernels_from_source": _OPERATORS,
    }


def _folder() -> Traversable:
    return importlib.resources.files("tfcompress.targets") / "runtimes"


def _whole(text: str, file: str) -> dict[str, Any]:
    """The file's own table, checked key by key, over that of its base."""
    table = check(parse(text, file), _keys(), file)
    for section in [name for name in _TABLES if name in table]:
        keys = dict.fromkeys(table[section], _TYPES)
        table[section] = check(table[section], keys, file, section=section)
    if both := set(table.get("kernels", ())) & set(table.get("kernels_from_source", ())):
        raise FileError(f"{file}: {min(both)} is in [kernels] and in [kernels_from_source]; keep one")
    if "based_on" in table:
        base = table["based_on"]
        table = _over(table, _whole(packaged_text(base), f"{base}.toml"))
    return _left(table, file)


def _over(own: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**base, **own, "notes": (*own.get("notes", ()), *base.get("notes", ()))}
    given = {operator for section in _TABLES for operator in own.get(section, ())}
    for section in _TABLES:
        kept = {name: types for name, types in base.get(section, {}).items() if name not in given}
        whole[section] = {**kept, **own.get(section, {})}
    dense = [table.get("dense", "per-channel") for table in (base, own)]
    if all(isinstance(one, dict) for one in dense) or "dense" not in own:
        merged = {**dense[0], **(own.get("dense", {}))} if isinstance(dense[0], dict) else dense[0]
        dtypes = set(whole["dtypes"]) | set(own.get("dense", ()))
        whole["dense"] = {k: v for k, v in merged.items() if k in dtypes} if isinstance(merged, dict) else merged
    return whole


def _left(table: dict[str, Any], file: str) -> dict[str, Any]:
    """Without the operators that the file takes out."""
    without = table.pop("without", ())
    for operator in without:
        if operator not in _kernels(table):
            raise FileError(f"{file}: without: {unknown('operator', operator, _kernels(table))}")
    for section in [name for name in _TABLES if name in table]:
        table[section] = {name: types for name, types in table[section].items() if name not in without}
    return table


def _check_encodings(names: Iterable[str], file: str) -> None:
    from converters.decode import encodings

    for name in names:
        if name not in encodings():
            raise FileError(f"{file}: decode holds an {unknown('name', name, encodings())}")


def _kernels(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Both tables as one: what was run, and what was only read in the sources."""
    return {name: types for section in _TABLES for name, types in table.get(section, {}).items()}


def _engine(table: Mapping[str, Any], file: str) -> str:
    """The file's own word; else TFLM for a runtime that has TFLM's DECODE operator."""
    value = table.get("engine", "tflm" if table.get("decode") else "litert")
    if value not in get_args(Engine):
        raise wrong(f"{file}: engine", value, _keys()["engine"].expected)
    if table.get("decode") and value != "tflm":
        raise FileError(f"{file}: engine is {value!r}, and decode is for TFLM only; leave one of them out")
    return str(value)


def _dense(table: Mapping[str, Any], dtypes: Iterable[str], file: str) -> dict[str, str]:
    value = table.get("dense", "per-channel")
    by_dtype = dict.fromkeys(dtypes, value) if isinstance(value, str) else value
    if not isinstance(by_dtype, dict):
        raise wrong(f"{file}: dense", value, _DENSE)
    for dtype in dict.fromkeys((*by_dtype, *dtypes)):
        if dtype not in dtypes:
            raise FileError(f"{file}: [dense] {unknown('dtype', dtype, dtypes)}")
        if by_dtype.get(dtype) not in get_args(DenseGranularity):
            raise wrong(f"{file}: dense for {dtype}", by_dtype.get(dtype, "missing"), _DENSE)
    return by_dtype
