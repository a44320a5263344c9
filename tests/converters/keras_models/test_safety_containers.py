"""Archives and HDF5 files that leave their folder, explode, or hide data elsewhere are refused, trusted or not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from crafted_files import DENSE, h5_file, keras_file, refusal, sequential

from converters.errors import ModelError
from converters.keras_models import safety

# --- archives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/tmp/evil.txt", "assets/../../evil.txt", "..\\evil.txt", "C:\\evil.txt", "C:/evil.txt"]
)
def test_a_member_that_leaves_the_archive_is_refused_also_with_allow_code(name: str, tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", sequential(DENSE), extra={name: b"gone"})
    assert "outside" in refusal(path)
    assert "outside" in refusal(path, allow_code=True)
    assert not list(tmp_path.parent.glob("evil.txt"))


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", sequential(DENSE))
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", sequential(DENSE), extra={"config.json": b"{}"})
    assert "twice" in refusal(path)


def test_a_zip_bomb_is_refused_also_with_allow_code(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "model.keras", sequential(DENSE))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(64 << 20))
    assert path.stat().st_size < 1 << 20
    assert "bomb" in refusal(path)
    assert "bomb" in refusal(path, allow_code=True)


def npz(**arrays: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


class WritesWhenUnpickled:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def test_pickled_arrays_are_refused_unread_also_with_allow_code(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    pickled = npz(layer=np.array([WritesWhenUnpickled(canary)], dtype=object))
    path = keras_file(tmp_path / "model.keras", sequential(DENSE), extra={"model.weights.npz": pickled})
    assert "pickled" in refusal(path)
    assert "pickled" in refusal(path, allow_code=True)
    assert not canary.exists()
    np.load(io.BytesIO(pickled), allow_pickle=True)["layer"]
    assert canary.exists()  # the canary sings where it is let


def test_plain_arrays_pass_and_arrays_larger_than_their_bytes_do_not(tmp_path: Path) -> None:
    weights = npz(kernel=np.zeros((3, 2), "float32"))
    path = keras_file(tmp_path / "model.keras", sequential(DENSE), extra={"model.weights.npz": weights})
    assert safety.check(path).kind == "keras3"
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)})
    archive_bytes = io.BytesIO()
    with zipfile.ZipFile(archive_bytes, "w") as archive:
        archive.writestr("kernel.npy", stream.getvalue())
    extra = {"model.weights.npz": archive_bytes.getvalue()}
    assert "claims" in refusal(keras_file(tmp_path / "huge.keras", sequential(DENSE), extra=extra))


# --- HDF5 ---------------------------------------------------------------------------------------------------------


def hostile_h5(path: Path, kind: str) -> Path:
    secret = path.with_name("secret")
    secret.write_bytes(bytes(64))
    with h5py.File(path.with_name("other.h5"), "w") as other:
        other["kernel"] = np.zeros(4)
    h5_file(path, sequential(DENSE))
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        if kind == "external link":
            group["evil"] = h5py.ExternalLink("other.h5", "kernel")
        elif kind == "soft link":
            group["evil"] = h5py.SoftLink("/model_weights/kernel")
        elif kind == "external storage":
            group.create_dataset("evil", (8,), "f8", external=[(str(secret), 0, 64)])
        elif kind == "virtual dataset":
            layout = h5py.VirtualLayout((4,), "f8")
            layout[:] = h5py.VirtualSource("other.h5", "kernel", (4,))
            group.create_virtual_dataset("evil", layout)
        elif kind == "references":
            group.create_dataset("evil", data=np.array([group.ref], h5py.ref_dtype))
        elif kind == "bomb":
            group.create_dataset("evil", (1 << 33,), "f4", chunks=(1 << 10,))
    return path


@pytest.mark.parametrize(
    "kind", ["external link", "soft link", "external storage", "virtual dataset", "references", "bomb"]
)
def test_an_hdf5_file_that_leads_out_of_itself_or_explodes_is_refused_also_in_a_keras_file(
    kind: str, tmp_path: Path
) -> None:
    path = hostile_h5(tmp_path / "model.h5", kind)
    refusal(path)
    refusal(path, allow_code=True)
    inner = keras_file(tmp_path / "model.keras", sequential(DENSE), extra={"model.weights.h5": path.read_bytes()})
    assert "model.weights.h5" in refusal(inner)


def test_a_heap_that_would_keep_the_hdf5_library_busy_for_ever_is_an_error(tmp_path: Path) -> None:
    path = h5_file(tmp_path / "model.h5", sequential(DENSE))
    data = bytearray(path.read_bytes())
    first_block = data.index(b"GCOL") + 16
    data[first_block : first_block + 16] = bytes(16)
    path.write_bytes(data)
    with pytest.raises(ModelError, match="block of size 0 in the global heap"):
        safety.check(path)


def test_a_group_that_contains_itself_does_not_hang_the_check(tmp_path: Path) -> None:
    path = h5_file(tmp_path / "model.h5", sequential(DENSE))
    with h5py.File(path, "r+") as file:
        file["model_weights"]["again"] = file["model_weights"]
    assert safety.check(path).kind == "h5"
