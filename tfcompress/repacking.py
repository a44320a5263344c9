"""`tfcompress.convert` for a file that is a `.tflite` already: its types stay, its bytes become fewer.

What only TFLM takes cannot become a file for LiteRT again, so a file with encoded weights goes to TFLM only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.conversion import Conversion
from converters.encode import decoded
from converters.errors import CertificateError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.packing import SAMPLES, pack
from converters.runtimes import ports
from converters.spec import ConversionSpec
from converters.verify import NAMED_FAULTS, Certificate, dtype_of, listed, operator_faults
from tfcompress import task
from tfcompress.benchmark.estimate.room import placed
from tfcompress.targets import Runtime, Target


def repack(
    model: FlatBuffer | str | Path,
    runtime: Runtime,
    packing: Mapping[str, Any],
    calibration: Any,
    data: Mapping[str, Any],
    *,
    target: Target | None = None,
    progress: child.Progress,
) -> Conversion:
    """Shrinks and encodes a file.

    Args:
        model: the file.
        runtime: who will run it.
        packing: `shrink`, `decode` and `max_arena`, as in `Runtime.spec`.
        calibration: inputs to compare outputs on: arrays, a Task or the path of a data file; None for random ones.
        data: how a data file is read.
        target: where the file must have room; see `tfcompress.benchmark.estimate.room`.
        progress: called with stage, done, total.

    Raises:
        CertificateError: the runtime has no kernel for an operator, or the result computes something else.
        CompressionError: as `tfcompress.convert` says.
    """
    came = model if isinstance(model, FlatBuffer) else FlatBuffer.read(model)
    if (dtype := dtype_of(came)) not in runtime.dtypes:
        raise ModelError(
            f"this is a {dtype} file, and {runtime.name} runs {', '.join(runtime.dtypes)} files only; convert the "
            f"model that it was made of again, with --dtype {runtime.dtypes[0]}"
        )
    spec = runtime.spec(dtype=dtype, **packing)
    if came.only_tflm and spec.engine != "tflm":
        raise UsageError(
            f"this file is for TFLM alone: {came.only_tflm}; --runtime tflm, or convert the model it was made of"
        )
    flatbuffer = decoded(came)
    _check_compiled(flatbuffer)
    faults = operator_faults(flatbuffer, spec)
    if faults and spec.engine == "tflm":
        raise CertificateError(f"{spec.runtime} cannot run this file: {listed(faults)}")
    samples = _samples(flatbuffer, calibration, data, progress)
    certificate = Certificate((), tuple(str(fault) for fault in faults[:NAMED_FAULTS]))

    def packed(form: ConversionSpec) -> Conversion:
        # What was decoded here is proven as well.
        made = pack(flatbuffer, form, samples, came=came if came.is_encoded else None, progress=progress)
        facts, before = made.facts, came if made.facts else None
        return Conversion(made.flatbuffer, certificate, None, made.notes, packing=facts, unpacked=before)

    return placed(packed, spec, target, decode=packing["decode"], progress=progress)


def _check_compiled(flatbuffer: FlatBuffer) -> None:
    """Refuses what Vela made: weights are in the Ethos-U's own commands there."""
    if any(operator.is_custom and operator.name == "ethos-u" for operator in flatbuffer.operators):
        raise ModelError(
            "this file was compiled for an Ethos-U by Vela, which packed its weights for that processor; give the file "
            "before Vela, plain (--decode off): Vela does not know the operator DECODE"
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
        found = calibration.calibration_samples(min(SAMPLES, data["samples"]), seed=data["seed"])
    else:
        found = calibration
    arrays = ports.arrange(doors, found)
    return {port.name: np.asarray(array[:SAMPLES]) for port, array in zip(doors, arrays, strict=True)}


def samples_here(data: Mapping[str, Any], image_size: tuple[int, ...] | None, *, progress: child.Progress) -> Any:
    """Some samples of a data file, opened in this (child) process."""
    progress("loading calibration data", 0, 0)
    size = tuple(image_size) if image_size else None
    loaded = task.load(data["path"], scale=data["scale"], label=data["label"], image_size=size, parts=("train",))
    return loaded.calibration_samples(min(SAMPLES, data["samples"]), seed=data["seed"])
