"""What users of the technique `qat` rely on: its file computes what its model computed while it was trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import tfcompress
from converters.errors import TrainingError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from converters.keras_models.kernels import kernels
from converters.keras_models.simplify import simplify
from tfcompress.invariants import Codebook, ZeroMask, project
from tfcompress.model import CompressedModel
from tfcompress.quantization.placement import place
from tfcompress.quantization.simulation import simulate
from tfcompress.registry import find
from tfcompress.task import Task
from tfcompress.training import Trainer

Array = np.ndarray[Any, Any]


def qat(**fields: Any) -> Any:
    return find("qat")(**{"epochs": 1, "batch_size": 32, **fields})


def task(shape: tuple[int, ...] = (8, 8, 2), count: int = 128) -> Task:
    random = np.random.default_rng(0)
    y = random.integers(0, 4, count)
    x = random.normal(size=(count, *shape)).astype(np.float32) + y.reshape(-1, *[1] * len(shape)) / 2
    return Task(x_train=x.astype(np.float32), y_train=y, source="random")


def residual(layers: Any) -> Any:
    """Convolution, depthwise and 1x1 with batch normalization, an addition, both poolings, Dense softmax."""
    x = inputs = layers.Input((8, 8, 2), name="image")
    x = layers.BatchNormalization(name="norm_0")(layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x))
    x = shortcut = layers.ReLU(name="relu_0")(x)
    x = layers.BatchNormalization(name="norm_1")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x))
    x = layers.ReLU(6.0, name="relu_1")(x)
    x = layers.BatchNormalization(name="norm_2")(layers.Conv2D(8, 1, name="pointwise")(x))
    x = layers.Activation("relu", name="relu_2")(layers.Add(name="add")([x, shortcut]))
    x = layers.AveragePooling2D(2, name="average")(layers.MaxPooling2D(2, name="largest")(x))
    x = layers.Dense(4, name="dense", activation="softmax")(layers.Flatten(name="flat")(x))
    return inputs, x


def branches(layers: Any) -> Any:
    """Concatenation, a gate, padding, a shared convolution, dropout, a transposed convolution, logits."""
    x = inputs = layers.Input((8, 8, 2), name="image")
    shared = layers.Conv2D(4, 3, padding="same", activation="relu", name="shared")
    x = layers.Conv2D(4, 3, padding="valid", name="conv")(layers.ZeroPadding2D(1, name="pad")(x))
    x = layers.Concatenate(name="join")([shared(x), shared(layers.ReLU(6.0, name="clipped")(x))])
    gate = layers.GlobalAveragePooling2D(keepdims=True, name="mean")(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(gate)
    x = layers.Multiply(name="gated")([x, gate])
    x = layers.Dropout(0.2, name="drop")(x)
    x = layers.Conv2DTranspose(4, 2, strides=2, name="wider")(x)
    return inputs, layers.Dense(4, name="dense")(layers.GlobalAveragePooling2D(name="pool")(x))


def sequence(layers: Any) -> Any:
    """One dimension: Conv1D, pooling, Dense with ReLU, tanh inside."""
    x = inputs = layers.Input((16, 3), name="signal")
    x = layers.ReLU(name="relu")(layers.Conv1D(8, 3, padding="same", name="conv")(x))
    x = layers.MaxPooling1D(2, name="pool")(x)
    x = layers.Conv1D(8, 3, activation="relu", name="conv_relu")(x)
    x = layers.Dense(8, activation="tanh", name="hidden")(layers.Flatten(name="flat")(x))
    return inputs, layers.Dense(4, name="dense")(x)


MODELS = {"residual": (residual, (8, 8, 2)), "branches": (branches, (8, 8, 2)), "sequence": (sequence, (16, 3))}


def start(name: str) -> CompressedModel:
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    model = tf_keras.Model(*MODELS[name][0](tf_keras.layers), name=name)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            gamma, beta, mean, variance = (random.normal(size=weight.shape) for weight in layer.get_weights())
            layer.set_weights([gamma, beta * 0.1, mean * 0.1, np.abs(variance) + 0.5])
    return CompressedModel(simplify(model).model)


@pytest.fixture(scope="module")
def trained() -> Any:
    made: dict[tuple[str, int], CompressedModel] = {}

    def get(name: str, bits: int = 8) -> CompressedModel:
        if (name, bits) not in made:
            made[name, bits] = qat(activation_bits=bits).apply(start(name), Trainer(task(MODELS[name][1])))
        return made[name, bits]

    return get


def converted(compressed: CompressedModel, samples: Array, **options: Any) -> bytes:
    ranges = compressed.ranges
    options = {"ranges": ranges.activations, "weight_scales": ranges.weights, "dense": "per-tensor", **options}
    return tfcompress.convert(compressed.model, samples, **options).named.data


def outputs_of(data: bytes, samples: Array) -> tuple[Array, float, int]:
    """Integers that the file computes with XNNPACK, as LiteRT does by default, their scale and their zero."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    (entry,), (end,) = interpreter.get_input_details(), interpreter.get_output_details()
    limits, (scale, zero), found = np.iinfo(entry["dtype"]), entry["quantization"], []
    for sample in np.clip(np.rint(samples / scale) + zero, limits.min, limits.max).astype(entry["dtype"]):
        interpreter.set_tensor(entry["index"], sample[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(end["index"])[0].astype(np.int64))
    return np.stack(found), *end["quantization"]


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("name", MODELS)
def test_the_files_outputs_are_those_of_the_trained_model_within_one_step(trained: Any, name: str, bits: int) -> None:
    compressed = trained(name, bits)
    samples = np.asarray(task(MODELS[name][1]).x_train)
    data = converted(compressed, samples, dtype="int16x8" if bits == 16 else "int8")
    integers, scale, zero = outputs_of(data, samples)
    simulated = np.asarray(simulate(compressed)(samples, training=False))
    steps = np.abs(np.rint(simulated / scale) + zero - integers)
    assert (steps <= (1 if bits == 8 else 8)).mean() >= 0.99, np.bincount(steps.astype(int).ravel())


@pytest.mark.parametrize("name", MODELS)
def test_the_files_weights_are_the_models_weights_bit_for_bit(trained: Any, name: str) -> None:
    compressed = trained(name)
    stored = kernels_in_file(FlatBuffer(converted(compressed, np.asarray(task(MODELS[name][1]).x_train))))
    by_layer = {kernel.layer: kernel for kernel in stored.values()}
    for kernel in kernels(compressed.model):
        integers = by_layer[kernel.layer].values.reshape(kernel.shape)
        scales = compressed.ranges.weights[kernel.name]
        np.testing.assert_array_equal((integers * scales).astype(np.float32), kernel.variable.numpy(), kernel.name)


def test_the_result_is_plain_and_the_model_before_is_unchanged() -> None:
    before = start("residual")
    weights = [array.copy() for array in before.model.get_weights()]
    after = qat().apply(before, Trainer(task()))
    for old, new in zip(weights, before.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert all(type(layer).__module__.startswith("tf_keras.") for layer in after.model.layers)
    assert [kernel.name for kernel in kernels(after.model)] == [kernel.name for kernel in kernels(before.model)]
    assert len(after.history[-1].epochs) == 1


def test_ranges_name_what_the_file_rounds_and_nothing_that_it_fixes_or_shares(trained: Any) -> None:
    ranges = trained("residual").ranges
    assert set(ranges.activations) == {"image", "relu_0", "relu_1", "pointwise", "relu_2", "dense"}
    assert set(ranges.weights) == {"conv/kernel", "depthwise/depthwise_kernel", "pointwise/kernel", "dense/kernel"}
    assert ranges.weights["depthwise/depthwise_kernel"].shape == (1, 1, 8, 1)
    assert ranges.weights["dense/kernel"].shape == (1, 1)
    low, high = ranges.activations["image"]
    assert low <= np.asarray(task().x_train).min() + (high - low) / 255
    step = (high - low) / 255
    assert abs(low / step - round(low / step)) < 1e-6


def test_zeros_and_codebooks_survive_with_the_scales_that_were_fixed() -> None:
    import tf_keras

    inputs = tf_keras.Input((8, 8, 2), name="image")
    x = tf_keras.layers.Conv2D(8, 3, name="conv")(inputs)
    x = tf_keras.layers.Dense(4, name="dense")(tf_keras.layers.Flatten()(tf_keras.layers.ReLU(name="relu")(x)))
    compressed = CompressedModel(tf_keras.Model(inputs, x))
    for kernel in kernels(compressed.model):
        weights = kernel.variable.numpy()
        scales = (np.abs(weights).max() / 127 * np.ones(kernel.scale_shape())).astype(np.float32)
        compressed = compressed.promise(kernel.name, ZeroMask(np.abs(weights) > np.median(np.abs(weights))))
        compressed = compressed.promise(kernel.name, Codebook(np.array([-127, -40, 0, 35, 127], np.int8), scales))
    after = qat(epochs=2, learning_rate=1e-2).apply(compressed, Trainer(task()))
    for kernel in kernels(after.model):
        kept, weights = after.invariants[kernel.name], kernel.variable.numpy()
        np.testing.assert_array_equal(project(weights, kept), weights)
        np.testing.assert_array_equal(after.ranges.weights[kernel.name], kept[1].scales)  # type: ignore[attr-defined]
    before = {
        kernel.name: project(kernel.variable.numpy(), after.invariants[kernel.name])
        for kernel in kernels(compressed.model)
    }
    assert any((kernel.variable.numpy() != before[kernel.name]).any() for kernel in kernels(after.model))


def test_the_plan_lists_every_layer_that_stays_in_float_at_once() -> None:
    import tf_keras

    layers = tf_keras.layers
    x = inputs = layers.Input((8, 3), name="signal")
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.LSTM(4, return_sequences=True, name="memory")(x)
    x = layers.Activation("softplus", name="soft")(x)
    compressed = CompressedModel(tf_keras.Model(inputs, layers.Dense(4, name="dense")(layers.Flatten()(x))))
    skipped = {one.layer: one.reason for one in qat().plan(compressed)}
    assert set(skipped) == {"norm", "memory", "soft"}
    assert "comes directly after an input" in skipped["norm"]
    assert "LSTM" in skipped["memory"]
    assert "softplus" in skipped["soft"]
    after = qat(epochs=0).apply(compressed, Trainer(task((8, 3))))
    assert {one.layer: one.reason for one in after.history[-1].skipped} == skipped


def unusual(layers: Any) -> Any:
    """A kernel that the converter changes (a shared one with two norms), rescaling, and norms that fold late."""
    x = inputs = layers.Input((8, 8, 2), name="image")
    x = layers.Conv2D(8, 3, padding="same", kernel_constraint="max_norm", name="first")(
        layers.Rescaling(3.0, name="rescaling")(x)
    )
    x = layers.Conv2D(8, 3, kernel_constraint="max_norm", activity_regularizer="l2", name="limited")(layers.ReLU()(x))
    x = layers.ReLU(name="relu")(layers.BatchNormalization()(layers.Dropout(0.2)(x)))
    shared = layers.Conv2D(8, 1, kernel_initializer="ones", name="shared")
    left, right = layers.BatchNormalization(name="left")(shared(x)), layers.BatchNormalization(name="right")(shared(x))
    x = layers.Add(name="sum")([left, layers.ReLU(name="relu_right")(right)])
    return inputs, layers.Dense(4, name="dense")(layers.GlobalAveragePooling2D(name="pool")(x))


def test_a_kernel_that_the_converter_changes_is_left_alone_and_the_rest_is_exact(monkeypatch: Any) -> None:
    monkeypatch.setitem(MODELS, "unusual", (unusual, (8, 8, 2)))
    before = start("unusual")
    skipped = {one.layer: one.reason for one in qat().plan(before)}
    assert set(skipped) == {"shared", "left", "right"}
    assert "behind it" in skipped["shared"]
    after = qat(epochs=1).apply(before, Trainer(task()))
    assert {name.partition("/")[0] for name in after.ranges.weights} == {"first", "limited", "dense"}
    assert not {"shared", "left", "right"} & set(after.ranges.activations)
    stored = kernels_in_file(FlatBuffer(converted(after, np.asarray(task().x_train))))
    for name, scales in after.ranges.weights.items():
        layer = name.partition("/")[0]
        integers = stored[name].values
        np.testing.assert_array_equal((integers * scales).astype(np.float32), after.model.get_layer(layer).kernel)


def of_bytes(offset: float, padding: str) -> CompressedModel:
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 2), name="image")
    x = layers.Rescaling(1 / 127.5 if offset else 1 / 255, offset, name="rescaling")(x)
    x = layers.Conv2D(16, 3, padding=padding, activation="relu", name="first")(x)
    x = layers.DepthwiseConv2D(3, use_bias=False, name="depthwise")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.Dense(4, name="dense")(layers.GlobalAveragePooling2D(name="pool")(x))
    return CompressedModel(tf_keras.Model(inputs, x))


