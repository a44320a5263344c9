"""Decides what a model file is, and checks it as data before any loader of Keras or TensorFlow sees it.

    model_file = safety.check("model.h5")        # in a child process: HDF5 is parsed by native code
    model = load.load(model_file)

A model file is a program: its configuration names classes that are imported and called, a Lambda holds bytecode, a
SavedModel's graph can read and write files, a `.npz` can hold pickles, an archive can write outside its folder. So
everything that a file names must be on a list (`allowed_names`, `allowed_operators`); what is not there is refused.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from converters.errors import FileError, ModelError
from converters.keras_models.safety import archives, configuration, hdf5, saved_model

Kind = Literal["keras3", "tf_keras", "h5", "saved_model", "tflite"]
_EXPECTED = "expected a .keras or .h5 file of a whole model, a SavedModel folder, or a .tflite file"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class ModelFile:
    """A model file that has been checked.

    Attributes:
        path: the file or folder.
        kind: `keras3` and `tf_keras` (a `.keras` archive of either), `h5`, `saved_model`, `tflite`; decided by
            content, never by the file's name.
        keras_version: version that wrote it; empty where the file does not say.
        tags: of the graph to load (SavedModel).
        signatures: names of the graph's signatures (SavedModel).
        layers_problem: why no Keras layers can be had from it; empty if they can (SavedModel).
        is_twin: it holds layers or functions of this project's bridge, which must be registered before it is loaded.
    """

    path: Path
    kind: Kind
    keras_version: str = ""
    tags: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    layers_problem: str = ""
    is_twin: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ModelError(f"kind is {self.kind!r}; expected one of {', '.join(get_args(Kind))}")

    @property
    def is_keras_3(self) -> bool:
        """Whether Keras 3 wrote it; otherwise tf_keras reads it."""
        return self.kind == "keras3" or (self.kind == "h5" and _major(self.keras_version) >= 3)


def check(path: str | Path, *, allow_code: bool = False) -> ModelFile:
    """Says what a model file is, and refuses it if it could run code, leave its folder or explode.

    Args:
        path: a file or a SavedModel folder.
        allow_code: trust the file: lets through what could run code (Lambda, unknown classes and operators). What
            leaves the archive or folder, explodes, or hides data in pickles or other files is refused all the same.

    Raises:
        UnsafeModelError: it is not safe; the message names the layer, operator or member.
        ModelError: it is damaged, or no model.
        FileError: it is missing or cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _check_folder(path, allow_code=allow_code)
        if not path.exists():
            raise FileError(f"{path} does not exist; {_EXPECTED}")
        if not path.is_file():
            raise FileError(f"{path} is neither a file nor a folder; {_EXPECTED}")
        with path.open("rb") as stream:
            head = stream.read(8)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise FileError(f"{path} cannot be read: {error}") from None
    if not head:
        raise ModelError(f"{path} is empty; {_EXPECTED}")
    if head.startswith(b"PK\x03\x04"):
        return _check_archive(path, allow_code=allow_code)
    if head == _HDF5_MAGIC:
        return _check_hdf5(path, allow_code=allow_code)
    if head[4:8] == b"TFL3":
        return ModelFile(path, "tflite")
    if path.name == "saved_model.pb":
        raise ModelError(f"{path} is a part of a SavedModel; name its folder, {path.parent}")
    raise ModelError(f"{path} is no model file (it starts with {head!r}); {_EXPECTED}")


def _check_folder(path: Path, *, allow_code: bool) -> ModelFile:
    if not (path / "saved_model.pb").is_file():
        hint = ""
        if (path / "saved_model.pbtxt").exists():
            hint = "; its graph is in text form, which is not read: save it again"
        elif (path / "config.json").exists():
            hint = "; it looks like an unpacked .keras file: save it with model.save('model.keras')"
        raise ModelError(f"folder {path} has no saved_model.pb{hint}; {_EXPECTED}")
    facts = saved_model.check_saved_model(path, allow_code=allow_code)
    return ModelFile(
        path,
        "saved_model",
        tags=facts.tags,
        signatures=facts.signatures,
        layers_problem=facts.layers_problem,
    )


def _check_hdf5(path: Path, *, allow_code: bool) -> ModelFile:
    attributes = hdf5.check_structure(path, str(path))
    text = attributes.get("model_config")
    if text is None:
        raise ModelError(
            f"{path} holds weights without a model ({attributes['top'][:80]}); save the whole model with "
            "model.save('model.keras'), or pass the model object in Python"
        )
    config = configuration.parse(text, f"{path}: model_config")
    configuration.check_config(config, str(path), allow_code=allow_code)
    version = attributes.get("keras_version", "")[:40]
    return ModelFile(path, "h5", keras_version=version, is_twin=configuration.OWN in text)


def _check_archive(path: Path, *, allow_code: bool) -> ModelFile:
    where = str(path)
    with archives.open_archive(path, where) as archive:
        names = set(archive.namelist())
        if not {"config.json", "metadata.json"} <= names:
            raise ModelError(f"{path} is a zip archive, but no .keras file: it has no config.json; {_EXPECTED}")
        limit = configuration.MAXIMUM_BYTES
        text = archives.read_member(archive, "config.json", limit, where)
        config = configuration.parse(text, f"{where}: config.json")
        metadata = configuration.parse(
            archives.read_member(archive, "metadata.json", limit, where), f"{where}: metadata.json"
        )
        configuration.check_config(config, where, allow_code=allow_code)
        for name in sorted(names):
            if name.endswith((".h5", ".npz")):
                _check_weights(archive, name, where)
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not _major(version):
        raise ModelError(f"{path}: metadata.json does not say which Keras wrote it; save the model again")
    kind: Kind = "keras3" if _major(version) >= 3 else "tf_keras"
    return ModelFile(path, kind, keras_version=version[:40], is_twin=configuration.OWN.encode() in text)


def _check_weights(archive: zipfile.ZipFile, name: str, where: str) -> None:
    data = archives.read_member(archive, name, archives.MAXIMUM_UNPACKED_BYTES, where)
    if name.endswith(".npz"):
        archives.check_arrays(io.BytesIO(data), f"{where}: {name}")
    else:
        hdf5.check_structure(data, f"{where}: {name}")


def _major(version: str) -> int:
    """The first number of a version such as `3.15.1`; 0 if there is none."""
    first = version.partition(".")[0]
    return int(first) if first.isascii() and first.isdecimal() and len(first) < 5 else 0
