"""Weight encodings that TFLM's DECODE operator undoes: one file is one encoding.

    encoded = huffman.encode(values, layout)         stream and table: the two inputs of the operator
    values = restored(encoded.stream, encoded.table, layout)

A module here that has a `NUMBER` is an encoding; its name is that of the file. `encode` answers None where the format
cannot hold the values, `decode` does what TFLM does, step by step, and checks every bound. Which tensors are worth it
is decided in `choice`, and the operators are put into a file by `converters.encode`. Nothing here knows of files.

Format: tensorflow/lite/micro/kernels/decode_state*.{h,cc} in github.com/tensorflow/tflite-micro at 90b983c2.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, cast

from converters.decode.format import HEADER_BYTES, MOST_ELEMENTS, Array, Encoded, Layout, number_of
from converters.errors import ModelError

__all__ = [
    "HEADER_BYTES",
    "MOST_ELEMENTS",
    "OPERATOR",
    "Encoded",
    "Encoding",
    "Layout",
    "encodings",
    "name_of",
    "restored",
]

# What TFLM calls the operator in a file (micro_mutable_op_resolver.h, AddDecode).
OPERATOR = "TFLM_DECODE"


class Encoding(Protocol):
    """What a module of an encoding has.

    Attributes:
        NUMBER: how the operator's table names it.
    """

    NUMBER: int

    def encode(self, values: Array, layout: Layout) -> Encoded | None:
        """The smallest form of `values`; None if this encoding cannot hold them."""

    def decode(self, stream: bytes, table: bytes, layout: Layout) -> Array:
        """The values in one dimension; raises ModelError if stream and table are not whole."""
        ...


@functools.cache
def encodings() -> Mapping[str, Encoding]:
    """The encodings by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return MappingProxyType(
        {name: cast("Encoding", module) for name, module in modules.items() if hasattr(module, "NUMBER")}
    )


def name_of(table: bytes) -> str | None:
    """The name of the encoding that a DECODE operator's table asks for; None for one that is not known here."""
    number = number_of(table)
    return next((name for name, encoding in encodings().items() if number == encoding.NUMBER), None)


def restored(stream: bytes, table: bytes, layout: Layout) -> Array:
    """The values that stream and table stand for, in the tensor's shape.

    Raises:
        ModelError: they are not whole, or stand for far more than they could hold.
    """
    # Whatever takes bits of the stream is bounded by it; a code of no bits may stand for any number of values.
    if layout.elements > max(8 * len(stream), MOST_ELEMENTS):
        raise ModelError(f"{len(stream)} bytes are to stand for {layout.elements:,} values; the file is damaged")
    name = name_of(table)
    if name is None:
        raise ModelError(f"a DECODE operator asks for an unknown encoding; known are {', '.join(encodings())}")
    values = encodings()[name].decode(stream, table, layout)
    try:
        return values.reshape(layout.shape)
    except ValueError as error:  # no elements, and sizes whose product is beyond what NumPy counts
        raise ModelError(f"an encoded tensor has the impossible shape {list(layout.shape)[:9]}") from error
