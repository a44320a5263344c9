"""Whether TFLM's outputs equal LiteRT's: three kernel sets of LiteRT and TFLM round differently on integers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from converters.child import Progress
from converters.flatbuffer import FlatBuffer
from converters.runtimes import litert, ports, tflm, timing
from converters.runtimes.operator_time import KERNELS
from converters.runtimes.ports import Array
from tfcompress.benchmark.plan import Plan, host_row
from tfcompress.errors import ModelError
from tfcompress.rows import Row

# Float sums in another order differ in the last bits; more than this share of the largest output is a difference.
_FLOAT_TOLERANCE = 1e-4


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
    """Counts differences between outputs `[n, ...]` of two runtimes, all outputs together, classes in the first."""
    count = len(left[0])
    differing = np.zeros(count, bool)
    largest = 0.0
    for one, other in zip(left, right, strict=True):
        distance = np.abs(one.astype(np.float64) - other.astype(np.float64)).reshape(count, -1)
        is_integer = one.dtype.kind in "iub"
        tolerance = 0.0 if is_integer else _FLOAT_TOLERANCE * float(np.abs(one).max(initial=0.0))
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
    samples = timing.random_inputs(ports.inputs_of(flatbuffer), plan.samples, seed=plan.seed)
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
                found += _rows(compare(expected, outputs.result()), name, plan.samples)
            except ModelError as error:
                found.append(host_row("parity_samples_differing", str(error), f"of {plan.samples} samples", name))
    return found


def _rows(differences: Differences, name: str, samples: int) -> list[Row]:
    unit = "steps" if differences.is_integer else "output units"
    found = [
        host_row("parity_samples_differing", differences.samples, f"of {samples} samples", name),
        host_row("parity_largest_difference", differences.largest, unit, name),
    ]
    if differences.classes is not None:
        found.append(host_row("parity_classes_differing", differences.classes, f"of {samples} samples", name))
    return found
