"""Runtimes as data: which operators they run on which types, and the `ConversionSpec` that follows.

    runtime("tflm").spec(dtype="int8")      what a file for TFLM must be
    runtime("./my_runtime.toml")            a runtime of your own
    runtimes()                              the names of the packaged ones

One TOML file in `runtimes/` is one runtime; nothing else has to be changed to add one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from converters.errors import UsageError
from converters.spec import ConversionSpec, Decode, DenseGranularity, DType, Engine, IoType, Quantizer
from tfcompress.targets import runtime_file
from tfcompress.toml_file import is_path, read
from tfcompress.toml_file import unknown as _unknown


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
        based_on: the packaged runtime whose facts it takes over where its own file says nothing; empty for none.
        family: whose kernels do the work, for predictions of latency: `reference`, `cmsis-nn`, `esp-nn`, ...; empty if
            unknown.
        path: the file that it was read from; empty for a packaged one.
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
    based_on: str = ""
    family: str = ""
    path: str = field(default="", compare=False)

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
        if decode in (None, "auto"):
            return self.decode
        from converters.decode import encodings  # which loads NumPy; listing runtimes does without

        if decode not in encodings():
            raise UsageError(_unknown("encoding", str(decode), ("off", "auto", *encodings())))
        if decode not in self.decode:
            able = f"undoes {', '.join(self.decode)}" if self.decode else "has no DECODE operator"
            raise UsageError(
                f"{self.name} {able}; --decode {decode} cannot go with it (--decode off, or --runtime tflm)"
            )
        return (str(decode),)


def runtimes() -> tuple[str, ...]:
    """Names of the packaged runtimes, sorted."""
    return runtime_file.packaged()


def runtime(name_or_path: str | os.PathLike[str]) -> Runtime:
    """A packaged runtime by its name, or the user's own by the path of its TOML file.

    Raises:
        UsageError: no packaged runtime has that name.
        FileError: the file cannot be read, or is not a runtime; the message names file, key and what was expected.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, os.PathLike) or is_path(text):
        return _runtime(runtime_file.values(read(Path(text), "a runtime"), text), text)
    if text not in runtimes():
        raise UsageError(_unknown("runtime", text, runtimes()) + "; or the path of a .toml file of your own")
    return _by_name(text)


@functools.cache
def _by_name(name: str) -> Runtime:
    return _runtime(runtime_file.values(runtime_file.packaged_text(name), f"{name}.toml", ours=True), "")


def _runtime(values: Mapping[str, Any], path: str) -> Runtime:
    fields: dict[str, Any] = {
        key: MappingProxyType(value) if isinstance(value, dict) else value for key, value in values.items()
    }
    return Runtime(path=path, **fields)