def task_of_bytes() -> Task:
    usual = task(count=256)
    x = np.clip(np.asarray(usual.x_train) * 40 + 100, 0, 255).astype(np.uint8)
    return Task(x_train=x, y_train=usual.y_train, source="random")


@pytest.mark.parametrize(("offset", "padding"), [(0.0, "same"), (0.0, "valid"), (-1.0, "valid")])
def test_rescaling_before_the_first_kernel_is_folded_into_it_and_the_file_is_exact(offset: float, padding: str) -> None:
    before, trainer = of_bytes(offset, padding), Trainer(task_of_bytes())
    assert not qat().plan(before)
    clustered = find("cluster")(epochs=2, clusters=8, batch_size=32).apply(before, trainer)
    after = qat(epochs=2, learning_rate=1e-3).apply(clustered, trainer)
    assert "rescaling" not in {layer.name for layer in after.model.layers}
    samples = np.asarray(task_of_bytes().x_train, np.float32)
    data = converted(after, samples)
    integers, scale, zero = outputs_of(data, samples)
    simulated = np.asarray(simulate(after)(samples, training=False))
    steps = np.abs(np.rint(simulated / scale) + zero - integers)
    assert (steps <= 1).mean() >= 0.99, np.bincount(steps.astype(int).ravel())
    stored = kernels_in_file(FlatBuffer(data))["first/kernel"].values
    assert stored.dtype == np.int8
    assert len(np.unique(stored)) <= 8
    assert np.abs(stored.astype(int)).max() == 127


