"""What the numbers of a model's input mean: the table `input` of an exported model's model.json (docs/android.md).

    spec = parse({"kind": "image", "channels": "gray", "mean": 0, "std": 255}, (1, 28, 28, 1), where="input.toml")
    spec.misfit((1, 28, 28, 1))         "" where it fits the input's shape, else what came and what was expected
    spec.as_table()                     the same keys, as model.json has them

What a file itself tells of its input is found by `converters.guess`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from converters.errors import FileError, brief

Drawing = Literal["white on black", "black on white"]

_LONGEST_NAME = 100
_LARGEST = 1 << 64


def _listed(value: Any) -> Any:
    """A number for all, or a list with one for each; as a tuple."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Numbers = Annotated[tuple[float, ...], BeforeValidator(_listed), Field(min_length=1)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]


class _Table(BaseModel):
    """Keys with their types: no number is taken from a text, and no unknown key is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    def as_table(self) -> dict[str, Any]:
        """The keys as model.json and a TOML file have them."""
        return self.model_dump(mode="json", exclude_none=False)


def _check_scaling(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if any(value <= 0 for value in std):
        raise ValueError(f"std is {list(std)}; expected numbers above 0")
    if len(mean) > 1 and len(std) > 1 and len(mean) != len(std):
        raise ValueError(f"mean has {len(mean)} numbers and std {len(std)}; give as many of both, or one for all")


class ImageInput(_Table):
    """Pixels: (pixel - mean) / std.

    Attributes:
        kind: `image`.
        channels: `gray`, or three in this order.
        layout: where the channels stand in the shape.
        mean: one number, or one per channel, in pixels of 0 to 255.
        std: likewise.
        drawing: how a drawing by hand looks that the model knows; None where it is not for drawings.
    """

    kind: Literal["image"] = "image"
    channels: Literal["gray", "rgb", "bgr"]
    layout: Literal["nhwc", "nchw"] = "nhwc"
    mean: Numbers
    std: Numbers
    drawing: Drawing | None = None

    @model_validator(mode="after")
    def _check(self) -> ImageInput:
        _check_scaling(self.mean, self.std)
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.depth):
                raise ValueError(
                    f"{name} has {len(values)} numbers and {self.channels} {self.depth} channels; give one for all, "
                    "or one per channel"
                )
        return self

    @property
    def depth(self) -> int:
        """Number of channels."""
        return 1 if self.channels == "gray" else 3

    def size(self, shape: Sequence[int]) -> tuple[int, int]:
        """Width and height of the images of an input."""
        return size_of(shape, self.layout)

    def misfit(self, shape: Sequence[int]) -> str:
        """Why an input of this shape takes no such image; empty where it does."""
        if self.channels == "gray" and self.layout == "nhwc" and len(shape) == 3 and shape[0] == 1:
            return ""
        wanted = f"[1, height, width, {self.depth}]" if self.layout == "nhwc" else f"[1, {self.depth}, height, width]"
        depth = shape[3 if self.layout == "nhwc" else 1] if len(shape) == 4 else 0
        fits = len(shape) == 4 and shape[0] == 1 and depth == self.depth
        return "" if fits else f"{self.channels} images in {self.layout} need an input {wanted}"


_FRAMES = ("frame_length", "frame_step", "fft_length", "power")
_MELS = ("mel_bins", "lower_hz", "upper_hz", "log_offset")
# The keys of an audio input that only some features have; the last ones have all of them.
FEATURE_KEYS: Mapping[str, tuple[str, ...]] = {
    "waveform": (),
    "spectrogram": _FRAMES,
    "log_mel": (*_FRAMES, *_MELS),
    "mfcc": (*_FRAMES, *_MELS, "coefficients"),
}


class AudioInput(_Table):
    """A clip and the features that are computed of it; `tfcompress.data.audio` computes them.

    Attributes:
        kind: `audio`.
        sample_rate: Hz.
        samples: length of a clip.
        normalize: `int16`, divide 16-bit samples by 32768; `peak`, by the largest absolute value.
        features: what the model takes.
        frame_length: samples; of all but `waveform`.
        frame_step: samples; of all but `waveform`.
        fft_length: samples; of all but `waveform`.
        power: 1 for magnitudes, 2 for their squares; of all but `waveform`.
        mel_bins: of `log_mel` and `mfcc`.
        lower_hz: of `log_mel` and `mfcc`.
        upper_hz: of `log_mel` and `mfcc`.
        log_offset: added before the logarithm; of `log_mel` and `mfcc`.
        coefficients: how many are kept; of `mfcc`.
        mean: subtracted from each feature.
        std: what the rest is divided by.
    """

    kind: Literal["audio"] = "audio"
    sample_rate: Annotated[int, Field(ge=1_000, le=192_000)]
    samples: Count
    normalize: Literal["int16", "peak"] = "int16"
    features: Literal["waveform", "spectrogram", "log_mel", "mfcc"]
    frame_length: Count | None = None
    frame_step: Count | None = None
    fft_length: Annotated[int, Field(ge=2, le=1 << 20)] | None = None
    power: Literal[1, 2] | None = None
    mel_bins: Annotated[int, Field(ge=1, le=4096)] | None = None
    lower_hz: float | None = None
    upper_hz: float | None = None
    log_offset: float | None = None
    coefficients: Count | None = None
    mean: float = 0.0
    std: float = 1.0

    @model_validator(mode="after")
    def _check(self) -> AudioInput:
        needed = FEATURE_KEYS[self.features]
        for name in FEATURE_KEYS["mfcc"]:
            if name in needed and getattr(self, name) is None:
                raise ValueError(f"{name} is missing; features {self.features!r} need it")
            if name not in needed and getattr(self, name) is not None:
                raise ValueError(f"features {self.features!r} have no {name}; leave it out")
        _check_scaling((self.mean,), (self.std,))
        for told, holds in self._demands():
            if not holds:
                raise ValueError(told)
        return self

    def _demands(self) -> list[tuple[str, bool]]:
        demands = []
        if self.frame_length is not None and self.fft_length is not None:
            length, fft = self.frame_length, self.fft_length
            demands += [
                (f"frame_length is {length}; expected at most samples = {self.samples}", length <= self.samples),
                (
                    f"fft_length is {fft}; expected an even number from frame_length = {length}",
                    fft >= length and fft % 2 == 0,
                ),
            ]
        if self.lower_hz is not None and self.upper_hz is not None and self.log_offset is not None:
            low, high, half = self.lower_hz, self.upper_hz, self.sample_rate / 2
            asked = f"expected 0 <= lower_hz < upper_hz <= {half:g}"
            demands += [
                (f"lower_hz is {low:g} and upper_hz {high:g}; {asked}", 0 <= low < high <= half),
                (f"log_offset is {self.log_offset:g}; expected a number above 0", self.log_offset > 0),
            ]
        if self.coefficients is not None and self.mel_bins is not None:
            kept, bins = self.coefficients, self.mel_bins
            demands.append((f"coefficients is {kept}; expected at most mel_bins = {bins}", kept <= bins))
        return demands

    def as_table(self) -> dict[str, Any]:
        """The keys that these features have."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """(samples,) of a waveform, else (frames, features of a frame)."""
        if self.frame_length is None or self.frame_step is None or self.fft_length is None:
            return (self.samples,)
        frames = 1 + (self.samples - self.frame_length) // self.frame_step
        return frames, self.coefficients or self.mel_bins or self.fft_length // 2 + 1

    def misfit(self, shape: Sequence[int]) -> str:
        """Why an input of this shape does not take these features; empty where it does."""
        made = self.feature_shape
        if [size for size in shape if size != 1] == [size for size in made if size != 1]:
            return ""
        said = f"{made[0]} frames of {made[1]} values" if len(made) == 2 else f"{made[0]} samples"
        return f"the {self.features} features of a clip are {said}"


class TextInput(_Table):
    """Words as their numbers in a vocabulary.

    Attributes:
        kind: `text`.
        length: of the input.
        mode: `int`, numbers of the words in order; `multi_hot`, 1 for each word that occurs.
        standardize: what is done to the text before it is split.
    """

    kind: Literal["text"] = "text"
    length: Count
    mode: Literal["int", "multi_hot"] = "int"
    standardize: Literal["lower_and_strip_punctuation", "lower", "none"] = "lower_and_strip_punctuation"

    def misfit(self, shape: Sequence[int]) -> str:
        """Why an input of this shape does not take such a text; empty where it does."""
        return (
            "" if math.prod(shape) == self.length else f"texts of length {self.length} need an input [1, {self.length}]"
        )


class FeaturesInput(_Table):
    """Plain numbers: (value - mean) / std.

    Attributes:
        kind: `features`.
        names: one per value, or none.
        mean: one number, or one per value.
        std: likewise.
    """

    kind: Literal["features"] = "features"
    names: Names = ()
    mean: Numbers = (0.0,)
    std: Numbers = (1.0,)

    @model_validator(mode="after")
    def _check(self) -> FeaturesInput:
        _check_scaling(self.mean, self.std)
        for name in self.names:
            if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
                raise ValueError(
                    f"names holds {name[:60]!r}; expected printable names of at most {_LONGEST_NAME} letters"
                )
        return self

    def misfit(self, shape: Sequence[int]) -> str:
        """Why an input of this shape does not take these values; empty where it does."""
        values = math.prod(shape)
        for name, given, alone in (("names", self.names, 0), ("mean", self.mean, 1), ("std", self.std, 1)):
            if len(given) not in (alone, values):
                return f"{name} has {len(given)} entries, and the input takes {values} values"
        return ""


InputSpec = ImageInput | AudioInput | TextInput | FeaturesInput
_ANY: TypeAdapter[InputSpec] = TypeAdapter(Annotated[InputSpec, Field(discriminator="kind")])


def parse(table: Mapping[str, Any], shape: Sequence[int], *, where: str) -> InputSpec:
    """What a table says of an input, checked against the input's shape.

    Args:
        table: the keys of docs/android.md. `channels` and `layout` of an image and `length` of a text may be left out:
            the shape tells them.
        shape: of the model's input.
        where: the file's name, for messages.

    Raises:
        FileError: an unknown or missing key, a value that cannot work, or another shape than the model's input has.
    """
    found = checked(_told_by_shape(table, shape) | dict(table), where=where)
    if wrong := found.misfit(shape):
        raise FileError(f"{where}: {wrong}, and the model's input is {list(shape)}; change one of them")
    return found


def checked(table: Mapping[str, Any], *, where: str) -> InputSpec:
    """What a table says of an input, whatever the input's shape.

    Raises:
        FileError: an unknown or missing key, or a value that cannot work.
    """
    for key, value in table.items():
        for number in value if isinstance(value, list) else [value]:
            # pydantic writes out what it refuses, which Python will not do with 5,000 digits.
            if isinstance(number, int) and abs(number) > _LARGEST:
                raise FileError(f"{where}: {brief(key)} is {brief(number)}; expected a smaller number")
    try:
        return _ANY.validate_python(dict(table))
    except ValidationError as error:
        raise FileError(f"{where}: {_sentence(error)}") from error


def _told_by_shape(table: Mapping[str, Any], shape: Sequence[int]) -> dict[str, Any]:
    if table.get("kind") == "text":
        return {"length": math.prod(shape)}
    if table.get("kind") == "image" and (image := image_of(shape, may_lack_channels=True)):
        return dict(zip(("channels", "layout"), image, strict=True))
    return {}


def size_of(shape: Sequence[int], layout: str) -> tuple[int, int]:
    """Width and height of the images of an input; a gray one may lack the axis of channels."""
    height, width = shape[1:3] if layout == "nhwc" else shape[2:4]
    return width, height


def image_of(shape: Sequence[int], *, may_lack_channels: bool) -> tuple[str, str] | None:
    """Channels and layout of an input that has the shape of an image; None for any other.

    Args:
        shape: of the input.
        may_lack_channels: whether `[1, height, width]` is a gray image, and no sequence of rows.
    """
    if len(shape) == 3 and shape[0] == 1 and may_lack_channels:
        return "gray", "nhwc"
    if len(shape) != 4 or shape[0] != 1:
        return None
    for axis, layout in ((3, "nhwc"), (1, "nchw")):
        if shape[axis] in (1, 3):
            return ("gray" if shape[axis] == 1 else "rgb"), layout
    return None


def _sentence(error: ValidationError) -> str:
    """The first complaint in a line: the key, what came, what was expected."""
    first = error.errors()[0]
    message = first["msg"][:1].lower() + first["msg"][1:]
    message = message.removeprefix("value error, ").replace("tuple", "list")
    place = ".".join(str(part) for part in first["loc"][1:]) if first["loc"] else ""
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        kind = first["input"].get("kind") if isinstance(first["input"], Mapping) else None
        return f"kind is {brief(kind)}; expected image, audio, text or features"
    if first["type"] == "extra_forbidden":
        return f"there is no key {brief(place)} in an input of kind {first['loc'][0]!r}; docs/android.md lists them"
    if first["type"] == "missing":
        return f"{place} is missing; an input of kind {first['loc'][0]!r} needs it"
    return f"{place} is {brief(first['input'])}; {message}" if place else message
