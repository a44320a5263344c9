"""Whether TFLM's outputs equal LiteRT's: three kernel sets of LiteRT and TFLM round differently on integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from converters.child import Progress
from converters.flatbuffer import FlatBuffer
from converters.runtimes import litert, ports, tflm, timing
from converters.runtimes.choice import KERNELS
from converters.runtimes.ports import Array
from tfcompress.benchmark.plan import Plan, host_row
from tfcompress.errors import ModelError
from tfcompress.rows import Row

# Float sums in another order differ in the last bits; more than this share of the largest output is a difference.
_FLOAT_TOLERANCE = 1e-4
# Samples are held by this process and by four children.
_MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Differences:
    """How two runtimes' outputs differ on the same samples.

    Attributes:
        samples: samples with any difference (for floats: above 1e-4 of the largest output).
        largest: largest difference, in integer steps, or in the output's units for floats.
        classes: samples whose highest output is another one; None where outputs have a single value.
        is_integer: whether `largest` counts steps.
    """

    samples: int
    largest: float
    classes: int | None
    is_integer: bool


def compare(left: Sequence[Array], right: Sequence[Array]) -> Differences:
    """Counts differences between outputs `[n, ...]` of two runtimes, all outputs together, classes in the first.

    Raises:
        ModelError: the runtimes give outputs of different shapes.
    """
    shapes = [[list(output.shape[1:]) for output in outputs] for outputs in (left, right)]
    if shapes[0] != shapes[1]:
        raise ModelError(f"outputs have shapes {shapes[0]} on one runtime and {shapes[1]} on the other")
    count = len(left[0])
    differing = np.zeros(count, bool)
    largest = 0.0
    for one, other in zip(left, right, strict=True):
        # NaN where both have NaN (or the same infinity) is agreement.
        with np.errstate(invalid="ignore"):
            ours, theirs = (output.reshape(count, -1).astype(np.float64) for output in (one, other))
            same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            distance = np.where(same, 0.0, np.nan_to_num(np.abs(ours - theirs), nan=np.inf))
        finite = np.abs(ours[np.isfinite(ours)])
        tolerance = 0.0 if one.dtype.kind in "iub" else _FLOAT_TOLERANCE * float(finite.max(initial=0.0))
        differing |= (distance > tolerance).any(axis=1)
        largest = max(largest, float(distance.max(initial=0.0)))
    classes = None
    if left[0][0].size > 1:
        tops = [outputs[0].reshape(count, -1).argmax(axis=1) for outputs in (left, right)]
        classes = int(np.sum(tops[0] != tops[1]))
    return Differences(int(differing.sum()), largest, classes, all(output.dtype.kind in "iub" for output in left))


def rows(flatbuffer: FlatBuffer, plan: Plan, progress: Progress) -> list[Row]:
    """`parity_*` rows of TFLM against LiteRT's three kernel sets on seeded random inputs in the input's whole range.

    Raises:
        ModelError: TFLM cannot run the file.
        ChildDiedError: a runtime crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    inputs = ports.inputs_of(flatbuffer)
    bytes_each = sum(math.prod(port.shape) * np.dtype(port.dtype).itemsize for port in inputs)
    count = max(1, min(plan.samples, _MOST_BYTES // max(1, bytes_each)))
    samples = timing.random_inputs(inputs, count, seed=plan.seed)
    progress("comparing outputs", 0, 0)
    data, limits = flatbuffer.data, plan.limits
    found: list[Row] = []
    # Nothing is timed here, so all four may run at once.
    with ThreadPoolExecutor() as pool:
        expecting = pool.submit(tflm.run, data, samples, raw=True, limits=limits)
        running = {
            kernels: pool.submit(litert.run, data, samples, kernels=kernels, raw=True, limits=limits)
            for kernels in KERNELS.values()
        }
        expected = expecting.result()
        for kernels, outputs in running.items():
            name = f"{tflm.describe()} against {litert.describe(kernels)}"
            try:
                found += _rows(compare(expected, outputs.result()), name, count)
            except ModelError as error:
                found.append(host_row("parity_samples_differing", str(error), f"of {count} samples", name))
    return found


def _rows(differences: Differences, name: str, samples: int) -> list[Row]:
    finite = math.isfinite(differences.largest)
    unit = "steps" if differences.is_integer else "output units"
    found = [
        host_row("parity_samples_differing", differences.samples, f"of {samples} samples", name),
        host_row("parity_largest_difference", differences.largest if finite else "infinite", unit, name),
    ]
    if differences.classes is not None:
        found.append(host_row("parity_classes_differing", differences.classes, f"of {samples} samples", name))
    return found
