"""What a user of `cluster` relies on: few values in the file's int8 tensors, zeros kept, what is skipped said."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydantic import ValidationError

import tfcompress
from converters.errors import CompressionError, UsageError
from converters.flatbuffer.kernels import kernels_in_file
from converters.keras_models.kernels import kernels
from tfcompress.invariants import Codebook, ZeroMask, holds, holds_exactly
from tfcompress.model import CompressedModel
from tfcompress.task import Task
from tfcompress.techniques import cluster
from tfcompress.techniques.cluster import Cluster
from tfcompress.training import Trainer


@functools.cache
def digits() -> Task:
    from sklearn.datasets import load_digits

    found = load_digits()
    x, y = (found.images[..., np.newaxis] / 16).astype(np.float32), found.target
    return Task(x_train=x[:1200], y_train=y[:1200], x_val=x[1200:], y_val=y[1200:])


@functools.cache
def trained() -> Any:
    """3x3, depthwise and 1x1 kernels, negative and zero gammas, a small first kernel, a Dense layer; trained."""
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(8, 3, activation="relu", name="first")(x)
    for name, layer in (
        ("conv", layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv")),
        ("depthwise", layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depthwise")),
        ("pointwise", layers.Conv2D(24, 1, name="pointwise")),
    ):
        x = layers.BatchNormalization(name=f"{name}_norm")(layer(x))
        x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = tf_keras.Model(inputs, layers.Dense(10, name="digit")(x))
    for name in ("conv", "depthwise", "pointwise"):
        norm = model.get_layer(f"{name}_norm")
        gamma, *others = norm.get_weights()
        gamma[::3] *= -1
        norm.set_weights([gamma, *others])
    Trainer(digits()).fit(model, Cluster(epochs=6, learning_rate=1e-2))
    return model


@functools.cache
def pruned() -> CompressedModel:
    """`trained` with half of each kernel zero and a dead channel in `conv` and behind `pointwise`."""
    from converters.keras_models.simplify import clone

    compressed = CompressedModel(clone(trained()))
    norm = compressed.model.get_layer("pointwise_norm")
    gamma, *others = norm.get_weights()
    gamma[5] = 0.0
    norm.set_weights([gamma, *others])
    for kernel in kernels(compressed.model):
        weights = kernel.variable.numpy()
        kept = np.abs(weights) >= np.median(np.abs(weights))
        if kernel.layer == "conv":
            kept[..., 3] = False
        compressed = compressed.promise(kernel.name, ZeroMask(kept))
        kernel.variable.assign(np.where(kept, weights, 0))
    return compressed


def quick(
    *,
    epochs: int = 0,
    clusters: int = 16,
    initialization: Literal["linear", "random", "density", "kmeans++"] = "kmeans++",
    scope: Literal["per-layer", "model"] = "per-layer",
    layers: tuple[str, ...] = ("*",),
) -> Cluster:
    return Cluster(
        epochs=epochs,
        clusters=clusters,
        initialization=initialization,
        scope=scope,
        layers=layers,
        minimum_weights=100,
        learning_rate=3e-3,
    )


def weights_of(compressed: CompressedModel) -> dict[str, np.ndarray]:
    return {kernel.name: kernel.variable.numpy() for kernel in kernels(compressed.model)}


def codebook_of(compressed: CompressedModel, kernel: str) -> Codebook:
    (found,) = (promise for promise in compressed.invariants[kernel] if isinstance(promise, Codebook))
    return found


CLUSTERED = ["conv/kernel", "depthwise/depthwise_kernel", "pointwise/kernel", "digit/kernel"]


@functools.cache
def clustered() -> CompressedModel:
    return quick(epochs=2).apply(pruned(), Trainer(digits()))


# --- the file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantizer", ["tflite", "litert"])
def test_every_int8_tensor_in_the_file_has_at_most_k_values_and_its_zeros(quantizer: Any) -> None:
    compressed = clustered()
    scales = compressed.ranges.weights
    made = tfcompress.convert(
        compressed.model, digits().calibration_samples(100), weight_scales=scales, quantizer=quantizer
    )
    stored = kernels_in_file(made.flatbuffer)
    assert list(compressed.ranges.weights) == CLUSTERED
    lacking = 0
    for name in CLUSTERED:
        integers = np.asarray(stored[name].values)
        assert integers.dtype == np.int8
        assert len(np.unique(integers)) <= 16
        assert holds(integers, compressed.invariants[name])
        codebook = codebook_of(compressed, name)
        assert np.abs(codebook.values.astype(int)).max() == 127
        channels = tuple(axis for axis, size in enumerate(codebook.scales.shape) if size == 1)
        lacking += int((np.abs(integers.astype(int)).max(axis=channels) < 127).sum())
    assert lacking > 5, "the test needs channels that lack the extreme codeword"


# --- the model ----------------------------------------------------------------------------------------------------


def test_training_brings_the_accuracy_back() -> None:
    trainer = Trainer(digits())
    before = trainer.score(pruned().model)
    without = quick(clusters=4).apply(pruned(), trainer)
    after = quick(clusters=4, epochs=4).apply(pruned(), trainer)
    assert trainer.score(after.model) > max(trainer.score(without.model), before)
    assert trainer.score(after.model) > trainer.score(trained()) - 0.03
    assert len(after.history[-1].epochs) == 4


def test_kernels_are_exactly_on_their_codebooks_and_batch_norm_is_folded() -> None:
    compressed = clustered()
    for name, weights in weights_of(compressed).items():
        assert holds_exactly(weights, compressed.invariants[name])
    assert not [layer for layer in compressed.model.layers if "norm" in layer.name]
    assert codebook_of(compressed, "digit/kernel").scales.shape == (1, 1)
    assert codebook_of(compressed, "depthwise/depthwise_kernel").scales.shape == (1, 1, 16, 2)


def test_zeros_stay_and_zero_counts_as_a_value() -> None:
    compressed, before = clustered(), pruned()
    for name in CLUSTERED:
        (mask,) = (promise for promise in compressed.invariants[name] if isinstance(promise, ZeroMask))
        assert np.array_equal(mask.kept, before.invariants[name][0].kept)  # type: ignore[attr-defined]
        assert 0 in codebook_of(compressed, name).values
        assert len(codebook_of(compressed, name).values) <= 16


def test_negative_gammas_do_not_mirror_the_codebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folded, the weights lie on the codebook already: it was chosen for the signs that they have in the file."""
    moved = {}

    def watched(model: Any, invariants: Any, moving: Any) -> None:
        before = {kernel.name: kernel.variable.numpy() for kernel in kernels(model)}
        project(model, invariants, moving)
        if not moving:
            for kernel in kernels(model):
                weights = before[kernel.name]
                moved[kernel.name] = np.abs(kernel.variable.numpy() - weights).max() / np.abs(weights).max()

    project = cluster._project
    monkeypatch.setattr(cluster, "_project", watched)
    compressed = quick(clusters=5).apply(CompressedModel(trained()), Trainer(digits()))
    assert np.sum(trained().get_layer("conv_norm").get_weights()[0] < 0) >= 4
    values = codebook_of(compressed, "conv/kernel").values
    assert len(values) == 5 and not np.array_equal(values, -values[::-1])
    assert max(moved[name] for name in CLUSTERED) < 1e-5


