"""A damaged file, too, is told which operator the app's runtime does not take."""

from __future__ import annotations

import pytest
from small_tflite import G, Op, T, model, pack

from converters.android import operators
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer


@pytest.mark.parametrize("inputs", [[], ["x"]])
def test_a_dense_layer_without_weights_is_refused_in_a_sentence(inputs: list[str]) -> None:
    tensors = [T("x", (1, 4), "float32"), T("y", (1, 4), "float32")]
    made = model(G(tensors, [Op("FULLY_CONNECTED", inputs, ["y"])], ["x"], ["y"]))
    made.operatorCodes[0].version = 99
    with pytest.raises(ModelError, match="FULLY_CONNECTED.* has version 99, and the app's TensorFlow Lite .* takes"):
        operators.check(FlatBuffer(pack(made)))
