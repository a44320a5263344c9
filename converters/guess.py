"""What a file's input is by its shape and its quantization, where nobody says more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import get_args

from converters.errors import UsageError, brief
from converters.inputs import Drawing, FeaturesInput, ImageInput, InputSpec, image_of, size_of
from converters.runtimes.ports import Port

# mean and standard deviation that take pixels 0..255 to each scale
SCALES: Mapping[str, tuple[float, float]] = {"0..1": (0.0, 255.0), "-1..1": (127.5, 127.5), "0..255": (0.0, 1.0)}
# Ranges of 8-bit inputs that tell how pixels become numbers: mean and standard deviation by (lowest, highest).
_BY_RANGE = {
    (0.0, 1.0): SCALES["0..1"],
    (-1.0, 1.0): SCALES["-1..1"],
    (0.0, 255.0): SCALES["0..255"],
    (-128.0, 127.0): (128.0, 1.0),
}
# How far an end may be off, as a share of the range: calibration data seldom reach both.
_OFF = 0.1


def guess(port: Port, scale: str | None = None, drawing: Drawing | None = None) -> tuple[InputSpec, str]:
    """What an input is by its shape, and how it was found out.

    Args:
        port: the input.
        scale: one of `SCALES`, how pixels become the model's units; None: as a quantized input's range tells.
        drawing: how drawings look that the model knows.

    Raises:
        UsageError: how pixels become numbers is not known, or not asked; or no drawings look so.
    """
    if drawing is not None and drawing not in get_args(Drawing):
        raise UsageError(f"drawing is {brief(drawing)}; expected {' or '.join(get_args(Drawing))}")
    asked = scale is not None or drawing is not None
    image = image_of(port.shape, may_lack_channels=asked)
    if image is None:
        for option, given in (("--scale", scale), ("--drawing", drawing)):
            if given is not None:
                raise UsageError(
                    f"{option} is for images, and the input has shape {list(port.shape)}; leave it out, or describe "
                    "the input with --input"
                )
        return FeaturesInput(), f"{math.prod(port.shape)} plain numbers, as its shape {list(port.shape)} tells"
    found = scaling_of(port)
    if scale is None and found is None:
        raise UsageError(_unknown_scaling(port))
    scaling = SCALES[scale] if scale is not None else found
    if scaling is None or (found is not None and scaling != found):
        low, high = port.real_range
        raise UsageError(
            f"--scale {scale} came, and the file's input takes {low:.4g} to {high:.4g}; leave --scale out, or describe "
            "the input with --input"
        )
    channels, layout = image
    width, height = size_of(port.shape, layout)
    spec = ImageInput(channels=channels, layout=layout, mean=scaling[:1], std=scaling[1:], drawing=drawing)  # type: ignore[arg-type]
    how = "as asked" if scale is not None else "as the file's own input range tells"
    return spec, f"{width} x {height} pixels, {channels}, (pixel - {scaling[0]:g}) / {scaling[1]:g} {how}"


def scaling_of(port: Port) -> tuple[float, float] | None:
    """Mean and standard deviation of pixels, where the range of an 8-bit input tells them; None where it does not."""
    if port.dtype == "uint8" and not port.is_quantized:
        return SCALES["0..255"]
    if port.dtype not in ("int8", "uint8") or not port.is_quantized:
        return None  # a 16-bit range is symmetric, whatever the values are
    low, high = port.real_range
    for (lowest, highest), scaling in _BY_RANGE.items():
        off = _OFF * (highest - lowest)
        if abs(low - lowest) <= off and abs(high - highest) <= off:
            return scaling
    return None


def _unknown_scaling(port: Port) -> str:
    options = ", ".join(SCALES)
    if port.is_quantized and port.dtype in ("int8", "uint8"):
        low, high = port.real_range
        return (
            f"the input has the shape of an image, {list(port.shape)}, and takes {low:.4g} to {high:.4g}, which tells "
            f"no usual scaling of pixels; give --scale ({options}), or describe the input with --input"
        )
    return (
        f"the input has the shape of an image, {list(port.shape)}, and a {port.dtype} input does not tell how pixels "
        f"become numbers; give --scale ({options}), or describe the input with --input"
    )