@pytest.mark.parametrize("initialization", ["linear", "random", "density", "kmeans++"])
@pytest.mark.parametrize("start", ["plain", "pruned"])
def test_every_initialization_gives_k_values_and_the_same_ones_again(initialization: Any, start: str) -> None:
    compressed = pruned() if start == "pruned" else CompressedModel(trained())
    step = quick(initialization=initialization, clusters=8, layers=("conv", "pointwise"))
    first, second = (step.apply(compressed, Trainer(digits(), seed=3)) for _ in range(2))
    for name in ("conv/kernel", "pointwise/kernel"):
        codebook = codebook_of(first, name)
        assert 6 <= len(codebook.values) <= 8
        assert np.array_equal(codebook.values, codebook_of(second, name).values)
        assert np.array_equal(weights_of(first)[name], weights_of(second)[name])


def test_scope_model_gives_all_kernels_one_codebook() -> None:
    compressed = quick(scope="model", epochs=1).apply(pruned(), Trainer(digits()))
    books = {tuple(codebook_of(compressed, name).values.tolist()) for name in CLUSTERED}
    assert len(books) == 1
    again = quick(scope="model", epochs=1).apply(pruned(), Trainer(digits()))
    assert books == {tuple(codebook_of(again, name).values.tolist()) for name in CLUSTERED}


