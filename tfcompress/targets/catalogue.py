"""Runtimes as data: which operators they run on which types, and the `ConversionSpec` that follows.

    runtime("tflm").spec(dtype="int8")      what a file for TFLM must be
    runtime("./my_runtime.toml")            a runtime of your own
    runtimes()                              the names of the packaged ones

One TOML file in `runtimes/` is one runtime; nothing else has to be changed to add one.
"""

from __future__ import annotations

import difflib
import functools
import importlib.resources
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast, get_args

from converters.decode import encodings
from converters.errors import FileError, UsageError
from converters.spec import ConversionSpec, Decode, DenseGranularity, DType, Engine, IoType, Quantizer

# Tensor types of the TFLite schema (TensorType in tflite/schema/schema.fbs) that an operator's data can have.
_TENSOR_TYPES = (
    *("float32", "float16", "bfloat16", "float64", "int2", "int4", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool", "string", "resource", "variant", "complex64", "complex128"),
)
_KEYS = (
    *("name", "version", "source", "dtypes", "dense", "engine", "decode", "int4_weights", "notes"),
    *("kernels", "kernels_from_source"),
)


@dataclass(frozen=True)
class Runtime:
    """What a runtime can execute.

    How to look an operator up: it runs if its name (`CONV_2D`, or the custom code of a custom operator) is in
    `kernels` with its data type. That is the type of its first input; or of its first output, where it has no input
    or the first input is not the data it computes on (an axis, a shape, indices, a condition: SPLIT, FILL, ONE_HOT,
    SELECT_V2, TRANSPOSE_CONV and others). Constants count as well: a GATHER in an int8 table is int8, whatever its
    indices are. QUANTIZE and DEQUANTIZE go by their input. Operators that only move values list every type they
    pass. IF, WHILE, CALL_ONCE and VAR_HANDLE need only be listed: their data is checked where it is used.

    `int8`, `uint8` and `int16` mean quantized values: a kernel that runs, but ignores scale or zero point, is left out.
    Types of weights and biases are not in the table: they follow from the data type (int8 weights beside int8 and
    int16), and from `int4_weights`.

    Attributes:
        name: what to call it by.
        version: the version with which the table was proven; empty in a user's file that does not say.
        source: where the facts are from: repository, commit, folders.
        kernels: operator -> data types that it has kernels for.
        dtypes: types of whole files that it runs, as in `ConversionSpec.dtype`.
        dense: dtype -> granularity of Dense weights that its kernels take.
        decode: weight encodings that its DECODE operator undoes; empty if it has none.
        int4_weights: operators that take int4 weights beside int8 activations.
        notes: what the table cannot say, in sentences.
        engine: whose rules a file for it may follow: those of `tflm` where files are for TFLM alone, else `litert`.
    """

    name: str
    version: str
    source: str
    kernels: Mapping[str, tuple[str, ...]]
    dtypes: tuple[DType, ...]
    dense: Mapping[str, DenseGranularity]
    decode: tuple[str, ...]
    int4_weights: tuple[str, ...]
    notes: tuple[str, ...]
    engine: Engine = "litert"

    def spec(
        self,
        *,
        dtype: DType = "int8",
        io: IoType | None = None,
        quantizer: Quantizer = "tflite",
        dense: DenseGranularity | None = None,
        shrink: bool = True,
        decode: Decode | None = None,
        max_arena: int | None = None,
    ) -> ConversionSpec:
        """What a file for this runtime must be.

        Args:
            dtype: type of the file.
            io: type of its inputs and outputs; by default the activations' own.
            quantizer: which library quantizes.
            dense: granularity of Dense weights; by default what the runtime's kernels take.
            shrink: whether what no runtime reads is left out.
            decode: how weights are encoded: `auto` for whatever is smallest, `off`, or one encoding; by default `auto`
                where the runtime has a DECODE operator.
            max_arena: bytes that the arena may take with encoded weights.

        Raises:
            UsageError: the runtime runs no file of that type, or no file can be so.
        """
        if dtype not in get_args(DType):
            raise UsageError(_unknown("dtype", dtype, get_args(DType)))
        if dtype not in self.dtypes:
            raise UsageError(f"{self.name} runs no {dtype} files; choose --dtype {' or '.join(self.dtypes)}")
        return ConversionSpec(
            dtype=dtype,
            io=io,
            dense=dense or self.dense[dtype],
            quantizer=quantizer,
            runtime=self.name,
            kernels=dict(self.kernels),
            engine=self.engine,
            shrink=shrink,
            decode=self._encodings(decode),
            max_arena=max_arena,
        )

    def _encodings(self, decode: str | None) -> tuple[str, ...]:
        """The encodings that may be used, by what was asked for."""
        if decode == "off":
            return ()
        if decode not in (None, "auto", *encodings()):
            raise UsageError(_unknown("encoding", str(decode), ("off", "auto", *encodings())))
        if decode in (None, "auto"):
            return self.decode
        if decode not in self.decode:
            able = f"undoes {', '.join(self.decode)}" if self.decode else "has no DECODE operator"
            raise UsageError(
                f"{self.name} {able}; --decode {decode} cannot go with it (--decode off, or --runtime tflm)"
            )
        return (str(decode),)


def runtimes() -> tuple[str, ...]:
    """Names of the packaged runtimes, sorted."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _packaged() if entry.name.endswith(".toml")))


def runtime(name_or_path: str | os.PathLike[str]) -> Runtime:
    """A packaged runtime by its name, or the user's own by the path of its TOML file.

    Raises:
        UsageError: no packaged runtime has that name.
        FileError: the file cannot be read, or is not a runtime; the message names file, key and what was expected.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, os.PathLike) or text.endswith(".toml") or any(mark in text for mark in "/\\"):
        return _own(Path(text))
    if text.lower().replace("_", "-").startswith("ethos"):
        raise UsageError(
            f"{text} is no runtime here: give Vela a plain file (--runtime tflm --decode off), as it does not know the "
            "operator DECODE that reads encoded weights"
        )
    if text not in runtimes():
        raise UsageError(_unknown("runtime", text, runtimes()) + "; or the path of a .toml file of your own")
    return _by_name(text)


