"""What a file is for: a runtime, or a target, which says which runtime it has.

aimed(None, "nucleo-l4r5zi")        TFLM with CMSIS-NN, and the board
aimed("tflm", None)                 TFLM, on no device in particular
"""

from __future__ import annotations

import os

from converters.errors import UsageError
from tfcompress.targets.catalogue import Runtime
from tfcompress.targets.catalogue import runtime as find_runtime
from tfcompress.targets.devices import Target
from tfcompress.targets.devices import target as find_target


def aimed(runtime: str | None, target: str | os.PathLike[str] | None) -> tuple[Runtime, Target | None]:
    """What runs the file, and the device if one was named.

    Raises:
        UsageError: both were given, or there is no such runtime or target.
        FileError: a TOML file cannot be used.
    """
    if target is None:
        return find_runtime("litert" if runtime is None else runtime), None
    if runtime is not None:
        raise UsageError(
            f"runtime {runtime} and target {os.fspath(target)} both came, and a target says which runtime it has; give "
            "one of them, or a device with another of its runtimes: DEVICE:RUNTIME"
        )
    found = find_target(target)
    return found.runtime, found
