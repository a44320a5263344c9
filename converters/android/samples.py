"""Inputs to try that go with a model: pictures, sounds, texts, rows of numbers, checked before they are taken."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from converters.android import texts, wav
from converters.errors import DataError
from converters.inputs import AudioInput, InputSpec

_KINDS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"), "image"),
    ".wav": "audio", ".txt": "text", ".csv": "features",
}  # fmt: skip
SUFFIXES = tuple(_KINDS)
# Whatever a file is called: Pillow knows more of them, and hands one of them to a program that runs what is in it.
_DECODERS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_NOUNS = {"image": "pictures", "audio": "sounds", "text": "texts", "features": "rows of numbers"}
_MOST_PIXELS = 4_000_000
_MOST_BYTES = 16 << 20
_MOST_LETTERS = 10_000


@dataclass(frozen=True)
class Sample:
    """An input to try.

    Attributes:
        file: path in the model folder.
        label: the class that it is of; None where that is not told.
        content: the file.
        remark: what the app does to it that may surprise; empty for nothing.
    """

    file: str
    label: str | None
    content: bytes
    remark: str = ""


def kind_of(name: str) -> str:
    """What kind of input a file is by its name.

    Raises:
        DataError: of none that the app knows.
    """
    kind = _KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise DataError(f"the sample {name} is of an unknown kind; expected {_either(SUFFIXES)}")
    return kind


def checked(
    files: Iterable[tuple[str, bytes]], spec: InputSpec, shape: Sequence[int], labels: Sequence[str]
) -> list[Sample]:
    """The samples as the folder holds them.

    A sample is shown as one of the label that its name is, with or without a number after it: `cat.png`, `cat_2.png`.

    Args:
        files: names and contents.
        spec: what the model takes.
        shape: of its input.
        labels: names of the classes.

    Raises:
        DataError: a file of another kind than the model takes, one that cannot be read, or does not fit.
    """
    found: list[Sample] = []
    for name, content in files:
        kind = kind_of(name)
        if kind != spec.kind:
            raise DataError(_of_another_kind(name, kind, spec.kind))
        if len(content) > _MOST_BYTES:
            raise DataError(f"the sample {name} has {len(content):,} bytes; expected {_MOST_BYTES:,} at most")
        sample = replace(_CHECKS[kind](content, name, spec, shape), label=_label_of(name, labels))
        found.append(replace(sample, file=_free(_safe(name, sample.file), {one.file for one in found})))
    return found


def _of_another_kind(name: str, kind: str, wanted: str) -> str:
    own = _either([suffix for suffix in SUFFIXES if _KINDS[suffix] == wanted])
    # A file by itself is never found to take sounds or texts: --input says so.
    hint = f", or say with --input that the input is {kind}" if kind in ("audio", "text") else ""
    return (
        f"the sample {name} is one of {_NOUNS[kind]}, and this model takes {_NOUNS[wanted]}; give samples of "
        f"{own}{hint}"
    )


def _either(suffixes: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(suffixes[:-1]), suffixes[-1]) if part)


def _picture(content: bytes, name: str, spec: InputSpec, shape: Sequence[int]) -> Sample:
    """The picture as a plain PNG: 8 bits, gray or RGB, and nothing else that a camera or a program put in it."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    resize = f"expected {_MOST_PIXELS:,} pixels at most: resize it"
    try:
        # How many pixels there are is looked at here; Pillow would only warn.
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=_DECODERS) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise DataError(f"the sample {name} has {image.width} x {image.height} pixels; {resize}")
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):
                raise DataError(f"the sample {name} has more than 8 bits per channel; save it with 8")
            opaque = upright.convert("RGBA")
            if opaque.getextrema()[3][0] < 255:
                raise DataError(f"the sample {name} has transparent pixels; put it on a background")
            plain = upright.convert("L" if upright.mode in ("1", "L", "LA") else "RGB")
            plain.info.clear()
            plain.save(made := io.BytesIO(), "PNG", optimize=True)
    except UnidentifiedImageError as error:
        raise DataError(f"the sample {name} is no picture that the app knows; save it as PNG") from error
    except Image.DecompressionBombError as error:  # so many that Pillow tells no width and height
        raise DataError(f"the sample {name} has far too many pixels; {resize}") from error
    except DataError:
        raise
    except Exception as error:  # a damaged picture makes Pillow raise many types, TypeError and struct.error among them
        raise DataError(
            f"the sample {name} cannot be decoded: {str(error)[:200]}; repair it or save it as PNG"
        ) from error
    return Sample(".png", None, made.getvalue())


def _sound(content: bytes, name: str, spec: InputSpec, shape: Sequence[int]) -> Sample:
    clip = wav.read(content, f"the sample {name}")
    remark = ""
    if isinstance(spec, AudioInput) and clip.rate != spec.sample_rate:
        remark = f"{name} has {clip.rate:,} samples a second; the app resamples it to {spec.sample_rate:,}"
    return Sample(".wav", None, content, remark)


def _text(content: bytes, name: str, spec: InputSpec, shape: Sequence[int]) -> Sample:
    text = texts.decoded(content, f"the sample {name}")
    if not text.strip() or len(text) > _MOST_LETTERS:
        raise DataError(f"the sample {name} has {len(text):,} characters; expected a text of 1 to {_MOST_LETTERS:,}")
    return Sample(".txt", None, text.encode())


def _row(content: bytes, name: str, spec: InputSpec, shape: Sequence[int]) -> Sample:
    lines = texts.decoded(content, f"the sample {name}").strip().split("\n")
    wanted = math.prod(shape)
    if len(lines) > 1:
        raise DataError(f"the sample {name} has {len(lines)} lines; expected one, of {wanted} values: one row a file")
    cells = lines[0].split(",")
    if len(cells) != wanted:
        raise DataError(
            f"the sample {name} has {len(cells)} values; expected {wanted} in one line, commas between them"
        )
    for place, cell in enumerate(cells, 1):
        if number(cell) is None:
            raise DataError(f"the sample {name}: value {place} is {cell.strip()!r:.40}; expected a finite number")
    return Sample(".csv", None, (",".join(cell.strip() for cell in cells) + "\n").encode())


_CHECKS = {"image": _picture, "audio": _sound, "text": _text, "features": _row}


def number(cell: str) -> float | None:
    """The number that a cell holds, in a form that Java reads too; None where it holds none."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell.strip(), re.ASCII):
        return None
    value = float(cell)
    return value if math.isfinite(value) else None


def _label_of(name: str, labels: Sequence[str]) -> str | None:
    stem = PurePath(name).stem
    for candidate in (stem, re.sub(r"[-_. ]*\d+$", "", stem), re.sub(r"[-_. ]+\d+$", "", stem)):
        for label in labels:
            if candidate and _folded(candidate) == _folded(label):
                return label
    return None


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split())


def _safe(name: str, suffix: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePath(name).stem).strip("._")[:60] or "sample"
    return f"samples/{stem}{suffix}"


def _free(path: str, taken: set[str]) -> str:
    stem, dot, suffix = path.rpartition(".")
    number = 1
    # Android keeps assets apart by case; the computer that builds the app may not.
    while path.lower() in {one.lower() for one in taken}:
        number += 1
        path = f"{stem}_{number}{dot}{suffix}"
    return path
