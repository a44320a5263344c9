"""DATA as a folder of images: one folder per class, or images alone (calibration only).

    folder/cat/1.png folder/dog/2.jpg ...                       classes are the sorted names of the folders
    folder/train/cat/... folder/val/cat/... folder/test/cat/... already split; classes are those of train
    folder/1.png ...                                            no labels

Images are decoded when a batch asks for them, so a large folder costs nothing until then.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from tfcompress.data.lazy import Files

Array = npt.NDArray[Any]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff"})
# Whatever a file is called: Pillow knows more of them, and hands one of them to a program that runs what is in it.
_DECODERS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
_SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
# Pillow refuses above twice its own limit; a model's input never comes near.
_MAXIMUM_PIXELS = 100_000_000
# Pillow's modes by number of channels.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def read_folder(folder: Path, image_size: tuple[int, ...] | None) -> dict[str, Any]:
    """The images as lazily decoded uint8 rows [n, height, width, channels] under `.npz` keys, with `classes`.

    Args:
        folder: as in the module docstring.
        image_size: (height, width) or (height, width, channels) that images are brought to; by default the first
            image's, which all others must then have.

    Raises:
        DataError: no images, classes that differ between splits, or an unreadable first image.
    """
    below = [entry for entry in _entries(folder) if entry.is_dir()]
    if below and all(entry.name in _SPLITS for entry in below):
        return _split_folders(below, image_size)
    if not below:
        return {"x": _files(_images_in(folder), image_size, folder)}
    classes = [entry.name for entry in below]
    paths, labels = _labelled(below, classes)
    return {"x": _files(paths, image_size, folder), "y": labels, "classes": np.array(classes)}


def _split_folders(splits: list[Path], image_size: tuple[int, ...] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    classes: list[str] = []
    for split in sorted(splits, key=lambda entry: _SPLITS[entry.name] != "train"):
        folders = [entry for entry in _entries(split) if entry.is_dir()]
        names = [entry.name for entry in folders]
        classes = classes or names
        unknown = [name for name in names if name not in classes]
        if unknown:
            raise DataError(f"{split} has the class {unknown[0]}, which {splits[0].parent / 'train'} has not")
        paths, labels = _labelled(folders, classes)
        key = _SPLITS[split.name]
        rows = _files(paths, image_size, split)
        image_size = image_size or rows.sample_shape
        found |= {f"x_{key}": rows, f"y_{key}": labels}
    return found | {"classes": np.array(classes)}


def _labelled(folders: list[Path], classes: list[str]) -> tuple[list[Path], Array]:
    paths, labels = [], []
    for folder in folders:
        images = _images_in(folder)
        paths += images
        labels += [classes.index(folder.name)] * len(images)
    return paths, np.array(labels, np.int64)


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _images_in(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.suffix.lower() in SUFFIXES and entry.is_file()]


def _files(paths: list[Path], image_size: tuple[int, ...] | None, folder: Path) -> Files:
    if not paths:
        raise DataError(
            f"{folder} holds no images; expected one folder per class with files such as .png or .jpg "
            "(or images alone, for calibration)"
        )
    shape: tuple[int, ...] = tuple(image_size or ())
    if len(shape) != 3:
        first = read_image(str(paths[0]), None).shape
        shape = (*shape, first[2]) if len(shape) == 2 else first
    if len(shape) != 3 or shape[2] not in _MODES:
        raise DataError(
            f"images cannot become samples of shape {shape}; the model must take "
            "(height, width, channels) with 1, 3 or 4 channels"
        )
    read = functools.partial(read_image, shape=shape, resize=image_size is not None)
    return Files(tuple(str(path) for path in paths), shape, read)


def read_image(path: str, shape: tuple[int, ...] | None, *, resize: bool = False) -> Array:
    """One image as uint8 [height, width, channels], resized bilinearly if `resize`; gray images have one channel.

    Raises:
        DataError: unreadable, absurdly large, or of another size than `shape` while `resize` is off.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=_DECODERS) as image:
            if image.width * image.height > _MAXIMUM_PIXELS:
                raise DataError(f"{path} has {image.width} x {image.height} pixels; give images below 100 megapixels")
            gray = image.mode in ("1", "L", "LA", "I", "I;16", "F")
            mode = _MODES[shape[2]] if shape else ("L" if gray else "RGB")
            picture = image.convert(mode)
            if resize and shape and picture.size != (shape[1], shape[0]):
                picture = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = str(error).replace(path, "the file")[:200] or type(error).__name__
        raise DataError(f"image {path} cannot be decoded: {reason}; repair or remove it") from error
    array = np.asarray(picture)
    array = array[:, :, np.newaxis] if array.ndim == 2 else array
    if shape and array.shape != tuple(shape):
        raise DataError(
            f"image {path} has {array.shape[1]} x {array.shape[0]} pixels, the first one {shape[1]} x {shape[0]}; "
            "resize them, or name the size that the model takes"
        )
    return array