def test_one_scale_for_all_channels_is_stored_once_in_a_file_for_tflm() -> None:
    step = quick(epochs=1).model_copy(update={"scales": "one"})
    compressed = step.apply(pruned(), Trainer(digits()))
    scales = compressed.ranges.weights
    made = tfcompress.convert(
        compressed.model, digits().calibration_samples(100), weight_scales=scales, runtime="tflm", decode="off"
    )
    stored = kernels_in_file(made.flatbuffer)
    for name in CLUSTERED:
        assert holds(np.asarray(stored[name].values), compressed.invariants[name])
    assert [stored[name].scales.size for name in CLUSTERED[:3]] == [1, 1, 1]
    assert made.packing is not None and made.packing.samples > 0


def test_batch_norm_behind_a_dense_layer_leaves_it_one_scale() -> None:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 1))
    x = layers.Dense(20, name="wide")(layers.Flatten()(x))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    model = tf_keras.Model(inputs, layers.Dense(10, name="digit")(x))
    trainer = Trainer(digits())
    trainer.fit(model, Cluster(epochs=4, learning_rate=1e-2))
    compressed = quick(epochs=2, clusters=8).apply(CompressedModel(model), trainer)
    assert codebook_of(compressed, "wide/kernel").scales.shape == (1, 1)
    assert len(np.unique(weights_of(compressed)["wide/kernel"])) <= 8
    assert trainer.score(compressed.model) > trainer.score(model) - 0.03


