"""Proof that a finished file has the very grids that training fixed, read from the file itself.

proven(conversion, compressed, spec)     raises CertificateError unless every promise holds on the integers, integers
                                         x scales are the Keras kernels, and activations have the trained ranges
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from converters import layer_ranges
from converters.conversion import Conversion
from converters.errors import CertificateError
from converters.flatbuffer import FlatBuffer, Tensor
from converters.flatbuffer.kernels import StoredKernel, find, kernels_in_file
from converters.keras_models.kernels import Kernel, kernels
from converters.spec import ConversionSpec, DenseGranularity
from converters.verify import listed, verify
from tfcompress import registry
from tfcompress.invariants import holds
from tfcompress.model import CompressedModel

# Scales are float32 in the file, and computed from a float64 range.
_RELATIVE = 1e-5


def proven(
    conversion: Conversion, compressed: CompressedModel, spec: ConversionSpec, *, dense: DenseGranularity | None = None
) -> Conversion:
    """Compares a file with what the steps of a recipe promised.

    A kernel that `qat` settled or that has a codebook must come out bit for bit, any other within half a step. A range
    is looked for where `layer_ranges.certain` says that the quantizer had no choice.

    Args:
        conversion: of `compressed.model` with `compressed.ranges`, its float file kept.
        compressed: what the steps made.
        spec: what the file must be.
        dense: granularity of Dense scales that the user asked for.

    Returns:
        `conversion`, with a note where these scales are fewer than asked for.

    Raises:
        CertificateError: a promise is broken; names the layers and the way out.
    """
    checks = [(name, lambda kernel, kept=kept: holds(kernel, kept)) for name, kept in compressed.invariants.items()]
    verify(conversion.flatbuffer, spec, checks=checks)
    faults = [*_kernel_faults(conversion.flatbuffer, compressed), *_range_faults(conversion, compressed)]
    if faults:
        message = f"the file is not what was trained: {listed(faults)}"
        raise CertificateError(message, details="\n".join(faults))
    return replace(conversion, notes=(*conversion.notes, *_dense_notes(compressed, dense)))


def _dense_notes(compressed: CompressedModel, dense: str | None) -> tuple[str, ...]:
    """What to say where Dense scales per unit were asked for, and training fixed one for all units."""
    if dense != "per-channel":
        return ()
    trained = [
        kernel.layer
        for kernel in kernels(compressed.model)
        if kernel.layer_class == "Dense" and np.size(compressed.ranges.weights.get(kernel.name, ())) == 1
    ]
    if not trained:
        return ()
    return (f"dense = per-channel, but the scales of {', '.join(trained)} are equal: training gives a Dense layer one",)


def _kernel_faults(flatbuffer: FlatBuffer, compressed: CompressedModel) -> Iterator[str]:
    scales = compressed.ranges.weights
    stored = kernels_in_file(flatbuffer) if scales else {}
    settled = any("ranges" in registry.find(step.technique).makes for step in compressed.history)
    for kernel in kernels(compressed.model):
        if kernel.name not in scales:
            continue
        kept = any(promise.kind == "codebook" for promise in compressed.invariants.get(kernel.name, ()))
        half = 0.0 if settled or kept else np.asarray(scales[kernel.name], np.float64) * 0.5001
        found = find(stored, kernel.name)
        values = None if found is None else _values(found, kernel)
        if values is None:
            yield f"the file has no kernel {kernel.name} of shape {list(kernel.shape)}; {_WAY_OUT}"
        elif np.any(wrong := np.abs(values - kernel.variable.numpy()) > half):
            yield f"{wrong.mean():.1%} of the weights of {kernel.name} are not those of the Keras model; {_WAY_OUT}"


_WAY_OUT = (
    "the converter merged its layer with one beside it: put that one's constants into the layer's weights, or leave "
    "cluster and qat out of the recipe"
)


def _values(stored: StoredKernel, kernel: Kernel) -> npt.NDArray[np.float32] | None:
    """Integers times scales in the shape of the Keras kernel, None where they do not fit it."""
    shape = kernel.scale_shape(per_tensor=stored.scales.size == 1)
    if stored.values.size != np.prod(kernel.shape) or stored.scales.size != np.prod(shape):
        return None
    scales = stored.scales.reshape(shape)
    return (stored.values.reshape(kernel.shape).astype(np.float32) * scales).astype(np.float32)


def _range_faults(conversion: Conversion, compressed: CompressedModel) -> Iterator[str]:
    ranges = compressed.ranges.activations
    if not ranges or conversion.float_flatbuffer is None:
        return
    tensors = {tensor.name: tensor for tensor in conversion.flatbuffer.tensors}
    ports = zip(conversion.float_flatbuffer.outputs, conversion.flatbuffer.outputs, strict=False)
    tensors |= {tensor.name: other for tensor, other in ports}  # their names may differ
    doors = _behind_doors(conversion.flatbuffer)
    for layer, name, (low, high) in layer_ranges.certain(conversion.float_flatbuffer.data, ranges):
        found = tensors.get(name)
        found = doors.get(found.name, found) if found else None
        if found is None or found.scales.size != 1:  # the quantizer removed or renamed it
            continue
        step = max(-low, high) / 32767 if found.dtype == "int16" else (high - low) / 255
        if not np.isclose(found.scales[0], step, rtol=_RELATIVE, atol=0):
            yield (
                f"the output of layer '{layer}' has steps of {found.scales[0]:.6g} and was trained with {step:.6g}; "
                "convert with the other quantizer ([conversion] quantizer), or leave qat out of the recipe"
            )


def _behind_doors(flatbuffer: FlatBuffer) -> dict[str, Tensor]:
    """Float inputs and outputs of the model -> the integers that they become or come from."""
    tensors, found = flatbuffer.tensors, {}
    for operator in flatbuffer.operators:
        if operator.name == "QUANTIZE" and operator.inputs[0] in flatbuffer.graphs[0].inputs:
            found[tensors[operator.inputs[0]].name] = tensors[operator.outputs[0]]
        if operator.name == "DEQUANTIZE" and operator.outputs[0] in flatbuffer.graphs[0].outputs:
            found[tensors[operator.outputs[0]].name] = tensors[operator.inputs[0]]
    return found
