"""Whether data and model belong together, asked before anything is trained or written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from converters.errors import DataError
from tfcompress.data.labels import are_class_numbers, one_number_each
from tfcompress.task import SPLITS, Task

_CHECKED_AT_ONCE = 1024  # samples


def check(model: Any, task: Task, splits: Sequence[str] = SPLITS) -> None:
    """Refuses samples and labels that cannot be meant for a model.

    Labels are looked at where the model has one output and the loss is inferred or a crossentropy of class numbers; any
    other loss of the task's own may want any labels.

    Args:
        model: a functional tf_keras model.
        task: its data; splits that are not there are not missed.
        splits: those to look at.

    Raises:
        DataError: inputs of another number, name or shape; labels of another shape, or class numbers that the model has
            no output for.
    """
    for split in splits:
        if not task.count(split):
            continue
        _check_inputs(model, task, split)
        labels = getattr(task, f"y_{split}")
        if labels is not None and len(model.outputs) == 1:
            _check_labels(np.asarray(labels), tuple(model.outputs[0].shape)[1:], split, task.loss)


def _check_inputs(model: Any, task: Task, split: str) -> None:
    inputs = task.inputs(split)
    if len(inputs) != len(model.inputs):
        raise DataError(
            f"the model has {len(model.inputs)} inputs and the data {len(inputs)}; give x_{split}_<input> each"
        )
    by_name = dict(zip(model.input_names, model.inputs, strict=True))
    if len(inputs) > 1 and set(inputs) != set(by_name):
        raise DataError(f"the data has inputs {', '.join(inputs)}, the model {', '.join(by_name)}; name them alike")
    for name, rows in inputs.items():
        tensor = by_name.get(name, model.inputs[0])
        wanted, came = tuple(tensor.shape)[1:], tuple(rows.shape)[1:]
        if len(wanted) != len(came) or any(a not in (None, b) for a, b in zip(wanted, came, strict=True)):
            raise DataError(
                f"samples of the {split} split have shape {came}, the model's input {wanted}; prepare the data for it"
            )


def check_finite(task: Task) -> None:
    """Reads all samples once.

    Raises:
        DataError: NaN or infinity.
    """
    for split in SPLITS:
        for number, (x, _) in enumerate(task.named_batches(split, _CHECKED_AT_ONCE)):
            for name, rows in x.items():
                if rows.dtype.kind != "f" or np.isfinite(rows).all():
                    continue
                row = number * _CHECKED_AT_ONCE + int(np.argwhere(~np.isfinite(rows))[0][0])
                raise DataError(f"{name}_{split} holds NaN or infinity in sample {row}; remove or repair that sample")


def _check_labels(labels: Any, outputs: tuple[Any, ...], split: str, loss: Any) -> None:
    if loss and not _wants_class_numbers(loss):
        return
    classes = outputs[-1] or 1 if outputs else 1
    if classes > 1 and are_class_numbers(labels, (len(labels), *outputs)):
        if labels.min() < 0 or labels.max() >= classes:
            raise DataError(
                f"labels of the {split} split reach from {labels.min():g} to {labels.max():g}, and the model has "
                f"{classes} outputs; number the classes from 0, or use a model with more outputs"
            )
    elif not loss and not one_number_each(labels.shape[1:], outputs):
        raise DataError(
            f"labels of the {split} split have shape {labels.shape[1:]}, the model's output {outputs}; give a class "
            "number, or one number for each output"
        )


def _wants_class_numbers(loss: Any) -> bool:
    """Whether every label must be the number of an output: none that is ignored, such as 255 for an unknown pixel."""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    settings = loss.get_config() if hasattr(loss, "get_config") else {}
    return name.lower().replace("_", "") == "sparsecategoricalcrossentropy" and settings.get("ignore_class") is None
