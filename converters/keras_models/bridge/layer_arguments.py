"""The table of the bridge: layer class -> the constructor arguments that Keras 3 and tf_keras share, for both ways.

What an argument holds follows from its name: `*_initializer`, `*_regularizer`, `*_constraint`, `*activation`, a wrapped
layer (`layer`, `backward_layer`, `cell`, `cells`), else a plain value. `name`, `dtype` and `trainable` always cross.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _weights(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_{what}" for name in names for what in ("initializer", "regularizer", "constraint"))


_OUTPUT = ("activation", "use_bias", "activity_regularizer")
_WINDOW = ("kernel_size", "strides", "padding", "data_format", "dilation_rate")
_CONV = ("filters", *_WINDOW, *_OUTPUT, *_weights("kernel", "bias"))
_DEPTHWISE = ("depth_multiplier", *_WINDOW, *_OUTPUT, *_weights("depthwise", "bias"))
_SEPARABLE = ("filters", "depth_multiplier", *_WINDOW, *_OUTPUT, *_weights("depthwise", "pointwise", "bias"))
_POOL = ("pool_size", "strides", "padding", "data_format")
_NORM = ("axis", "epsilon", "center", "scale", *_weights("beta", "gamma"))
_CELL = ("units", "activation", "use_bias", "dropout", "recurrent_dropout", *_weights("kernel", "recurrent", "bias"))
_LSTM_CELL = (*_CELL, "recurrent_activation", "unit_forget_bias")
_GRU_CELL = (*_CELL, "recurrent_activation", "reset_after")
_SEQUENCE = ("return_sequences", "return_state", "go_backwards", "unroll", "activity_regularizer")
_CONV_LSTM = (
    "filters",
    *_WINDOW,
    *_LSTM_CELL[1:],
    *(name for name in _SEQUENCE if name != "unroll"),
)

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "Activation": ("activation",),
    "ActivityRegularization": ("l1", "l2"),
    "Add": (),
    "AdditiveAttention": ("use_scale", "dropout"),
    "AlphaDropout": ("rate", "noise_shape", "seed"),
    "Attention": ("use_scale", "score_mode", "dropout"),
    "Average": (),
    "AveragePooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "AveragePooling3D": _POOL,
    "BatchNormalization": (
        *_NORM,
        "momentum",
        "synchronized",
        "moving_mean_initializer",
        "moving_variance_initializer",
    ),
    "Bidirectional": ("layer", "backward_layer", "merge_mode"),
    "CategoryEncoding": ("num_tokens", "output_mode"),
    "CenterCrop": ("height", "width"),
    "Concatenate": ("axis",),
    "Conv1D": (*_CONV, "groups"),
    "Conv1DTranspose": (*_CONV, "output_padding"),
    "Conv2D": (*_CONV, "groups"),
    "Conv2DTranspose": (*_CONV, "output_padding"),
    "Conv3D": (*_CONV, "groups"),
    "Conv3DTranspose": (*_CONV, "output_padding"),
    "ConvLSTM1D": _CONV_LSTM,
    "ConvLSTM2D": _CONV_LSTM,
    "ConvLSTM3D": _CONV_LSTM,
    "Cropping1D": ("cropping",),
    "Cropping2D": ("cropping", "data_format"),
    "Cropping3D": ("cropping", "data_format"),
    "Dense": ("units", *_OUTPUT, *_weights("kernel", "bias")),
    "DepthwiseConv1D": _DEPTHWISE,
    "DepthwiseConv2D": _DEPTHWISE,
    "Discretization": ("bin_boundaries", "output_mode"),
    "Dot": ("axes", "normalize"),
    "Dropout": ("rate", "noise_shape", "seed"),
    "ELU": ("alpha",),
    "EinsumDense": ("equation", "output_shape", "activation", "bias_axes", *_weights("kernel", "bias")),
    "Embedding": ("input_dim", "output_dim", "mask_zero", *_weights("embeddings")),
    "Flatten": ("data_format",),
    "GRU": (*_GRU_CELL, *_SEQUENCE),
    "GRUCell": _GRU_CELL,
    "GaussianDropout": ("rate", "seed"),
    "GaussianNoise": ("stddev", "seed"),
    "GlobalAveragePooling1D": ("data_format", "keepdims"),
    "GlobalAveragePooling2D": ("data_format", "keepdims"),
    "GlobalAveragePooling3D": ("data_format", "keepdims"),
    "GlobalMaxPooling1D": ("data_format", "keepdims"),
    "GlobalMaxPooling2D": ("data_format", "keepdims"),
    "GlobalMaxPooling3D": ("data_format", "keepdims"),
    "GroupNormalization": ("groups", *_NORM),
    "Identity": (),
    "LSTM": (*_LSTM_CELL, *_SEQUENCE),
    "LSTMCell": _LSTM_CELL,
    "Lambda": ("function", "output_shape", "arguments"),
    "LayerNormalization": _NORM,
    "LeakyReLU": ("negative_slope",),
    "Masking": ("mask_value",),
    "MaxPooling1D": _POOL,
    "MaxPooling2D": _POOL,
    "MaxPooling3D": _POOL,
    "Maximum": (),
    "Minimum": (),
    "MultiHeadAttention": (
        *("num_heads", "key_dim", "value_dim", "dropout", "use_bias", "output_shape", "attention_axes"),
        *("activity_regularizer", *_weights("kernel", "bias")),
    ),
    "Multiply": (),
    "Normalization": ("axis", "mean", "variance", "invert"),
    "PReLU": (*_weights("alpha"), "shared_axes"),
    "Permute": ("dims",),
    "RNN": ("cell", "return_sequences", "return_state", "go_backwards", "unroll"),
    "RandomBrightness": ("factor", "value_range", "seed"),
    "RandomContrast": ("factor", "seed"),
    "RandomFlip": ("mode", "seed"),
    "RandomRotation": ("factor", "fill_mode", "interpolation", "seed", "fill_value"),
    "RandomTranslation": ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value"),
    "RandomZoom": ("height_factor", "width_factor", "fill_mode", "interpolation", "seed", "fill_value"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "RepeatVector": ("n",),
    "Rescaling": ("scale", "offset"),
    "Reshape": ("target_shape",),
    "Resizing": ("height", "width", "interpolation", "crop_to_aspect_ratio"),
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "SimpleRNN": (*_CELL, *_SEQUENCE),
    "SimpleRNNCell": _CELL,
    "Softmax": ("axis",),
    "SpatialDropout1D": ("rate",),
    "SpatialDropout2D": ("rate", "data_format"),
    "SpatialDropout3D": ("rate", "data_format"),
    "StackedRNNCells": ("cells",),
    "Subtract": (),
    "TimeDistributed": ("layer",),
    "UnitNormalization": ("axis",),
    "UpSampling1D": ("size",),
    "UpSampling2D": ("size", "data_format", "interpolation"),
    "UpSampling3D": ("size", "data_format"),
    "ZeroPadding1D": ("padding",),
    "ZeroPadding2D": ("padding", "data_format"),
    "ZeroPadding3D": ("padding", "data_format"),
}

# (class, argument as above) -> what tf_keras calls it.
TF_KERAS_NAMES: Mapping[tuple[str, str], str] = {("LeakyReLU", "negative_slope"): "alpha"}

# Settings that one side lacks, with the values at which they change nothing; any other value cannot cross.
_RECURRENT: Mapping[str, tuple[Any, ...]] = {"stateful": (False,), "time_major": (False,)}
_DENSE: Mapping[str, tuple[Any, ...]] = {"lora_rank": (None,), "quantization_config": (None,)}
ONE_SIDED: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "BatchNormalization": {"renorm": (False,)},
    "Bidirectional": {"stateful": (False,)},
    "CategoryEncoding": {"sparse": (False,)},
    "CenterCrop": {"data_format": (None, "channels_last")},
    "ConvLSTM1D": _RECURRENT,
    "ConvLSTM2D": _RECURRENT,
    "ConvLSTM3D": _RECURRENT,
    "Dense": _DENSE,
    "Discretization": {"sparse": (False,)},
    "EinsumDense": _DENSE,
    "Embedding": {**_DENSE, "sparse": (False,)},
    "GRU": _RECURRENT,
    "LSTM": _RECURRENT,
    "Lambda": {"mask": (None,)},
    "MultiHeadAttention": {"sliding_window": (None,), "use_gate": (False,), "softmax_robust_masking": (False, None)},
    "RNN": _RECURRENT,
    "Resizing": {
        "pad_to_aspect_ratio": (False,),
        "antialias": (False,),
        "data_format": (None, "channels_last"),
    },
    "SeparableConv1D": {"groups": (1,)},
    "SeparableConv2D": {"groups": (1,)},
    "SimpleRNN": _RECURRENT,
    "Softmax": {"robust_masking": (False,)},
    "ZeroPadding1D": {"data_format": (None, "channels_last")},
}

# The layers inside a layer that own some of its weights, under the same attribute in both Kerases.
PARTS: Mapping[str, tuple[str, ...]] = {
    "Bidirectional": ("forward_layer", "backward_layer"),
    "ConvLSTM1D": ("cell",),
    "ConvLSTM2D": ("cell",),
    "ConvLSTM3D": ("cell",),
    "GRU": ("cell",),
    "LSTM": ("cell",),
    "MultiHeadAttention": ("_query_dense", "_key_dense", "_value_dense", "_output_dense"),
    "RNN": ("cell",),
    "SimpleRNN": ("cell",),
    "StackedRNNCells": ("cells",),
    "TimeDistributed": ("layer",),
}

_TABLES = "its tables cannot be part of a .tflite file; look words up before the model, and feed it the integers"
_STRIP = "it belongs to training; take it off first (strip_pruning, strip_clustering, or convert the quantized model)"

# Why a layer that is known all the same cannot cross, and the way out.
REFUSED: Mapping[str, str] = {
    "GroupQueryAttention": "tf_keras has no such layer; use MultiHeadAttention",
    "HashedCrossing": "it takes strings or integers apart; do it before the model",
    "Hashing": "it takes strings or integers apart; do it before the model",
    "IntegerLookup": _TABLES,
    "JaxLayer": "its code runs in JAX; build the model from Keras layers",
    "LocallyConnected1D": "Keras 3 has no such layer; stay with tf_keras, or build it from keras.ops",
    "LocallyConnected2D": "Keras 3 has no such layer; stay with tf_keras, or build it from keras.ops",
    "PruneLowMagnitude": _STRIP,
    "ClusterWeights": _STRIP,
    "QuantizeAnnotate": _STRIP,
    "QuantizeLayer": _STRIP,
    "QuantizeWrapper": _STRIP,
    "QuantizeWrapperV2": _STRIP,
    "RMSNormalization": "tf_keras has no such layer; use keras.ops.rms_normalization, or LayerNormalization",
    "RandomCrop": "the two Kerases crop differently in inference; use CenterCrop, and crop at random in the data",
    "SpectralNormalization": "tf_keras's own fails beside Keras 3; use the layer inside, its kernel divided by sigma",
    "StringLookup": _TABLES,
    "TFSMLayer": "it hides a SavedModel, which has no layers; convert that SavedModel itself",
    "TextVectorization": _TABLES,
    "ThresholdedReLU": "Keras 3 has no such layer; use ReLU(threshold=...)",
    "TorchModuleWrapper": "its code runs in PyTorch; build the model from Keras layers",
}
