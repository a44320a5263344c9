"""The Keras layer behind a tensor name: ours, and those that TFLiteConverter leaves (names from real files)."""

from __future__ import annotations

import pytest

from converters.flatbuffer.layer_names import layer_of

OURS = [
    ("conv1/Conv2D", "conv1"),
    ("relu_1/Relu;bn_1/FusedBatchNormV3;conv_1/BiasAdd;conv_1/Conv2D", "conv_1"),
    ("add/add", "add"),
    ("conv2d/Conv2D_decoded", "conv2d"),
]
OF_OTHERS = [
    ("model/dense/BiasAdd/ReadVariableOp/resource", "dense"),
    ("dense/BiasAdd/ReadVariableOp", "dense"),
    ("model/conv2d_5/BiasAdd;model/conv2d_5/Conv2D;model/conv2d_5/BiasAdd/ReadVariableOp/resource1", "conv2d_5"),
    ("model/activation_2/Relu;model/add/add", "add"),
    ("model/average_pooling2d/AvgPool", "average_pooling2d"),
    ("model/flatten/Const", "flatten"),
    ("model/inner/add/add", "add"),
    ("model/inner/dense_1/Tensordot/MatMul", "dense_1"),
    # The converter lists a layer whose constants this one merely shares (conv2d_4), and what it folded.
    (
        "functional_1/batch_normalization_1/FusedBatchNormV3;functional_1/depthwise_conv2d/depthwise;"
        "functional_1/depthwise_conv2d/BiasAdd;functional_1/conv2d_4/Conv2D;"
        "functional_1/depthwise_conv2d/BiasAdd/ReadVariableOp/resource",
        "depthwise_conv2d",
    ),
    (
        "functional_1/activation_8/Relu;StatefulPartitionedCall/StatefulPartitionedCall/functional_1/activation_8/Relu;"
        "functional_1/conv2d_4/BiasAdd;StatefulPartitionedCall/StatefulPartitionedCall/functional_1/conv2d_4/BiasAdd;61",
        "conv2d_4",
    ),
    ("mobilenetv2_1.00_224_1/Conv1_relu_1/Relu6;mobilenetv2_1.00_224_1/Conv1_1/convolution", "Conv1_1"),
    (
        "m/expanded_conv_depthwise_relu_1/Relu6;m/expanded_conv_depthwise_BN_1/batchnorm/mul_1;"
        "m/expanded_conv_depthwise_1/depthwise;1",
        "expanded_conv_depthwise_1",
    ),
    ("sequential/lstm/while/lstm_cell/MatMul", "lstm"),
    ("serving_default_input_5:0", "input_5"),
    ("input_1_int8", "input_1"),
    ("softmax", "softmax"),
]
NAMELESS = [
    "", "Identity", "Identity_int8", "StatefulPartitionedCall:0", "StatefulPartitionedCall_1:0", "arith.constant41",
    "tfl.quantize", "tfl.pseudo_qconst3", "6108", ";", "///", "output_0", "Gelu", "Mean", "AddV2",
]  # fmt: skip


@pytest.mark.parametrize(("name", "layer"), OURS + OF_OTHERS)
def test_a_tensor_name_leads_to_its_keras_layer(name: str, layer: str) -> None:
    assert layer_of(name) == layer


@pytest.mark.parametrize("name", NAMELESS)
def test_names_that_the_converter_invents_lead_to_no_layer(name: str) -> None:
    assert layer_of(name) == ""


def test_a_hostile_name_takes_no_more_time_than_its_length() -> None:
    for name in ("1" * 300_000 + "!", "tfl." + "_1" * 100_000 + "!", "identity" + "_" * 300_000 + "!", "a/" * 100_000):
        assert isinstance(layer_of(name), str)