def test_an_interrupted_step_goes_on_where_it_was(tmp_path: Path) -> None:
    import tf_keras

    class Interrupt(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise KeyboardInterrupt

    step = quick(epochs=2, layers=("conv",))
    with pytest.raises(KeyboardInterrupt):
        step.apply(pruned(), Trainer(replace(digits(), callbacks=(Interrupt(),)), folder=tmp_path))
    continued = step.apply(pruned(), Trainer(digits(), folder=tmp_path))
    whole = step.apply(pruned(), Trainer(digits()))
    assert np.array_equal(codebook_of(continued, "conv/kernel").values, codebook_of(whole, "conv/kernel").values)
    for name, weights in weights_of(whole).items():
        np.testing.assert_allclose(weights_of(continued)[name], weights, rtol=1e-4, atol=1e-5)


def test_a_second_step_leaves_the_codebooks_of_the_first() -> None:
    trainer = Trainer(digits())
    first = quick(layers=("conv",), clusters=8).apply(pruned(), trainer)
    second = quick(clusters=32, epochs=1).apply(first, trainer)
    before, after = (codebook_of(one, "conv/kernel") for one in (first, second))
    assert np.array_equal(before.values, after.values)
    assert np.array_equal(before.scales, after.scales)
    assert holds_exactly(weights_of(second)["conv/kernel"], second.invariants["conv/kernel"])
    assert "conv" in {skipped.layer for skipped in second.history[-1].skipped}
    assert set(second.ranges.weights) == set(CLUSTERED)


# --- what is left out, what is refused ------------------------------------------------------------------------------


def test_what_is_skipped_is_said_beforehand_with_its_reason() -> None:
    step = quick(epochs=0, layers=("first", "conv", "dig*"))
    planned = step.plan(pruned())
    assert planned == step.apply(pruned(), Trainer(digits())).history[-1].skipped
    reasons = {skipped.layer: skipped.reason for skipped in planned}
    assert reasons == {
        "first": "kernel has 72 weights, fewer than minimum_weights = 100",
        "depthwise": "not among layers = first, conv, dig*",
        "pointwise": "not among layers = first, conv, dig*",
    }


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        (
            Cluster(clusters=250, minimum_weights=100),
            CompressionError,
            "digit/kernel has only 240 weights",
        ),
        (Cluster(minimum_weights=10**6), CompressionError, "no kernel of the model can be clustered"),
        (Cluster(layers=("dense",)), UsageError, "layers names 'dense', which no layer is called"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_before_training(step: Cluster, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        step.plan(CompressedModel(trained()))


@pytest.mark.parametrize(
    "fields", [{"clusters": 1}, {"clusters": 257}, {"initialization": "best"}, {"scope": "all"}, {"minimum_weights": 1}]
)
def test_parameters_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Cluster.model_validate(fields)


def test_a_kernel_that_the_converter_changes_gets_no_codebook() -> None:
    import tf_keras

    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 3))
    x = scaled = layers.Rescaling(1 / 255, name="scaled")(x)
    x = layers.Conv2D(16, 3, name="first")(x)
    x = layers.BatchNormalization()(layers.Dropout(0.5)(layers.Conv2D(16, 3, name="second")(layers.ReLU()(x))))
    compressed = CompressedModel(tf_keras.Model(inputs, [x, scaled]))
    (skipped,) = Cluster().plan(compressed)
    assert skipped.layer == "first" and "'scaled' before it" in skipped.reason


@functools.cache
def digits_of_bytes() -> Task:
    usual = digits()
    return replace(usual, x_train=np.uint8(usual.x_train * 255), x_val=np.uint8(usual.x_val * 255))  # type: ignore[operator]


@functools.cache
def trained_on_bytes() -> Any:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(x)
    x = layers.Conv2D(16, 3, activation="relu", name="first")(x)
    x = layers.Conv2D(16, 3, activation="relu", name="second")(x)
    model = tf_keras.Model(inputs, layers.Dense(10, name="digit")(layers.Flatten(name="flat")(x)))
    Trainer(digits_of_bytes()).fit(model, Cluster(epochs=6, learning_rate=1e-2))
    return model


def test_rescaling_before_the_first_kernel_is_folded_after_training() -> None:
    trainer = Trainer(digits_of_bytes())
    start = CompressedModel(trained_on_bytes())
    exact = quick(clusters=144).apply(start, trainer)
    assert not exact.history[-1].skipped and not exact.history[-1].notes
    assert [layer.name for layer in exact.model.layers] == ["image", "first", "second", "flat", "digit"]
    x = np.asarray(digits_of_bytes().x_val[:200], np.float32)  # type: ignore[index]
    expected, found = (np.asarray(one.model(x, training=False)) for one in (start, exact))
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.02 * np.sqrt(np.mean(expected**2))
    before, after = start, quick(clusters=8, epochs=3).apply(start, trainer)
    assert trainer.score(after.model) > trainer.score(before.model) - 0.03
    made = tfcompress.convert(after.model, x, weight_scales=after.ranges.weights)
    stored = np.asarray(kernels_in_file(made.flatbuffer)["first/kernel"].values)
    assert stored.dtype == np.int8 and len(np.unique(stored)) <= 8
    assert holds(stored, after.invariants["first/kernel"])


def test_a_folded_kernel_of_thousandths_survives_a_second_step() -> None:
    trainer = Trainer(digits_of_bytes())
    first = quick(layers=("first",), clusters=8, epochs=2).apply(CompressedModel(trained_on_bytes()), trainer)
    second = quick(clusters=16, epochs=2).apply(first, trainer)
    assert [layer.name for layer in second.model.layers] == ["image", "first", "second", "flat", "digit"]
    # Trained as it is, in thousandths, it costs 0.17; two epochs at this learning rate scatter by some 0.02.
    assert trainer.score(second.model) > trainer.score(first.model) - 0.08
    assert holds_exactly(weights_of(second)["first/kernel"], first.invariants["first/kernel"])


def test_rescaling_is_folded_with_the_kernel_that_the_file_will_have() -> None:
    import tf_keras

    start = CompressedModel(trained_on_bytes())
    after = quick(clusters=4, layers=("first",)).apply(start, Trainer(digits_of_bytes()))
    kernel, bias = after.model.get_layer("first").get_weights()
    unfolded = tf_keras.models.clone_model(start.model)
    unfolded.set_weights(start.model.get_weights())
    unfolded.get_layer("first").set_weights([kernel * 127.5, start.model.get_layer("first").get_weights()[1]])
    x = np.asarray(digits_of_bytes().x_val[:50], np.float32)  # type: ignore[index]
    expected, found = (np.asarray(one(x, training=False)) for one in (unfolded, after.model))
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())
