"""Which operators of a file a runtime can run: the file as a whole, or else each operator cut out and tried alone."""

from __future__ import annotations

from typing import Any

from converters import child
from converters.child import Limits, Progress
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, prefix
from converters.runtimes import litert, tflm
from converters.runtimes.choice import KERNELS, Runtime


def refused(data: bytes, *, runtime: Runtime, limits: Limits | None = None) -> tuple[int, ...]:
    """Indices of the operators of the main graph that `runtime` refuses to prepare; empty if it takes the file.

    An operator that only makes sense among its neighbours (reading a variable) counts as refused when the file as a
    whole is refused.

    Raises:
        ModelError: the file is damaged.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of the runtime for this platform.
    """
    FlatBuffer(data)
    call = tflm.call if runtime == "tflm" else child.call
    function = "converters.runtimes.coverage:refused_here"
    return tuple(call(function, data, runtime, what="trying each operator", limits=limits))


def refused_here(data: bytes, runtime: Runtime, *, progress: Progress) -> list[int]:
    """The child's part of `refused`."""
    if _takes(data, runtime):
        return []
    model: Any = prefix.parse(data)
    count = len(model.subgraphs[0].operators)
    outcome = []
    for index in range(count):
        progress("trying operators", index, count)
        if not _takes(prefix.alone(model, index), runtime):
            outcome.append(index)
    return outcome


def _takes(data: bytes, runtime: Runtime) -> bool:
    try:
        if runtime == "tflm":
            tflm.open_session(data)
        else:
            litert.LiteRTSession(data, KERNELS[runtime], 1).allocate()
    except ModelError:
        return False
    return True
