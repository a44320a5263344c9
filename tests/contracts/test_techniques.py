"""What every technique promises, whoever wrote it: a file in tfcompress/techniques is tested here from then on."""

from __future__ import annotations

import functools
import itertools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.child import no_progress
from converters.errors import UsageError
from converters.flatbuffer.kernels import kernels_in_file
from converters.keras_models.kernels import kernels
from converters.keras_models.simplify import simplify
from tfcompress import model as models
from tfcompress import pipeline, registry
from tfcompress.invariants import Codebook, ZeroMask, holds_exactly, project
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe
from tfcompress.task import Task
from tfcompress.technique import Technique
from tfcompress.training import Trainer

ROOT = Path(__file__).resolve().parents[2]
# What makes a technique quick on a small model; the rest of its parameters are its defaults.
QUICK = {"epochs": 1, "batch_size": 32, "minimum_weights": 32, "clusters": 8}


def quick(name: str) -> Technique:
    technique = registry.find(name)
    return technique(**{key: value for key, value in QUICK.items() if key in technique.model_fields})


def small_model(seed: int = 0) -> Any:
    """Convolution, depthwise and 1x1, batch normalization with negative and zero gammas, a branch, a Dense softmax."""
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 2), name="image")
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = shortcut = layers.ReLU(name="relu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.BatchNormalization(name="norm_depthwise")(x)
    x = layers.Conv2D(8, 1, name="pointwise")(x)
    x = layers.Add(name="add")([x, shortcut])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(4, activation="softmax", name="digit")(x)
    model = tf_keras.Model(inputs, x, name="small")
    random = np.random.default_rng(seed)
    for name in ("norm", "norm_depthwise"):
        norm = model.get_layer(name)
        gamma, beta, mean, variance = (random.normal(size=weight.shape) for weight in norm.get_weights())
        gamma[0] = 0.0
        norm.set_weights([gamma, beta * 0.1, mean * 0.1, np.abs(variance) + 0.5])
    return model


def small_task() -> Task:
    random = np.random.default_rng(0)
    y = random.integers(0, 4, 160)
    x = random.normal(size=(160, 8, 8, 2)).astype(np.float32) + y[:, None, None, None] / 2
    return Task(
        x_train=x[:96],
        y_train=y[:96],
        x_val=x[96:128],
        y_val=y[96:128],
        x_test=x[128:],
        y_test=y[128:],
        source="random",
    )


@pytest.fixture(scope="module")
def start() -> CompressedModel:
    return CompressedModel(simplify(small_model()).model)


def under_promises(start: CompressedModel, technique: Technique) -> CompressedModel:
    """The model with a promise of every kind that the technique says it keeps, on every kernel."""
    compressed = CompressedModel(simplify(start.model).model)
    for kernel in kernels(compressed.model):
        weights = kernel.variable.numpy()
        if "zeros" in technique.keeps:
            compressed = compressed.promise(kernel.name, ZeroMask(np.abs(weights) >= np.median(np.abs(weights))))
        if "codebook" in technique.keeps and kernel.layer == "digit":  # no batch norm behind it that would be folded
            scales = np.full(kernel.scale_shape(), np.abs(weights).max() / 127, np.float32)
            compressed = compressed.promise(kernel.name, Codebook(np.array([-127, -50, 0, 30, 127], np.int8), scales))
            compressed.ranges.weights[kernel.name] = scales  # type: ignore[index]
        kernel.variable.assign(project(weights, compressed.invariants.get(kernel.name, ())))
    return compressed


def state_of(model: Any) -> tuple[str, bytes, list[bool]]:
    weights = b"".join(np.ascontiguousarray(array).tobytes() for array in model.get_weights())
    return model.to_json(), weights, [layer.trainable for layer in model.layers]


@pytest.fixture(scope="module")
def applied(start: CompressedModel) -> Any:
    found: dict[str, tuple[CompressedModel, CompressedModel, tuple[str, bytes, list[bool]]]] = {}

    def get(name: str) -> Any:
        if name not in found:
            technique = quick(name)
            before = under_promises(start, technique)
            state = state_of(before.model)
            found[name] = before, technique.apply(before, Trainer(small_task())), state
        return found[name]

    return get


every_technique = pytest.mark.parametrize("name", registry.names())


@every_technique
def test_the_model_that_came_is_bit_for_bit_the_same(name: str, applied: Any) -> None:
    before, _, state = applied(name)
    assert state_of(before.model) == state


@every_technique
def test_the_result_is_plain_keras_with_the_same_kernels_inputs_and_outputs(name: str, applied: Any) -> None:
    before, after, _ = applied(name)
    known = ("tf_keras.", "converters.keras_models.bridge")
    strangers = [layer.name for layer in after.model.layers if not type(layer).__module__.startswith(known)]
    assert not strangers
    assert not any(layer.name.startswith(("prune_", "cluster_", "quant_")) for layer in after.model.layers)
    assert [kernel.name for kernel in kernels(after.model)] == [kernel.name for kernel in kernels(before.model)]
    assert after.model.input_names == before.model.input_names
    assert after.model.output_shape == before.model.output_shape


@every_technique
def test_every_earlier_promise_still_holds(name: str, applied: Any) -> None:
    before, after, _ = applied(name)
    weights = {kernel.name: kernel.variable.numpy() for kernel in kernels(after.model)}
    for kernel, promises in before.invariants.items():
        kinds = {promise.kind for promise in after.invariants[kernel]}
        assert {promise.kind for promise in promises} <= kinds
        for promise in promises:
            if promise.kind == "zeros":
                assert not np.any(weights[kernel][~promise.kept])
    for kernel, promises in after.invariants.items():
        assert holds_exactly(weights[kernel], promises), kernel


@every_technique
def test_every_kernel_gets_the_promise_or_is_listed_with_a_reason(name: str, applied: Any) -> None:
    _, after, _ = applied(name)
    technique = quick(name)
    step = after.history[-1]
    assert (step.technique, step.fields) == (name, technique.fields())
    assert all(skipped.layer and skipped.reason for skipped in step.skipped)
    left = {skipped.layer for skipped in step.skipped}
    for kernel in kernels(after.model):
        promised = {promise.kind for promise in after.invariants.get(kernel.name, ())}
        promised |= {"ranges"} if kernel.name in after.ranges.weights else set()
        assert technique.makes <= promised or kernel.layer in left, kernel.name


@every_technique
def test_a_dry_run_lists_what_the_run_skips(name: str, applied: Any) -> None:
    before, after, _ = applied(name)
    assert set(quick(name).plan(before)) == set(after.history[-1].skipped)


@every_technique
def test_parameters_are_described_and_survive_a_recipe(name: str) -> None:
    technique = registry.find(name)
    assert (technique.__doc__ or "").strip().splitlines()[0].endswith(".")
    assert all(field.description for field in technique.model_fields.values())
    made = technique()
    assert technique(**json.loads(json.dumps(made.fields()))) == made
    with pytest.raises(ValueError, match="frozen"):
        made.epochs = 3  # type: ignore[attr-defined]


@every_technique
def test_the_result_survives_the_disk(name: str, applied: Any, tmp_path: Path) -> None:
    _, after, _ = applied(name)
    after.save(tmp_path)
    loaded = models.load(tmp_path)
    assert [a.tobytes() for a in loaded.model.get_weights()] == [a.tobytes() for a in after.model.get_weights()]
    assert loaded.ranges.activations == dict(after.ranges.activations)
    assert loaded.ranges.weights.keys() == after.ranges.weights.keys()
    assert {name: len(kept) for name, kept in loaded.invariants.items()} == {
        name: len(kept) for name, kept in after.invariants.items()
    }
    assert json.loads(json.dumps([vars(step) for step in loaded.history], default=vars)) == json.loads(
        json.dumps([vars(step) for step in after.history], default=vars)
    )


def allowed_orders() -> list[tuple[str, ...]]:
    found = []
    for length in (1, 2, 3):
        for order in itertools.permutations(registry.names(), length):
            try:
                Recipe(steps=tuple(quick(name) for name in order))
            except UsageError:
                continue
            found.append(order)
    return found


def test_pruning_before_sharing_before_training_for_integers_is_the_one_order_of_the_three() -> None:
    three = [order for order in allowed_orders() if set(order) == {"prune", "cluster", "qat"}]
    assert three == [("prune", "cluster", "qat")]


@functools.cache
def carried_out(order: tuple[str, ...]) -> CompressedModel:
    """The small model after these steps; orders that begin alike share the beginning."""
    if not order:
        return CompressedModel(simplify(small_model()).model)
    return quick(order[-1]).apply(carried_out(order[:-1]), Trainer(small_task()))


@pytest.mark.parametrize("order", allowed_orders(), ids="-".join)
def test_promises_of_every_allowed_order_hold_on_the_integers_of_the_file(order: tuple[str, ...]) -> None:
    recipe, compressed = Recipe(steps=tuple(quick(name) for name in order), runtime="tflm"), carried_out(order)
    # This itself fails if one does not hold; the numbers are read again here.
    stored = kernels_in_file(pipeline.converted(compressed, recipe, small_task(), no_progress).flatbuffer)
    for kernel, promises in compressed.invariants.items():
        values = stored[kernel].values
        for promise in promises:
            if isinstance(promise, ZeroMask):
                assert not np.any(values[~promise.kept]), kernel
            if isinstance(promise, Codebook):
                assert set(np.unique(values)) <= set(promise.values), kernel


TOY = '''"""A toy."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from pydantic import Field

from tfcompress.model import CompressedModel
from tfcompress.technique import Technique
from tfcompress.training import Trainer


class Halve(Technique):
    """Halves every bias, for no reason."""

    keeps: ClassVar[frozenset[str]] = frozenset({"zeros", "codebook"})
    factor: float = Field(default=0.5, gt=0, description="What each bias is multiplied by.")

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        from converters.keras_models.simplify import clone

        model = clone(compressed.model)
        for layer in model.layers:
            if getattr(layer, "bias", None) is not None:
                layer.bias.assign(layer.bias * self.factor)
        return dataclasses.replace(compressed, model=model, history=(*compressed.history, self.record()))
'''


def test_a_new_technique_is_one_file_also_in_an_installed_wheel(tmp_path: Path) -> None:
    wheel = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q", "-w", "wheels"]
    subprocess.run(wheel, cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("*.whl"))) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "installed/tfcompress/techniques/halve.py").write_text(TOY)
    (tmp_path / "toy.toml").write_text('[[steps]]\ntechnique = "halve"\nfactor = 0.25\n')
    small_model().save(tmp_path / "small.keras")
    task = small_task()
    np.savez(tmp_path / "data.npz", **{f"{a}_{split}": getattr(task, f"{a}_{split}") for a in "xy" for split in SPLITS})
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def tool(*words: str) -> str:
        command = [sys.executable, "-m", "tfcompress", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    assert "halve" in tool("techniques")
    tool("compress", "small.keras", "--recipe", "toy.toml", "--data", "data.npz", "-o", "out")
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert "halve" in json.dumps(report)
    assert (tmp_path / "out/model.tflite").stat().st_size > 0
    assert "factor = 0.25" in (tmp_path / "out/recipe.toml").read_text()


SPLITS = ("train", "val", "test")
