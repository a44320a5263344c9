"""Calibration data, in any of the forms that people have it, becomes one checked array per model input.

Accepted: one array (a model with one input), a dict of arrays by input name (an open `.npz` too), a list of arrays in
input order, and whatever yields samples: a generator, a `tf.data.Dataset`, a representative-dataset function. Samples
and arrays may lack the batch axis, or have one.

Whether the *values* can belong to the model is asked afterwards, of the model itself: `converters.calibration.scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from converters.spec import InputSpec

Array = npt.NDArray[Any]
Range = tuple[float, float]

FEW_SAMPLES = 8
# What is read from a generator; more adds nothing to a range, and a generator may never end.
MAXIMUM_SAMPLES = 10_000
MAXIMUM_BYTES = 1 << 30
# A range 30 times narrower or wider than the training data's is another unit (0..1 for 0..255), never a lucky draw.
UNLIKE = 30.0


def check(
    data: Any,
    inputs: Sequence[InputSpec],
    *,
    scale_hint: Mapping[str, Range] | None = None,
    allow_unusual: bool = False,
    notes: list[str] | None = None,
) -> dict[str, Array]:
    """Brings `data` into the model's form, or says in one line why it cannot be meant for this model.

    Args:
        data: what the module docstring lists.
        inputs: the model's inputs, in order.
        scale_hint: smallest and largest training value by input name, in the model's units, where they are known.
        allow_unusual: a range unlike `scale_hint`, and an input that is constant, become notes.
        notes: receives what the user should know although it is no error.

    Returns:
        For each input, in order, an array [n, *shape] of the input's type. Floats that were float32 are not copied.

    Raises:
        DataError: names, shapes, types or counts that do not fit; no samples; NaN or infinity; constant samples; a
            range unlike `scale_hint`.
    """
    told: list[str] = [] if notes is None else notes
    if not inputs:
        raise DataError("the model has no inputs, so there is nothing to calibrate it with; use another model")
    arrays = _by_input(data, inputs, told)
    fitted = {spec.name: _fit(arrays[spec.name], spec, told) for spec in inputs}
    _check_count(fitted, told)
    for name, array in fitted.items():
        _check_finite(name, array)
    _check_varies(fitted, told, allow_unusual)
    for name, hint in (scale_hint or {}).items():
        if name in fitted:
            _check_hint(name, fitted[name], hint, told, allow_unusual)
    return fitted


# --- forms ------------------------------------------------------------------------------------------------------


def _by_input(data: Any, inputs: Sequence[InputSpec], notes: list[str]) -> dict[str, Any]:
    if isinstance(data, Callable):  # type: ignore[arg-type]
        data = data()
    if data is None or isinstance(data, (str, bytes, int, float)) or hasattr(data, "__fspath__"):
        raise DataError(
            f"calibration data is {_brief(data)}; expected an array, a dict of arrays by input name, a list of arrays, "
            "or samples; a file is read with tfcompress.task.load(path)"
        )
    if isinstance(data, Mapping):
        _check_names(data, inputs, "calibration data")
        return dict(data)
    if hasattr(data, "__array__"):
        if len(inputs) > 1:
            raise DataError(
                f"calibration data is one array, the model has {len(inputs)} inputs ({_names(inputs)}); "
                "give a dict of arrays by input name"
            )
        return {inputs[0].name: data}
    if isinstance(data, (list, tuple)) and _is_one_array_per_input(data, inputs):
        return {spec.name: array for spec, array in zip(inputs, data, strict=True)}
    if not isinstance(data, Iterable):
        raise DataError(f"calibration data is {_brief(data)}; expected arrays or something that yields samples")
    return _read_samples(data, inputs, notes)


def _is_one_array_per_input(data: Sequence[Any], inputs: Sequence[InputSpec]) -> bool:
    return len(data) == len(inputs) and all(
        hasattr(array, "__array__") and len(np.shape(array)) == len(spec.shape) + 1
        for array, spec in zip(data, inputs, strict=True)
    )


def _read_samples(data: Iterable[Any], inputs: Sequence[InputSpec], notes: list[str]) -> dict[str, Any]:
    parts: dict[str, list[Array]] = {spec.name: [] for spec in inputs}
    count = size = 0
    for index, sample in enumerate(data):
        values = _one_sample(sample, inputs, index)
        for spec in inputs:
            part = _batched(_typed(values[spec.name], spec, f"sample {index}", []), spec, index)
            parts[spec.name].append(part)
            size += part.nbytes
        count += len(parts[inputs[0].name][-1])
        if count >= MAXIMUM_SAMPLES or size >= MAXIMUM_BYTES:
            notes.append(f"read the first {count:,} calibration samples and left the rest: more does not change ranges")
            break
    if not count:
        raise DataError(
            "calibration data yields no samples; expected 100 or so from the training data "
            "(a generator that was read before is empty: give the function that makes it)"
        )
    return {name: np.concatenate(pieces) for name, pieces in parts.items()}


def _one_sample(sample: Any, inputs: Sequence[InputSpec], index: int) -> dict[str, Any]:
    if isinstance(sample, Mapping):
        _check_names(sample, inputs, f"sample {index}")
        return dict(sample)
    if isinstance(sample, (list, tuple)):
        if len(sample) == len(inputs):
            return {spec.name: value for spec, value in zip(inputs, sample, strict=True)}
        if len(inputs) == 1 and isinstance(sample, list) and not any(hasattr(value, "__array__") for value in sample):
            return {inputs[0].name: sample}
        labels = " (a label beside it? drop it: dataset.map(lambda x, y: x))" if len(sample) == len(inputs) + 1 else ""
        raise DataError(
            f"sample {index} has {len(sample)} values, the model has {len(inputs)} inputs ({_names(inputs)}){labels}; "
            "yield one array per input, in this order"
        )
    if len(inputs) > 1:
        raise DataError(
            f"sample {index} is {_brief(sample)}, the model has {len(inputs)} inputs ({_names(inputs)}); "
            "yield a dict by input name or a list in this order"
        )
    return {inputs[0].name: sample}


def _batched(value: Array, spec: InputSpec, index: int) -> Array:
    if value.shape == spec.shape:
        return value[np.newaxis]
    if value.shape[1:] == spec.shape:
        return value
    raise DataError(_shape_message(f"sample {index}", value.shape, spec, batched=False))


def _check_names(given: Mapping[str, Any], inputs: Sequence[InputSpec], what: str) -> None:
    wanted = [spec.name for spec in inputs]
    unknown = [str(name) for name in given if name not in wanted]
    missing = [name for name in wanted if name not in given]
    if unknown or missing:
        said = [f"has the unknown input {', '.join(unknown)}"] if unknown else []
        said += [f"lacks the input {', '.join(missing)}"] if missing else []
        raise DataError(f"{what} {' and '.join(said)}; the model's inputs are {_names(inputs)}: name the arrays so")


# --- types and shapes -------------------------------------------------------------------------------------------


def _fit(value: Any, spec: InputSpec, notes: list[str]) -> Array:
    what = f"calibration data for input {spec.name}"
    array = _typed(value, spec, what, notes)
    if array.shape[1:] == spec.shape and array.ndim == len(spec.shape) + 1:
        return array
    if array.shape == spec.shape:
        return array[np.newaxis]
    if array.ndim == len(spec.shape) + 2 and array.shape[1] == 1 and array.shape[2:] == spec.shape:
        return array[:, 0]
    raise DataError(_shape_message(what, array.shape, spec, batched=True))


def _typed(value: Any, spec: InputSpec, what: str, notes: list[str]) -> Array:
    """`value` as an array of the input's type; only casts that keep the meaning are made."""
    try:
        array: Array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{what} is no array: {error}; expected one of shape {(*spec.shape,)} per sample") from error
    wanted = np.dtype(spec.dtype)
    if array.dtype == wanted:
        return array
    if array.dtype.kind not in "fiub" or wanted.kind not in "fiub":
        raise DataError(
            f"{what} has type {array.dtype}, the model's input {spec.name} takes {wanted}; "
            "give numbers: decode images and encode text first"
        )
    if wanted.kind == "f":
        # Too large for float32 becomes infinite, which the check for finite values then names.
        with np.errstate(over="ignore"):
            cast = array.astype(wanted)
        if array.dtype.kind in "iu":
            low, high = (array.min(), array.max()) if array.size else (0, 0)
            notes.append(
                f"{what} has type {array.dtype}; its values {low} to {high} were taken as they are, "
                "as the float model's own units"
            )
        return cast
    return _to_integers(array, wanted, what)


