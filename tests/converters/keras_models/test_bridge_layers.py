"""Every layer class of the bridge's table crosses to tf_keras and back with equal outputs."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from bridge_checks import randomize, round_trip
from keras import layers as L  # noqa: N812

from converters.keras_models.bridge.layer_arguments import ARGUMENTS

IMAGE, LINE, VOLUME, VECTOR = (6, 6, 4), (6, 4), (4, 4, 4, 2), (6,)
VIDEO = (3, 5, 5, 2)

# class -> (input shape, or shapes of several inputs, the layer)
CASES: dict[str, tuple[Any, Any]] = {
    "Activation": (VECTOR, lambda: L.Activation("tanh")),
    "ActivityRegularization": (VECTOR, lambda: L.ActivityRegularization(l1=0.1)),
    "Add": ([VECTOR, VECTOR], lambda: L.Add()),
    "AdditiveAttention": ([LINE, LINE], lambda: L.AdditiveAttention()),
    "AlphaDropout": (VECTOR, lambda: L.AlphaDropout(0.2)),
    "Attention": ([LINE, LINE], lambda: L.Attention(use_scale=True, score_mode="concat")),
    "Average": ([VECTOR, VECTOR], lambda: L.Average()),
    "AveragePooling1D": (LINE, lambda: L.AveragePooling1D(2, padding="same")),
    "AveragePooling2D": (IMAGE, lambda: L.AveragePooling2D((2, 3), strides=1, padding="same")),
    "AveragePooling3D": (VOLUME, lambda: L.AveragePooling3D(2)),
    "BatchNormalization": (IMAGE, lambda: L.BatchNormalization(epsilon=0.01, scale=False)),
    "Bidirectional": (LINE, lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum")),
    "CategoryEncoding": ("int", lambda: L.CategoryEncoding(4, output_mode="count")),
    "CenterCrop": (IMAGE, lambda: L.CenterCrop(4, 2)),
    "Concatenate": ([IMAGE, IMAGE], lambda: L.Concatenate(axis=2)),
    "Conv1D": (LINE, lambda: L.Conv1D(3, 3, padding="causal", activation="relu", dilation_rate=2)),
    "Conv1DTranspose": (LINE, lambda: L.Conv1DTranspose(3, 3, strides=2)),
    "Conv2D": (IMAGE, lambda: L.Conv2D(6, (3, 2), strides=2, padding="same", groups=2, use_bias=False)),
    "Conv2DTranspose": (IMAGE, lambda: L.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)),
    "Conv3D": (VOLUME, lambda: L.Conv3D(3, 2, activation="elu")),
    "Conv3DTranspose": (VOLUME, lambda: L.Conv3DTranspose(3, 2)),
    "ConvLSTM1D": ((3, 5, 2), lambda: L.ConvLSTM1D(2, 3, recurrent_activation="hard_sigmoid")),
    "ConvLSTM2D": (VIDEO, lambda: L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)),
    "ConvLSTM3D": ((2, 3, 3, 3, 1), lambda: L.ConvLSTM3D(2, 2)),
    "Cropping1D": (LINE, lambda: L.Cropping1D((1, 2))),
    "Cropping2D": (IMAGE, lambda: L.Cropping2D(((1, 2), (0, 1)))),
    "Cropping3D": (VOLUME, lambda: L.Cropping3D(1)),
    "Dense": (LINE, lambda: L.Dense(5, activation="softmax", kernel_regularizer="l2", bias_constraint="non_neg")),
    "DepthwiseConv1D": (LINE, lambda: L.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": (IMAGE, lambda: L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2)),
    "Discretization": (VECTOR, lambda: L.Discretization(bin_boundaries=[-1.0, 0.5])),
    "Dot": ([LINE, LINE], lambda: L.Dot(axes=2, normalize=True)),
    "Dropout": (VECTOR, lambda: L.Dropout(0.3, seed=7)),
    "ELU": (VECTOR, lambda: L.ELU(0.7)),
    "EinsumDense": (LINE, lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")),
    "Embedding": ("int", lambda: L.Embedding(4, 3)),
    "Flatten": (IMAGE, lambda: L.Flatten()),
    "GRU": (LINE, lambda: L.GRU(3, reset_after=False, return_sequences=True, go_backwards=True)),
    "GRUCell": (LINE, lambda: L.RNN(L.GRUCell(3))),
    "GaussianDropout": (VECTOR, lambda: L.GaussianDropout(0.3)),
    "GaussianNoise": (VECTOR, lambda: L.GaussianNoise(0.3)),
    "GlobalAveragePooling1D": (LINE, lambda: L.GlobalAveragePooling1D(keepdims=True)),
    "GlobalAveragePooling2D": (IMAGE, lambda: L.GlobalAveragePooling2D(keepdims=True)),
    "GlobalAveragePooling3D": (VOLUME, lambda: L.GlobalAveragePooling3D()),
    "GlobalMaxPooling1D": (LINE, lambda: L.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": (IMAGE, lambda: L.GlobalMaxPooling2D()),
    "GlobalMaxPooling3D": (VOLUME, lambda: L.GlobalMaxPooling3D()),
    "GroupNormalization": (IMAGE, lambda: L.GroupNormalization(groups=2)),
    "Identity": (VECTOR, lambda: L.Identity()),
    "LSTM": (LINE, lambda: L.LSTM(3, recurrent_activation="hard_sigmoid", unroll=True)),
    "LSTMCell": (LINE, lambda: L.RNN(L.LSTMCell(3), return_sequences=True)),
    "Lambda": (VECTOR, lambda: L.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})),
    "LayerNormalization": (IMAGE, lambda: L.LayerNormalization(axis=[2, 3])),
    "LeakyReLU": (VECTOR, lambda: L.LeakyReLU(0.17)),
    "Masking": (LINE, lambda: L.Masking(0.5)),
    "MaxPooling1D": (LINE, lambda: L.MaxPooling1D(2)),
    "MaxPooling2D": (IMAGE, lambda: L.MaxPooling2D(3, strides=2, padding="same")),
    "MaxPooling3D": (VOLUME, lambda: L.MaxPooling3D(2)),
    "Maximum": ([VECTOR, VECTOR], lambda: L.Maximum()),
    "Minimum": ([VECTOR, VECTOR], lambda: L.Minimum()),
    "MultiHeadAttention": ([LINE, LINE], lambda: _spread(L.MultiHeadAttention(2, 3, value_dim=5, output_shape=7))),
    "Multiply": ([VECTOR, VECTOR], lambda: L.Multiply()),
    "Normalization": (IMAGE, lambda: L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])),
    "PReLU": (IMAGE, lambda: L.PReLU(shared_axes=[1, 2])),
    "Permute": (LINE, lambda: L.Permute((2, 1))),
    "RNN": (LINE, lambda: L.RNN([L.SimpleRNNCell(2), L.LSTMCell(3)])),
    "RandomBrightness": (IMAGE, lambda: L.RandomBrightness(0.2)),
    "RandomContrast": (IMAGE, lambda: L.RandomContrast(0.2)),
    "RandomFlip": (IMAGE, lambda: L.RandomFlip("horizontal")),
    "RandomRotation": (IMAGE, lambda: L.RandomRotation(0.2)),
    "RandomTranslation": (IMAGE, lambda: L.RandomTranslation(0.2, 0.1)),
    "RandomZoom": (IMAGE, lambda: L.RandomZoom(0.2)),
    "ReLU": (VECTOR, lambda: L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2)),
    "RepeatVector": (VECTOR, lambda: L.RepeatVector(3)),
    "Rescaling": (IMAGE, lambda: L.Rescaling([1.0, 2.0, 3.0, 4.0], offset=-1.0)),
    "Reshape": (IMAGE, lambda: L.Reshape((-1, 8))),
    "Resizing": (IMAGE, lambda: L.Resizing(4, 9, interpolation="nearest")),
    "SeparableConv1D": (LINE, lambda: L.SeparableConv1D(3, 3, depth_multiplier=2)),
    "SeparableConv2D": (IMAGE, lambda: L.SeparableConv2D(3, 3, strides=2, padding="same", activation="relu6")),
    "SimpleRNN": (LINE, lambda: L.SimpleRNN(3, activation="relu")),
    "SimpleRNNCell": (LINE, lambda: L.RNN(L.SimpleRNNCell(3))),
    "Softmax": (LINE, lambda: L.Softmax(axis=1)),
    "SpatialDropout1D": (LINE, lambda: L.SpatialDropout1D(0.2)),
    "SpatialDropout2D": (IMAGE, lambda: L.SpatialDropout2D(0.2)),
    "SpatialDropout3D": (VOLUME, lambda: L.SpatialDropout3D(0.2)),
    "StackedRNNCells": (LINE, lambda: L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(2)]))),
    "Subtract": ([VECTOR, VECTOR], lambda: L.Subtract()),
    "TimeDistributed": (VIDEO, lambda: L.TimeDistributed(L.Conv2D(2, 3, activation="gelu"))),
    "UnitNormalization": (LINE, lambda: L.UnitNormalization()),
    "UpSampling1D": (LINE, lambda: L.UpSampling1D(3)),
    "UpSampling2D": (IMAGE, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")),
    "UpSampling3D": (VOLUME, lambda: L.UpSampling3D(2)),
    "ZeroPadding1D": (LINE, lambda: L.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": (IMAGE, lambda: L.ZeroPadding2D(((1, 2), (0, 3)))),
    "ZeroPadding3D": (VOLUME, lambda: L.ZeroPadding3D(1)),
}


def _spread(layer: keras.layers.Layer) -> Any:
    return lambda tensors: layer(*tensors)


def test_every_class_of_the_table_is_tried() -> None:
    assert set(CASES) == set(ARGUMENTS)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_layer_crosses_with_its_settings_and_weights(name: str) -> None:
    shapes, make = CASES[name]
    if shapes == "int":
        inputs: Any = keras.Input((5,), dtype="int32")
    elif isinstance(shapes, list):
        inputs = [keras.Input(shape) for shape in shapes]
    else:
        inputs = keras.Input(shapes)
    model = randomize(keras.Model(inputs, make()(inputs)))
    twin, back = round_trip(model)
    assert [type(layer).__name__ for layer in back.layers] == [type(layer).__name__ for layer in model.layers]
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
