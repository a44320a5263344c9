"""A model between two steps of a recipe: plain Keras, and beside it what would be lost in it.

CompressedModel(model, invariants, ranges, history)
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from inspect import isfunction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import CompressionError, FileError
from converters.output import writing
from tfcompress.invariants import Invariant, from_arrays
from tfcompress.invariants import replace as replace_invariant

Array = npt.NDArray[Any]
Logs = tuple[Mapping[str, float], ...]  # what Keras logged, per epoch

# The file that says of a folder that a whole CompressedModel is in it.
MARK = "compressed.json"

# What reading a file raises that was cut short, or that somebody changed.
DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)

_NO_OWN_CODE = frozenset({"tf_keras", "keras", "tensorflow", "converters", "builtins", "None"})


@dataclass(frozen=True)
class Ranges:
    """What training fixed of the file's integer grids; the converter takes it over exactly.

    Attributes:
        activations: Keras layer name (or model input name) -> (minimum, maximum) of its output.
        weights: kernel name -> scale per channel, float32, broadcastable to the kernel.
    """

    activations: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """A layer that a technique left as it was, and why."""

    layer: str
    reason: str


@dataclass(frozen=True)
class Step:
    """What one technique did.

    Attributes:
        technique: its name in a recipe.
        fields: its parameters.
        seconds: wall time of the step.
        epochs: per trained epoch, the loss and metrics that Keras logged.
        skipped: layers that it left as they were.
        notes: what the user should know.
    """

    technique: str
    fields: Mapping[str, Any]
    seconds: float = 0.0
    epochs: Logs = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompressedModel:
    """A plain model and what it must keep.

    Attributes:
        model: a functional tf_keras model without wrappers. Nobody changes it: techniques return a new one.
        invariants: kernel name -> what later steps and the file must keep of it.
        ranges: integer grids that are fixed already.
        history: what was done, in order.
    """

    model: Any
    invariants: Mapping[str, tuple[Invariant, ...]] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=Ranges)
    history: tuple[Step, ...] = ()

    def promise(self, kernel: str, invariant: Invariant) -> CompressedModel:
        """The same model with one more invariant, which takes the place of one of its kind."""
        kept = replace_invariant(self.invariants.get(kernel, ()), invariant)
        return replace(self, invariants={**self.invariants, kernel: kept})

    def save(self, folder: Path) -> None:
        """Writes `model.keras`, `arrays.npz` and, when all is there, `compressed.json` into a folder.

        Raises:
            FileError: the disk is full.
        """
        arrays: dict[str, Array] = {}
        invariants: list[dict[str, Any]] = []
        for kernel, promises in self.invariants.items():
            for promise in promises:
                names = promise.as_arrays()
                invariants.append({"kernel": kernel, "kind": promise.kind, "fields": list(names)})
                arrays |= {f"i{len(invariants) - 1}_{name}": array for name, array in names.items()}
        weights = list(self.ranges.weights)
        arrays |= {f"w{index}": np.asarray(self.ranges.weights[name]) for index, name in enumerate(weights)}
        told = {
            "invariants": invariants,
            "weights": weights,
            "activations": {name: list(pair) for name, pair in self.ranges.activations.items()},
            "history": [asdict(step) for step in self.history],
        }
        with writing(folder, "make room, then --resume goes on after the last epoch"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MARK).unlink(missing_ok=True)
            self.model.save(folder / "model.keras")
            np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]  # its stub takes every keyword for an option
            beside = folder / f"{MARK}.part"
            beside.write_text(json.dumps(told, default=str), encoding="utf-8")
            beside.rename(folder / MARK)


def load(folder: Path, *, like: Any = None) -> CompressedModel:
    """Reads what `CompressedModel.save` wrote.

    Args:
        folder: where.
        like: the live model that it was made of. What code of the user's own this one holds, such as a layer class,
            the saved one may hold too.

    Raises:
        FileError: something is damaged or missing, or the model needs code that `like` has not.
    """
    try:
        told = json.loads((folder / MARK).read_text(encoding="utf-8"))
        invariants, weights = _promises(folder, told)
        ranges = Ranges({name: (low, high) for name, (low, high) in told["activations"].items()}, weights)
        history = tuple(step_from_plain(entry) for entry in told["history"])
        return CompressedModel(_load_model(folder / "model.keras", like), invariants, ranges, history)
    except (*DAMAGE, CompressionError) as error:
        raise FileError(f"the finished step in {folder} is damaged ({error}); --force begins anew") from error


def _promises(folder: Path, told: Mapping[str, Any]) -> tuple[dict[str, tuple[Invariant, ...]], dict[str, Array]]:
    invariants: dict[str, tuple[Invariant, ...]] = {}
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        for index, entry in enumerate(told["invariants"]):
            fields = {name: arrays[f"i{index}_{name}"] for name in entry["fields"]}
            promise = from_arrays(entry["kind"], fields)
            invariants[entry["kernel"]] = (*invariants.get(entry["kernel"], ()), promise)
        return invariants, {name: arrays[f"w{index}"] for index, name in enumerate(told["weights"])}


def _load_model(path: Path, like: Any) -> Any:
    from converters.keras_models import load as loading
    from converters.keras_models import safety

    if like is None:
        return loading.load(safety.check(path))
    import tf_keras

    own = _own_code(like)
    with tf_keras.utils.custom_object_scope(own):
        trusted = bool(own)
        return loading.load(safety.check(path, allow_code=trusted), allow_code=trusted)


def _own_code(model: Any) -> dict[str, Any]:
    """By name, the classes and functions of a live tf_keras model that neither Keras nor this program brings."""
    found: dict[str, Any] = {}
    for layer in model._flatten_layers():
        parts = [layer, *(part for part in vars(layer).values() if hasattr(part, "get_config") or isfunction(part))]
        for part in parts:
            kind = part if isfunction(part) else type(part)
            if str(kind.__module__).partition(".")[0] not in _NO_OWN_CODE or kind.__name__ == "Lambda":
                found[kind.__name__] = kind
    return found


def step_from_plain(entry: Mapping[str, Any]) -> Step:
    """The inverse of `dataclasses.asdict(step)`."""
    skipped = tuple(Skipped(**one) for one in entry["skipped"])
    return Step(**{**entry, "skipped": skipped, "epochs": tuple(entry["epochs"]), "notes": tuple(entry["notes"])})
