"""What training chose arrives in the file: the integers of a codebook, and its scales bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codebook_models import CODEBOOK, Codebooks, every_kind_of_layer, on_codebook

from converters.errors import ConversionError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from converters.runtimes import litert, ports, tflm
from converters.verify import verify
from tfcompress.targets import runtime as find_runtime

QUANTIZERS = ("tflite", "litert")


@pytest.fixture(scope="module", params=["one scale", "one per unit"])
def everything(request: pytest.FixtureRequest) -> Codebooks:
    return on_codebook(every_kind_of_layer(), dense_per_unit=request.param == "one per unit")


def spec_for(codebooks: Codebooks, dtype: Any, quantizer: Any, runtime: str = "litert", io: Any = None) -> Any:
    per_unit = codebooks.scales["hidden/kernel"].size > 1
    dense = "per-channel" if per_unit else "per-tensor"
    return find_runtime(runtime).spec(dtype=dtype, quantizer=quantizer, dense=dense, io=io)


def simulated(codebooks: Codebooks, data: bytes) -> list[np.ndarray]:
    """Outputs of the Keras model for the input as the file rounds it, each on the file's own grid."""
    flatbuffer = FlatBuffer(data)
    (port,) = ports.inputs_of(flatbuffer)
    outputs = codebooks.model(port.from_file(port.to_file(codebooks.samples)))
    grids = ports.outputs_of(flatbuffer)
    return [grid.from_file(grid.to_file(output.numpy())) for grid, output in zip(grids, outputs, strict=True)]


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("dtype", ["int8", "int16x8"])
@pytest.mark.parametrize("runtime", ["litert", "tflm"])
def test_a_codebook_arrives_exactly_and_computes_what_keras_computes(
    everything: Codebooks, runtime: str, dtype: str, quantizer: str
) -> None:
    per_unit = everything.scales["hidden/kernel"].size > 1
    if per_unit and (runtime, dtype) == ("tflm", "int16x8"):
        pytest.skip("TFLM takes Dense weights of one scale only beside 16-bit activations")
    spec = spec_for(everything, dtype, quantizer, runtime)
    data = everything.quantized(spec)
    verify(FlatBuffer(data), spec)
    stored = kernels_in_file(FlatBuffer(data))
    assert set(stored) == set(everything.integers)
    for name, integers in everything.integers.items():
        np.testing.assert_array_equal(stored[name].values, integers, err_msg=name)
        assert stored[name].scales.tobytes() == everything.scales[name].tobytes()
        assert np.unique(stored[name].values).size <= CODEBOOK.size
    run = tflm.run if runtime == "tflm" else litert.run
    for port, made, expected in zip(
        FlatBuffer(data).outputs, run(data, [everything.samples]), simulated(everything, data), strict=True
    ):
        steps = np.abs(made.reshape(expected.shape) - expected) / port.scales[0]
        assert steps.max() <= 1.01, port.name
        assert np.mean(steps > 0.5) < 0.02, port.name  # most agree to the bit