def test_rescaling_with_an_offset_before_zero_padding_stays_a_step_and_the_kernel_is_trained() -> None:
    before = of_bytes(-1.0, "same")
    ((layer, reason),) = ((one.layer, one.reason) for one in qat().plan(before))
    assert layer == "rescaling"
    assert "'first' (Conv2D) behind it pads with zeros" in reason
    after = qat().apply(before, Trainer(task_of_bytes()))
    samples = np.asarray(task_of_bytes().x_train, np.float32)
    assert set(after.ranges.weights) == {"first/kernel", "depthwise/depthwise_kernel", "dense/kernel"}
    integers, scale, zero = outputs_of(converted(after, samples), samples)
    expected = np.asarray(after.model(samples, training=False))
    assert np.sqrt(np.mean((scale * (integers - zero) - expected) ** 2)) < 0.03 * np.abs(expected).max()


def test_ranges_start_as_inference_has_them() -> None:
    import tf_keras

    from tfcompress.model import Ranges
    from tfcompress.quantization.wrapping import wrap

    layers = tf_keras.layers
    x = inputs = layers.Input((4,), name="signal")
    x = layers.Dropout(0.5)(layers.BatchNormalization(name="norm")(x))
    model = tf_keras.Model(inputs, layers.Dense(2, kernel_initializer="ones", name="dense")(x))
    wrapped = wrap(model, place(model), bits=8, fixed=Ranges())
    wrapped.observe([np.full((8, 4), 3.0, np.float32), np.full((8, 4), -1.0, np.float32)])
    norm = wrapped.model.get_layer("norm")
    np.testing.assert_array_equal(norm.moving_mean, 0.0)
    low, high = wrapped.ranges["dense"].range
    assert (low, high) == pytest.approx((-4.0, 12.0), rel=0.01)  # nothing of what was seen is rare
    seen = wrapped.ranges["signal"].range
    wrapped.model(np.full((8, 4), 9.0, np.float32), training=False)
    assert wrapped.ranges["signal"].range == seen