def _packaged() -> Iterable[Traversable]:
    return (importlib.resources.files("tfcompress.targets") / "runtimes").iterdir()


@functools.cache
def _by_name(name: str) -> Runtime:
    file = importlib.resources.files("tfcompress.targets") / "runtimes" / f"{name}.toml"
    return _parse(file.read_text(encoding="utf-8"), f"{name}.toml")


def _own(path: Path) -> Runtime:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not a TOML file: byte {error.start} is not UTF-8") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be read ({reason}); expected a TOML file of a runtime") from error
    return _parse(text, str(path))


# --- the file, checked ------------------------------------------------------------------------------------------


def _parse(text: str, file: str) -> Runtime:
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileError(f"{file} is not valid TOML: {error}") from error
    for key in table:
        if key not in _KEYS:
            raise FileError(f"{file}: {_unknown('key', key, _KEYS)}")
    for key in ("name", "dtypes", "kernels"):
        if key not in table:
            raise FileError(f"{file}: '{key}' is missing; expected {_EXPECTED[key]}")
    dtypes = _words(table, "dtypes", file, get_args(DType))
    if not dtypes:
        raise FileError(f"{file}: dtypes is empty; expected {_EXPECTED['dtypes']}")
    kernels = _kernels(table, file)
    int4_weights = _words(table, "int4_weights", file)
    for operator in int4_weights:
        if operator not in kernels:
            raise FileError(f"{file}: int4_weights: {_unknown('operator', operator, kernels)}")
    return Runtime(
        name=_text(table, "name", file),
        version=_text(table, "version", file),
        source=_text(table, "source", file),
        kernels=MappingProxyType(kernels),
        dtypes=cast("tuple[DType, ...]", dtypes),
        dense=MappingProxyType(_dense(table, dtypes, file)),
        engine=_engine(table, file),
        decode=_words(table, "decode", file, encodings()),
        int4_weights=int4_weights,
        notes=_words(table, "notes", file),
    )


