"""Samples as whole inputs of a file, in its own types: what a test vector holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from converters.errors import DataError
from converters.runtimes import ports
from converters.runtimes.ports import Array, Inputs


def laid_out(inputs: Sequence[ports.Port], data: Inputs | Array, count: int) -> list[Array]:
    """The first samples as whole inputs `[runs, *shape]` of the file's own types; the last batch is filled up.

    Args:
        inputs: the file's inputs.
        data: samples `[n, ...]` in the float model's units.
        count: how many runs; fewer if there are not as many samples.

    Raises:
        DataError: the data does not fit the inputs, or is not finite.
    """
    arrays = ports.arrange(inputs, data)
    plan = ports.batches(inputs, arrays, resizable=False)
    if not np.isfinite(np.concatenate([np.ravel(array[: count * plan.size]) for array in arrays])).all():
        raise DataError("the data for the vectors holds infinity; give finite numbers")
    laid = []
    for port, array in zip(inputs, arrays, strict=True):
        chosen = array[: count * plan.size]
        missing = -len(chosen) % plan.size
        chosen = np.concatenate([chosen, np.repeat(chosen[-1:], missing, axis=0)])
        laid.append(port.to_file(chosen.reshape(-1, *port.shape)))
    return laid


def rows(arrays: Sequence[Array]) -> tuple[tuple[bytes, ...], ...]:
    """The bytes of every array of every run, little-endian."""
    little = [array.astype(array.dtype.newbyteorder("<")) for array in arrays]
    return tuple(tuple(array[index].tobytes() for array in little) for index in range(len(arrays[0])))
