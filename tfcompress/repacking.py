"""`tfcompress.convert` for a file that is a `.tflite` already: its types stay, its bytes become fewer.

What only TFLM takes cannot become a file for LiteRT again, so a file with encoded weights goes to TFLM only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.conversion import Conversion
from converters.encode import decoded
from converters.errors import CertificateError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.packing import SAMPLES, pack, prove_equal
from converters.runtimes import ports
from converters.spec import ConversionSpec
from converters.verify import Certificate, dtype_of, operator_faults
from tfcompress import task

_NAMED_FAULTS = 3


def repack(
    model: FlatBuffer | str | Path,
    spec_for: Callable[..., ConversionSpec],
    calibration: Any,
    data: Mapping[str, Any],
    *,
    progress: child.Progress,
) -> Conversion:
    """Shrinks and encodes a file.

    Args:
        model: the file.
        spec_for: `Runtime.spec` with everything but the file's type.
        calibration: inputs to compare outputs on: arrays, a Task or the path of a data file; None for random ones.
        data: how a data file is read.
        progress: called with stage, done, total.

    Raises:
        CertificateError: the runtime has no kernel for an operator, or the result computes something else.
        CompressionError: as `tfcompress.convert` says.
    """
    came = model if isinstance(model, FlatBuffer) else FlatBuffer.read(model)
    spec = spec_for(dtype=dtype_of(came))
    if came.only_tflm and spec.engine != "tflm":
        raise UsageError(
            f"this file is for TFLM alone: {came.only_tflm}; --runtime tflm, or convert the model it was made of"
        )
    flatbuffer = decoded(came)
    faults = operator_faults(flatbuffer, spec)
    if faults and spec.engine == "tflm":
        more = f" | and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else ""
        raise CertificateError(
            f"{spec.runtime} cannot run this file: " + " | ".join(map(str, faults[:_NAMED_FAULTS])) + more
        )
    samples = _samples(flatbuffer, calibration, data, progress)
    packed = pack(flatbuffer, spec, samples, progress=progress)
    if came.is_encoded:  # what was decoded here is proven as well
        prove_equal(came, packed.flatbuffer, runtime="tflm", samples=samples)
    facts = replace(packed.facts, bytes=len(came.data)) if packed.facts else None
    notes = tuple(str(fault) for fault in faults[:_NAMED_FAULTS])
    return Conversion(
        packed.flatbuffer,
        Certificate((), notes),
        None,
        packed.notes,
        packing=facts,
        unpacked=came if facts else None,
    )


def _samples(
    flatbuffer: FlatBuffer, calibration: Any, data: Mapping[str, Any], progress: child.Progress
) -> dict[str, Any] | None:
    """Some inputs by name; None where no data were given."""
    if calibration is None:
        return None
    doors = ports.inputs_of(flatbuffer)
    if isinstance(calibration, (str, Path)):
        task.check_there(str(calibration))
        shape = tuple(doors[0].shape[1:]) if len(doors) == 1 and len(doors[0].shape) == 4 else None
        what = "loading calibration data"
        found = child.call("tfcompress.repacking:samples_here", dict(data), shape, what=what, progress=progress)
    elif hasattr(calibration, "calibration_samples"):
        found = calibration.calibration_samples(SAMPLES, seed=data["seed"])
    else:
        found = calibration
    arrays = ports.arrange(doors, found)
    return {port.name: np.asarray(array[:SAMPLES]) for port, array in zip(doors, arrays, strict=True)}


def samples_here(data: Mapping[str, Any], image_size: tuple[int, ...] | None, *, progress: child.Progress) -> Any:
    """Some samples of a data file, opened in this (child) process."""
    progress("loading calibration data", 0, 0)
    size = tuple(image_size) if image_size else None
    loaded = task.load(data["path"], scale=data["scale"], label=data["label"], image_size=size, parts=("train",))
    return loaded.calibration_samples(SAMPLES, seed=data["seed"])
