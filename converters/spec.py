"""What a converted file must be: number types, granularity, and what the runtime that reads it can execute.

    ConversionSpec()                                    int8 weights, activations, inputs and outputs
    ConversionSpec(dtype="int16x8", io="float32")       int16 activations, int8 weights, float at the door
    tfcompress.targets.runtime("tflm").spec(dtype=...)  the same for a runtime, with its table of kernels

No TensorFlow is imported here: every command may ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from converters.errors import UsageError

DType = Literal["int8", "int16x8", "float16", "dynamic", "float32"]
IoType = Literal["int8", "uint8", "int16", "float32"]
DenseGranularity = Literal["per-channel", "per-tensor"]
Quantizer = Literal["tflite", "litert"]
Engine = Literal["litert", "tflm"]
Decode = str  # "off", "auto", or the name of an encoding of `converters.decode`

_IO_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "int8": ("int8", "uint8", "float32"),
    "int16x8": ("int16", "float32"),
    "float16": ("float32",),
    "dynamic": ("float32",),
    "float32": ("float32",),
}


@dataclass(frozen=True)
class ConversionSpec:
    """What is asked of a `.tflite` file.

    Attributes:
        dtype: `int8` (weights and activations), `int16x8` (int16 activations, int8 weights), `float16` (weights
            stored in half precision), `dynamic` (int8 weights, float activations), or `float32`.
        io: type of the file's inputs and outputs; by default the activations' own type.
        dense: granularity of the weight scales of fully connected layers; convolutions are always per channel.
        quantizer: which library quantizes: `tflite` (TFLiteConverter's MLIR quantizer) or `litert` (LiteRT Quantizer).
        runtime: name of the runtime that will read the file, for messages; empty if none was named.
        kernels: operator name (`CONV_2D`) -> activation types with a kernel in that runtime (`int8`, `int16`,
            `float32`, ...); None skips the kernel check, and the certificate says so.
        engine: whose rules the file may follow: `litert` for one that every runtime takes, `tflm` for a smaller one
            that only TFLM takes.
        shrink: whether what no runtime reads is left out; see `converters.shrink`.
        decode: weight encodings that may be used, for a runtime with a DECODE operator; see `converters.decode`.
        max_arena: bytes that TFLM's arena may take with encoded weights; None for any.

    Raises:
        UsageError: an unknown value, or a combination that no file can have.
    """

    dtype: DType = "int8"
    io: IoType | None = None
    dense: DenseGranularity = "per-channel"
    quantizer: Quantizer = "tflite"
    runtime: str = ""
    kernels: Mapping[str, tuple[str, ...]] | None = None
    engine: Engine = "litert"
    shrink: bool = True
    decode: tuple[str, ...] = ()
    max_arena: int | None = None

    def __post_init__(self) -> None:
        _one_of("dtype", self.dtype, get_args(DType))
        _one_of("dense", self.dense, get_args(DenseGranularity))
        _one_of("quantizer", self.quantizer, get_args(Quantizer))
        _one_of("engine", self.engine, get_args(Engine))
        object.__setattr__(self, "decode", tuple(self.decode))  # plain values from a child come as a list
        if self.decode:
            from converters.decode import encodings  # which loads NumPy; help texts do without

            for name in self.decode:
                _one_of("decode", name, tuple(encodings()))
        if self.decode and self.engine != "tflm":
            raise UsageError("encoded weights are for TFLM; no other engine has a DECODE operator")
        if self.max_arena is not None and (self.max_arena < 1 or not self.decode):
            given = "of 0 bytes or less" if self.max_arena < 1 else "without encoded weights"
            raise UsageError(f"--max-arena bounds what encoded weights may take, and came {given}; leave it out")
        allowed = _IO_ALLOWED[self.dtype]
        if self.io is not None and self.io not in allowed:
            raise UsageError(
                f"--io {self.io} cannot go with --dtype {self.dtype}; "
                f"a file of that type has inputs and outputs of type {' or '.join(allowed)}"
            )

    @property
    def io_dtype(self) -> str:
        """NumPy name of the type of the file's inputs and outputs."""
        return self.io or _IO_ALLOWED[self.dtype][0]

    @property
    def is_integer(self) -> bool:
        """Whether every operator inside must compute on integers."""
        return self.dtype in ("int8", "int16x8")

    @property
    def activation_dtype(self) -> str:
        """NumPy name of the type of the activations."""
        return {"int8": "int8", "int16x8": "int16"}.get(self.dtype, "float32")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a child process: `ConversionSpec(**spec.as_dict())` equals `spec`."""
        return asdict(self)


@dataclass(frozen=True)
class InputSpec:
    """One model input: its name, its shape without the batch dimension, and its NumPy type name."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UsageError(f"{name} is {value!r}; expected one of {', '.join(allowed)}")
