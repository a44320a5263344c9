"""Whether a vocabulary goes with a model: it is one of text, and has a row of its table for each word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.android import texts
from converters.errors import DataError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.inputs import InputSpec, TextInput
from converters.runtimes import litert, ports

# Operators that look rows up: place of the table and of the numbers among their inputs.
_LOOKUPS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0)}
# Operators that hand numbers on as they are.
_HANDED_ON = frozenset({"CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "TRANSPOSE"})


def check(vocabulary: Sequence[str], spec: InputSpec) -> None:
    """Whether a vocabulary goes with an input.

    Raises:
        UsageError: text has none, or another kind of input has one.
        DataError: of a multi-hot input, it has another length.
    """
    if not isinstance(spec, TextInput):
        if vocabulary:
            raise UsageError("--vocabulary is for models of text; leave it out, or describe the input with --input")
        return
    if not vocabulary:
        raise UsageError("a model of text needs its vocabulary; give it with --vocabulary")
    if spec.mode == "multi_hot" and len(vocabulary) - 1 != spec.length:
        raise DataError(
            f"the vocabulary has {len(vocabulary) - 1} words, {texts.UNKNOWN} among them, and the model takes "
            f"{spec.length}; expected as many"
        )


def check_rows(flatbuffer: FlatBuffer, vocabulary: Sequence[str], spec: InputSpec) -> str:
    """Runs the model with the number of the last word; a remark where its table has more rows than that.

    Raises:
        DataError: the model has no row for that word.
    """
    if not isinstance(spec, TextInput) or spec.mode == "multi_hot":
        return ""
    lines, rows = len(vocabulary), table_rows(flatbuffer)
    if rows is not None and lines > rows:
        raise DataError(
            f"the vocabulary has {lines:,} lines, and the model's table of words {rows:,} rows; give the vocabulary "
            "that the model was trained with"
        )
    highest = [np.full((1, *port.shape[1:]), lines - 1) for port in ports.inputs_of(flatbuffer)]
    try:
        litert.run(flatbuffer.data, highest, kernels="builtin")
    except ModelError as error:
        raise DataError(
            f"the model cannot run with number {lines - 1:,}, that of the last of the vocabulary's {lines:,} lines; "
            f"give the vocabulary that the model was trained with ({error})",
            details=error.details,
        ) from error
    if rows is None or lines == rows:
        return ""
    return (
        f"the vocabulary has {lines:,} lines, and the model's table of words {rows:,} rows, the last of which are "
        "never used: make sure that it is the one that the model was trained with"
    )


def table_rows(flatbuffer: FlatBuffer) -> int | None:
    """Rows of the smallest table that the input's numbers are looked up in; None where there is none."""
    numbers = {tensor.index for tensor in flatbuffer.inputs}
    found: list[int] = []
    for operator in flatbuffer.operators:
        if operator.name in _HANDED_ON and operator.inputs[0] in numbers:
            numbers |= set(operator.outputs)
        if operator.name not in _LOOKUPS or len(operator.inputs) != 2:
            continue
        table, looked_up = (operator.inputs[place] for place in _LOOKUPS[operator.name])
        shape, axis = flatbuffer.tensors[table].shape, operator.options.get("axis", 0)
        if looked_up in numbers and -len(shape) <= axis < len(shape):
            found.append(shape[axis])
    return min(found, default=None)