def dense_of_ones() -> Any:
    import tf_keras

    from tfcompress.model import Ranges
    from tfcompress.quantization.wrapping import wrap

    inputs = tf_keras.Input((1,), name="signal")
    model = tf_keras.Model(inputs, tf_keras.layers.Dense(1, kernel_initializer="ones", name="dense")(inputs))
    return wrap(model, place(model), bits=8, fixed=Ranges())


def test_a_rare_extreme_costs_the_other_values_no_resolution() -> None:
    wrapped = dense_of_ones()
    usual = np.random.default_rng(0).normal(size=(200_000, 1)).astype(np.float32)
    wrapped.observe([np.concatenate([usual, [[9.0]]]).astype(np.float32)])
    assert wrapped.ranges["signal"].range[1] == pytest.approx(9, rel=0.01)  # what a caller feeds is never clipped
    low, high = wrapped.ranges["dense"].range
    assert low == pytest.approx(usual.min(), rel=0.2)
    assert 3 < high < 7
    wrapped.model(usual * 2, training=True)
    wider = wrapped.ranges["dense"].range
    assert wider[0] < low  # the range still follows the batches


def test_an_activation_that_is_not_finite_is_refused_with_its_layer_before_training() -> None:
    wrapped = dense_of_ones()
    with pytest.raises(TrainingError, match="layer signal gives NaN or infinity"):
        wrapped.observe([np.array([[1.0], [np.inf]], np.float32)])


