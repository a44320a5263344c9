"""Outputs of many files on every runtime, in one child process: whether two files compute the same, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from converters import child
from converters.child import Progress
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import litert, ports, tflm, timing

EVERYWHERE = ("default", "builtin", "reference", "tflm")


def outputs(
    files: Sequence[bytes], runtimes: Iterable[str] = EVERYWHERE, *, samples: int = 3, seed: int = 1
) -> list[dict[str, Any]]:
    """For each file: runtime -> raw outputs for random samples; or the text of the error with which it was refused."""
    where = [name for name in runtimes if name != "tflm" or tflm.available()]
    called = child.call("tests.every_runtime:outputs_here", list(files), where, samples, seed, what="running files")
    return [dict(one) for one in called]


def outputs_here(
    files: list[bytes], runtimes: list[str], samples: int, seed: int, *, progress: Progress
) -> list[dict[str, Any]]:
    """The child's part of `outputs`."""
    return [{name: _outputs(data, name, samples, seed) for name in runtimes} for data in files]


def _outputs(data: bytes, runtime: str, samples: int, seed: int) -> Any:
    flatbuffer = FlatBuffer(data)
    arrays = timing.random_inputs(ports.inputs_of(flatbuffer), samples, seed=seed)
    try:
        if runtime == "tflm":
            session: Any = tflm.open_session(data)[0]
        else:
            session = litert.LiteRTSession(data, runtime, 1)  # type: ignore[arg-type]
            session.allocate()
        found = []
        for number in range(samples):
            session.set_inputs([array[number] for array in arrays])
            session.invoke()
            # Strings cannot cross to the parent as objects.
            found.append([np.array(one.tolist(), "S") if one.dtype == object else one for one in session.outputs()])
    except ModelError as error:
        return str(error)
    return [np.stack([one[index] for one in found]) for index in range(len(flatbuffer.outputs))]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two files give equal bytes on every runtime that was asked; one that refuses either makes it False."""
    assert one.keys() == other.keys()
    return all(_equal(one[name], other[name]) for name in one)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return False
    return len(one) == len(other) and all(
        left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
        for left, right in zip(one, other, strict=True)
    )