def _to_integers(array: Array, wanted: np.dtype[Any], what: str) -> Array:
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.trunc(array)).all()):
        raise DataError(f"{what} has type {array.dtype} and fractions, the model takes {wanted}; give whole numbers")
    bounds = (0, 1) if wanted.kind == "b" else (np.iinfo(wanted).min, np.iinfo(wanted).max)
    if array.size and (array.min() < bounds[0] or array.max() > bounds[1]):
        raise DataError(
            f"{what} reaches from {array.min()} to {array.max()}, the model takes {wanted} "
            f"({bounds[0]} to {bounds[1]}); give values in that range"
        )
    return array.astype(wanted)


def _shape_message(what: str, got: tuple[int, ...], spec: InputSpec, *, batched: bool) -> str:
    sample = got[1:] if batched and len(got) > 1 else got
    expected = ", ".join(["n", *map(str, spec.shape)]) if batched else ", ".join(map(str, spec.shape))
    return f"{what} has shape {_shape(got)}, expected ({expected}); {_shape_fix(sample, got, spec.shape)}"


def _shape_fix(sample: tuple[int, ...], whole: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The likeliest repair of one sample's shape (`whole`: the array as it came)."""
    if wanted and wanted[-1] == 1 and wanted[:-1] in (sample, whole):
        return "the channel axis is missing: x[..., None]"
    if len(wanted) == 3 and sample == (wanted[2], *wanted[:2]) and sample != wanted:
        return "the channels come first: np.moveaxis(x, -3, -1)"
    if len(wanted) >= 2 and len(sample) == len(wanted) and sample[:-1] == wanted[:-1]:
        if sample[-1] == 1:
            return f"repeat the single channel: np.repeat(x, {wanted[-1]}, axis=-1)"
        return f"the last axis has {sample[-1]} channels, the model takes {wanted[-1]}: convert the samples"
    if sample != wanted and np.prod(sample, dtype=int) == np.prod(wanted, dtype=int):
        return f"the sizes agree: x.reshape(-1, {', '.join(map(str, wanted))}), if the order of values does too"
    if len(wanted) == 3 and len(sample) == 3 and sample[-1] == wanted[-1]:
        return f"resize the images to {wanted[0]}x{wanted[1]}"
    if len(sample) == len(wanted) + 1 and sample[-len(wanted) :] == wanted:
        return "there is one axis too many in front: reshape to one sample per row"
    return "give samples of the model's input shape"


# --- counts and values ------------------------------------------------------------------------------------------


def _check_count(arrays: Mapping[str, Array], notes: list[str]) -> None:
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise DataError(f"the inputs have different numbers of calibration samples ({said}); give the same samples")
    count = next(iter(counts.values()))
    if not count:
        raise DataError("calibration data has 0 samples; expected 100 or so from the training data")
    if count < FEW_SAMPLES:
        notes.append(f"only {count} calibration samples: ranges will be narrow; 100 from the training data is usual")


def _check_finite(name: str, array: Array) -> None:
    if array.dtype.kind != "f" or np.isfinite(array.min()) and np.isfinite(array.max()):
        return
    flat = array.reshape(len(array), -1)
    sample = next(i for i, row in enumerate(flat) if not np.isfinite(row).all())
    what = "NaN" if np.isnan(flat[sample]).any() else "an infinite value (or one beyond float32)"
    raise DataError(f"calibration data for input {name} holds {what} in sample {sample}; remove or repair that sample")


def _check_varies(arrays: Mapping[str, Array], notes: list[str], allowed: bool) -> None:
    constant = {name: array for name, array in arrays.items() if _is_constant(array)}
    if not constant:
        return
    name, array = next(iter(constant.items()))
    kind = "all zero" if not array.any() else "the same in every sample"
    message = f"calibration data for input {name} is {kind} ({len(array)} samples)"
    # A mask or a step number beside the real input may well be constant; a model that sees only that cannot.
    if allowed or len(constant) < len(arrays):
        notes.append(f"{message}: its range says little")
        return
    raise DataError(
        f"{message}; expected different samples of the training data (--allow-unusual-data if this is meant)"
    )


def _is_constant(array: Array) -> bool:
    if array.dtype.kind in "f" and not array[0].any() and not array.any():
        return True
    return len(array) > 1 and all(np.array_equal(array[0], row) for row in array[1:])


def _check_hint(name: str, array: Array, hint: Range, notes: list[str], allowed: bool) -> None:
    low, high = float(array.min()), float(array.max())
    ours, theirs = max(abs(low), abs(high)), max(abs(hint[0]), abs(hint[1]))
    if not ours or not theirs or 1 / UNLIKE < ours / theirs < UNLIKE:
        return
    message = (
        f"calibration data for input {name} reaches from {low:.4g} to {high:.4g}, the training data from "
        f"{hint[0]:.4g} to {hint[1]:.4g}: another scale"
    )
    if not allowed:
        raise DataError(f"{message}; scale both alike (--scale), or --allow-unusual-data if this is meant")
    notes.append(message)


# --- words ------------------------------------------------------------------------------------------------------


def _names(inputs: Sequence[InputSpec]) -> str:
    return ", ".join(spec.name for spec in inputs)


def _shape(shape: Iterable[int]) -> str:
    return f"({', '.join(map(str, shape))})"


def _brief(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:40]!r}" if isinstance(value, (str, bytes)) else type(value).__name__