def test_a_constraint_of_the_users_does_not_shrink_weights_that_keep_it() -> None:
    import tf_keras

    inputs = tf_keras.Input((128,))
    dense = tf_keras.layers.Dense(4, kernel_constraint=tf_keras.constraints.max_norm(1.0), name="dense")
    model = tf_keras.Model(inputs, dense(inputs))
    kernel = np.random.default_rng(0).normal(size=(128, 4))
    dense.set_weights([kernel / np.linalg.norm(kernel, axis=0), np.zeros(4)])
    after = qat(learning_rate=1e-6).apply(CompressedModel(model), Trainer(task((128,))))
    norms = np.linalg.norm(after.model.get_layer("dense").kernel, axis=0)
    np.testing.assert_allclose(norms, 1.0, atol=0.02)


def test_frozen_layers_keep_their_weights() -> None:
    import tf_keras

    inputs = tf_keras.Input((8, 8, 2))
    x = tf_keras.layers.Conv2D(8, 3, activation="relu", name="conv")(inputs)
    compressed = CompressedModel(
        tf_keras.Model(inputs, tf_keras.layers.Dense(4, name="dense")(tf_keras.layers.Flatten()(x)))
    )
    after = qat(freeze=("conv",), learning_rate=1e-2).apply(compressed, Trainer(task()))
    scales = after.ranges.weights["conv/kernel"]
    moved = np.abs(after.model.get_layer("conv").kernel - compressed.model.get_layer("conv").kernel) / scales
    assert moved.max() <= 0.5001
    assert np.abs(after.model.get_layer("dense").kernel - compressed.model.get_layer("dense").kernel).max() > 1e-3


def test_a_relu_is_rounded_once_behind_what_it_is_fused_with() -> None:
    placed = place(start("residual").model, {})
    assert "add" not in placed.outputs
    assert "relu_2" in placed.outputs
    assert placed.shared == {"average": "relu_2"}


def test_another_width_than_8_or_16_is_refused_when_the_recipe_is_built() -> None:
    with pytest.raises(ValidationError, match="activation_bits"):
        qat(activation_bits=4)
