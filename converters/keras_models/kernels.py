"""The kernels of a flat tf_keras model: which arrays of weights get masks, codebooks and scales, and how they lie.

A kernel is known by its name, `<layer>/<attribute>` (`conv2d_3/kernel`, `dw/depthwise_kernel`). A scale broadcasts
against the kernel as Keras keeps it; a `.tflite` file keeps the same numbers in another order:

    layer                         Keras           scale          file
    Conv1D                        W I O           1 1 O          O 1 W I
    Conv2D                        H W I O         1 1 1 O        O H W I
    DepthwiseConv1D               W C M           1 C M          1 1 W C*M
    DepthwiseConv2D               H W C M         1 1 C M        1 H W C*M
    Conv2DTranspose               H W O I         1 1 O 1        O H W I
    Dense                         I O             1 1 or 1 O     O I
    Embedding                     N D             1 1            N D

A scale flattened is the file's vector of scales, one for each output channel. I is one group's inputs where a Conv2D
has groups. Shapes of the file: schema.fbs of TensorFlow Lite and the operators' kernels in tensorflow/lite/kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.errors import UsageError


@dataclass(frozen=True)
class _Layout:
    """How one class of layer keeps its kernel.

    Attributes:
        attribute: the layer's attribute that holds it.
        channel_axes: the axes of the Keras kernel that number the output channels.
        axes: the Keras axis that comes first, second, ... in the file, before axes are put in or merged.
        inserted: the places where the file then has an axis of length 1.
        merges_channels: whether the file has its last two axes, channels and multiplier, as one.
    """

    attribute: str
    channel_axes: tuple[int, ...]
    axes: tuple[int, ...]
    inserted: tuple[int, ...] = ()
    merges_channels: bool = False


_LAYOUTS: Mapping[str, _Layout] = {
    "Conv1D": _Layout("kernel", (2,), (2, 0, 1), (1,)),
    "Conv2D": _Layout("kernel", (3,), (3, 0, 1, 2)),
    "DepthwiseConv1D": _Layout("depthwise_kernel", (1, 2), (0, 1, 2), (0, 1), True),
    "DepthwiseConv2D": _Layout("depthwise_kernel", (2, 3), (0, 1, 2, 3), (0,), True),
    "Conv2DTranspose": _Layout("kernel", (2,), (2, 0, 1, 3)),
    "Dense": _Layout("kernel", (1,), (1, 0)),
    "Embedding": _Layout("embeddings", (), (0, 1)),
}

LAYER_CLASSES: tuple[str, ...] = tuple(_LAYOUTS)
"""Names of the tf_keras layer classes that have a kernel here."""


@dataclass(frozen=True)
class Kernel:
    """One kernel of a model.

    Attributes:
        layer: name of the layer.
        attribute: the layer's attribute that holds it.
        variable: the TensorFlow variable itself.
        channel_axes: axes of the variable that number the output channels; empty where one scale serves all.
        layer_class: name of the layer's class, which says how the kernel lies in a file.
    """

    layer: str
    attribute: str
    variable: Any = field(repr=False, compare=False)
    channel_axes: tuple[int, ...]
    layer_class: str

    @property
    def name(self) -> str:
        """`<layer>/<attribute>`."""
        return f"{self.layer}/{self.attribute}"

    @property
    def shape(self) -> tuple[int, ...]:
        """As Keras keeps it."""
        return tuple(int(size) for size in self.variable.shape)

    def scale_shape(self, per_tensor: bool | None = None) -> tuple[int, ...]:
        """The shape of the kernel's scales, which broadcasts against the kernel.

        Args:
            per_tensor: True: one scale for the whole kernel. False: one for each output channel. None: one for each,
                but one for the whole kernel of a Dense layer, which is what every runtime takes.
        """
        if per_tensor is None:
            per_tensor = self.layer_class == "Dense"
        channels = () if per_tensor else self.channel_axes
        return tuple(size if axis in channels else 1 for axis, size in enumerate(self.shape))


def kernels(model: Any) -> tuple[Kernel, ...]:
    """The kernels of a flat tf_keras model, in the order of its layers.

    Args:
        model: a functional `tf_keras.Model` without nested models or wrappers; only read.

    Returns:
        One for each layer whose class is exactly one of `LAYER_CLASSES`; a shared layer counts once. The kernels of
        other layers (recurrent, attention, separable, 3D) are not among them.
    """
    found = []
    for layer in model.layers:
        layout = _layout_of(layer)
        if layout is not None:
            variable = getattr(layer, layout.attribute)
            class_name = type(layer).__name__
            found.append(Kernel(layer.name, layout.attribute, variable, layout.channel_axes, class_name))
    return tuple(found)


def _layout_of(layer: Any) -> _Layout | None:
    # A class that a user derived may use the kernel in any way; only Keras's own are known.
    is_keras = type(layer).__module__.split(".")[0] in ("tf_keras", "keras")
    return _LAYOUTS.get(type(layer).__name__) if is_keras else None


def to_file_layout(layer_class: str, kernel: NDArray[Any]) -> NDArray[Any]:
    """A kernel, or its scales, as a `.tflite` file keeps it.

    Args:
        layer_class: one of `LAYER_CLASSES`.
        kernel: as Keras keeps it; see the table above.

    Raises:
        UsageError: another class, or an array of another rank.
    """
    layout = _known(layer_class)
    _check_rank(layer_class, kernel, len(layout.axes), "Keras")
    moved = kernel.transpose(layout.axes)
    if layout.merges_channels:
        moved = moved.reshape((*moved.shape[:-2], moved.shape[-2] * moved.shape[-1]))
    return np.expand_dims(moved, layout.inserted)


def from_file_layout(layer_class: str, weights: NDArray[Any], *, depth_multiplier: int = 1) -> NDArray[Any]:
    """A weight tensor of a `.tflite` file as Keras keeps it; undoes `to_file_layout`.

    Args:
        layer_class: one of `LAYER_CLASSES`.
        weights: as in the file; see the table above.
        depth_multiplier: M of a depthwise kernel, which the file's shape does not tell.

    Raises:
        UsageError: another class, an array of another rank, or channels that M does not divide.
    """
    layout = _known(layer_class)
    merged = 1 if layout.merges_channels else 0
    _check_rank(layer_class, weights, len(layout.axes) - merged + len(layout.inserted), "the file")
    moved = np.squeeze(weights, layout.inserted)
    if layout.merges_channels:
        channels = moved.shape[-1]
        if depth_multiplier < 1 or channels % depth_multiplier:
            raise UsageError(
                f"depth_multiplier={depth_multiplier} does not divide a {layer_class} kernel's {channels} channels; "
                "give the layer's own multiplier"
            )
        moved = moved.reshape((*moved.shape[:-1], channels // depth_multiplier, depth_multiplier))
    return moved.transpose(np.argsort(layout.axes))


def _known(layer_class: str) -> _Layout:
    if layer_class not in _LAYOUTS:
        raise UsageError(f"{layer_class!r} is no class of layer with a known kernel; use one of {', '.join(_LAYOUTS)}")
    return _LAYOUTS[layer_class]


def _check_rank(layer_class: str, array: NDArray[Any], rank: int, where: str) -> None:
    if array.ndim != rank:
        raise UsageError(
            f"a {layer_class} kernel has {rank} axes in {where}, got an array of shape {array.shape}; "
            "give the kernel in that layout"
        )


def unlimited(config: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's configuration without regularizers and constraints, which were chosen for weights of another size."""
    return {
        key: None if key.endswith(("_regularizer", "_constraint")) and key != "activity_regularizer" else value
        for key, value in config.items()
    }