_EXPECTED = {
    "name": 'a text such as "my-runtime"',
    "version": 'a text such as "2.3.0"',
    "source": "a text: where the facts are from",
    "dtypes": 'a list of file types such as ["int8", "float32"]',
    "dense": '"per-channel", "per-tensor", or a table with one of them for each dtype',
    "engine": '"litert", or "tflm" where files are for TFLM alone',
    "decode": 'a list of weight encodings such as ["lut"]',
    "int4_weights": 'a list of operators such as ["CONV_2D"]',
    "notes": "a list of sentences",
    "kernels": 'a table of operators such as CONV_2D = ["int8", "float32"]',
    "kernels_from_source": 'a table of operators such as CONV_2D = ["int8", "float32"]',
}


def _text(table: Mapping[str, Any], key: str, file: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (key in table and not value.strip()):
        raise _wrong(file, key, value)
    return " ".join(value.split())


def _words(table: Mapping[str, Any], key: str, file: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _wrong(file, key, value)
    for word in value:
        if allowed is not None and word not in allowed:
            raise FileError(f"{file}: {key} holds an {_unknown('name', word, allowed)}")
        if value.count(word) > 1:
            raise FileError(f"{file}: {key} holds {word!r} twice; keep one")
    return tuple(value)


def _engine(table: Mapping[str, Any], file: str) -> Engine:
    """The file's own word; else TFLM for a runtime that has TFLM's DECODE operator."""
    value = table.get("engine", "tflm" if table.get("decode") else "litert")
    if value not in get_args(Engine):
        raise _wrong(file, "engine", value)
    if table.get("decode") and value != "tflm":
        raise FileError(f"{file}: engine is {value!r}, and decode is for TFLM only; leave one of them out")
    return cast("Engine", value)


def _dense(table: Mapping[str, Any], dtypes: tuple[str, ...], file: str) -> dict[str, DenseGranularity]:
    value = table.get("dense", "per-channel")
    by_dtype = dict.fromkeys(dtypes, value) if isinstance(value, str) else value
    if not isinstance(by_dtype, dict):
        raise _wrong(file, "dense", value)
    for dtype in dict.fromkeys((*by_dtype, *dtypes)):
        if dtype not in dtypes:
            raise FileError(f"{file}: [dense] {_unknown('dtype', dtype, dtypes)}")
        if by_dtype.get(dtype) not in get_args(DenseGranularity):
            raise _wrong(file, f"dense for {dtype}", by_dtype.get(dtype, "missing"), like="dense")
    return cast("dict[str, DenseGranularity]", by_dtype)


def _kernels(table: Mapping[str, Any], file: str) -> dict[str, tuple[str, ...]]:
    """Both tables as one: what was run, and what was only read in the sources."""
    kernels: dict[str, tuple[str, ...]] = {}
    for section in ("kernels", "kernels_from_source"):
        operators = table.get(section, {})
        if not isinstance(operators, dict):
            raise _wrong(file, section, operators)
        for operator, types in operators.items():
            if operator in kernels:
                raise FileError(f"{file}: {operator} is in [kernels] and in [kernels_from_source]; keep one")
            if not isinstance(types, list):
                raise _wrong(file, f"[{section}] {operator}", types, like=section)
            kernels[operator] = _words(operators, operator, file, _TENSOR_TYPES)
    if not kernels:
        raise FileError(f"{file}: kernels is empty; expected {_EXPECTED['kernels']}")
    return kernels


def _wrong(file: str, key: str, value: object, *, like: str = "") -> FileError:
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    return FileError(f"{file}: {key} is {shown}; expected {_EXPECTED.get(like or key, 'a list of types')}")


def _unknown(kind: str, value: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(names) if len(names) <= 24 else f"{len(names)} names"
    return f"unknown {kind} {str(value)[:80]!r}{hint}; expected one of {listed}"
