"""The numbers of a compression: what the file weighs, keeps, costs and scores, each with the way it was got."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from converters.child import Progress
from converters.conversion import Conversion
from converters.errors import CompressionError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from converters.runtimes import tflm
from converters.runtimes.choice import Runtime
from converters.runtimes.layer_errors import LayerError, layer_errors
from tfcompress import targets
from tfcompress.benchmark.estimate.room import Placed
from tfcompress.benchmark.measure import measure
from tfcompress.benchmark.plan import Plan
from tfcompress.environment import processor
from tfcompress.evaluation import Evaluation, evaluate
from tfcompress.metrics import Metric
from tfcompress.model import CompressedModel
from tfcompress.outcome import LayerReport
from tfcompress.rows import How, Row
from tfcompress.task import Task

# Samples on which a layer's output in the file is compared with the float file's.
ERROR_SAMPLES = 50


def score(model: Any, task: Task, who: targets.Runtime, progress: Progress) -> Evaluation | None:
    """The task's metric on its test data; None where it has none.

    Args:
        model: a Keras model, or a file.
        task: the data.
        who: what will run the file. Where it is none that runs here, LiteRT runs the file instead, and a note says so.
        progress: called with stage, done, total.
    """
    if not task.count("test") or task.y_test is None:
        return None
    name = who.name
    interpreter: Runtime = "tflm" if who.engine == "tflm" and tflm.available() else "litert"
    found = evaluate(model, task, runtime=interpreter, progress=progress)
    if interpreter == name or not isinstance(model, FlatBuffer):
        return found
    shown = {"tflm": "TFLM", "litert": "LiteRT"}[interpreter]
    return replace(found, notes=(*found.notes, f"{name} has no interpreter here: scored on {shown}"))


def rows(
    plain: Conversion,
    conversion: Conversion,
    layers: Sequence[LayerReport],
    scores: tuple[Evaluation | None, Evaluation | None],
    progress: Progress,
) -> tuple[Row, ...]:
    """Accuracy before and after, sizes, sparsity, distinct values, MACs, arena and host latency; room on the target.

    Args:
        plain: the model as it came, converted like the result.
        conversion: the result.
        layers: its kernels.
        scores: of the model as it came, and of the result.
        progress: called with stage, done, total.
    """
    file, float_file = conversion.flatbuffer, plain.float_flatbuffer or plain.flatbuffer
    weights = sum(layer.weights for layer in layers)
    zeros = sum(layer.zeros * layer.weights for layer in layers)
    shared = [layer for layer in layers if layer.shares_values]
    of = "kernels with a codebook" if shared else "all kernels"
    found = [
        *_accuracy("accuracy_before", scores[0]),
        *_accuracy("accuracy_after", scores[1]),
        _read("file_bytes", len(file.data), "bytes"),
        _read("gzip_bytes", _gzipped(file), "bytes"),
        _read("float_file_bytes", len(float_file.data), "bytes", "the float file of the model as it came"),
        _read("float_gzip_bytes", _gzipped(float_file), "bytes", "the float file of the model as it came"),
        _read("plain_file_bytes", len(plain.flatbuffer.data), "bytes", "the model as it came, in the same type"),
        _read("plain_gzip_bytes", _gzipped(plain.flatbuffer), "bytes", "the model as it came, in the same type"),
        _read("sparsity", zeros / weights if weights else 0.0, "fraction"),
        _read("distinct", max((one.distinct for one in shared or layers), default=0), "count", f"the file, {of}"),
        _read("macs", sum(operator.macs for operator in file.operators), "count"),
    ]
    measured = measure(
        file, plan=Plan(threads=(1,), runtimes=_runtimes(file), seconds=3.0, samples=1), progress=progress
    )
    wanted = {"file_bytes_unencoded", "arena", "arena_unencoded"}
    wanted |= {"tflm_latency_p50", "tflm_latency_p50_unencoded"} if file.only_tflm else {"latency_p50"}
    seen: set[str] = set()
    for row in measured:
        if row.name in wanted and row.name not in seen:
            seen.add(row.name)
            found.append(row)
    if isinstance(conversion, Placed) and conversion.room is not None:
        found += conversion.room.rows
    return tuple(found)


def _accuracy(name: str, evaluation: Evaluation | None) -> list[Row]:
    if evaluation is None:
        return []
    source = f"{evaluation.metric} of {evaluation.samples} test samples"
    return [Row(name, evaluation.value, Metric(evaluation.metric).unit, "measured", evaluation.runtime, "host", source)]


def _read(name: str, value: float, unit: str, source: str = "the file") -> Row:
    how: How = "read from the file"
    return Row(name, value, unit, how, "", "host", source)


def _gzipped(file: FlatBuffer) -> int:
    return len(gzip.compress(file.data, 9, mtime=0))


def _runtimes(file: FlatBuffer) -> tuple[Runtime, ...] | None:
    return None if tflm.available() or file.only_tflm else ("litert",)


def times(*, training_seconds: float, total_seconds: float) -> tuple[Row, ...]:
    """Wall times on this machine."""
    told = (("training_seconds", training_seconds), ("total_seconds", total_seconds))
    return tuple(Row(name, round(seconds, 1), "s", "measured", "", "host", processor()) for name, seconds in told)


def layers(
    conversion: Conversion, compressed: CompressedModel, task: Task, seed: int, notes: list[str]
) -> tuple[LayerReport, ...]:
    """Every kernel of the file: its size, zeros, values, promises, MACs and the error of its layer's output.

    Args:
        conversion: the file, its float file kept.
        compressed: what it was made of.
        task: its training samples run through both files, for the errors.
        seed: draws them.
        notes: gets a line where errors could not be measured.
    """
    samples = task.calibration_samples(ERROR_SAMPLES, seed=seed)
    named = samples if isinstance(samples, Mapping) else {compressed.model.input_names[0]: samples}
    errors = _errors(conversion, named, notes)
    found = []
    for name, kernel in kernels_in_file(conversion.flatbuffer).items():
        promised = tuple(invariant.describe() for invariant in compressed.invariants.get(name, ()))
        found.append(
            LayerReport(
                layer=kernel.layer,
                kernel=name,
                weights=kernel.values.size,
                zeros=float(np.mean(kernel.values == 0)) if kernel.values.size else 0.0,
                distinct=len(np.unique(kernel.values)),
                promised=promised,
                macs=sum(operator.macs for operator in kernel.operators),
                weight_bytes=kernel.tensor.stored_bytes,
                error=errors.get(kernel.layer),
                shares_values=any(one.kind == "codebook" for one in compressed.invariants.get(name, ())),
            )
        )
    return tuple(found)


def _errors(conversion: Conversion, samples: Mapping[str, Any], notes: list[str]) -> Mapping[str, float]:
    if conversion.float_flatbuffer is None:
        return {}
    try:
        found: tuple[LayerError, ...] = layer_errors(conversion.float_flatbuffer.data, conversion.named.data, samples)
    except CompressionError as error:
        notes.append(f"errors of single layers were not measured: {error}")
        return {}
    # The last tensor of a layer is its output.
    return {error.layer: error.relative_error for error in found}
