from __future__ import annotations

import csv
import io
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from converters.errors import CompressionError, DataError, FileError, UsageError
from tfcompress.task import Task, load

BYTES = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 3), np.uint8)
LABELS = np.arange(50) % 5


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez_compressed(path, **arrays)
    return path


# --- npz and npy ------------------------------------------------------------------------------------------------


def test_an_archive_of_six_arrays_is_taken_as_it_is(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        x_train=BYTES[:30], y_train=LABELS[:30], x_val=BYTES[30:40], y_val=LABELS[30:40],
        x_test=BYTES[40:], y_test=LABELS[40:], classes=np.array(["a", "b", "c", "d", "e"]),
    )  # fmt: skip
    task = load(path)
    np.testing.assert_array_equal(np.asarray(task.x_train), BYTES[:30])
    np.testing.assert_array_equal(np.asarray(task.x_test), BYTES[40:])
    np.testing.assert_array_equal(task.y_val, LABELS[30:40])
    assert task.classes == ("a", "b", "c", "d", "e")
    assert str(path) in task.source


def test_x_and_y_are_split_in_equal_shares_by_seed(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.arange(50), y=LABELS)
    task, same, other = load(path), load(path), load(path, seed=1)
    parts = [np.asarray(part) for part in (task.x_train, task.x_val, task.x_test)]
    assert [len(part) for part in parts] == [40, 5, 5]
    assert sorted(np.concatenate(parts)) == list(range(50))
    for x, y in zip(parts, (task.y_train, task.y_val, task.y_test), strict=True):
        np.testing.assert_array_equal(y, x % 5)
        assert y is not None and set(np.bincount(y)) == {len(x) // 5}
    np.testing.assert_array_equal(np.asarray(same.x_test), parts[2])
    assert not np.array_equal(np.asarray(other.x_test), parts[2])
    assert "80/10/10 (seed 0)" in task.source


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_a_split_keeps_every_sample_once_and_classes_in_proportion(counts: list[int], seed: int) -> None:
    from tfcompress.data.splits import _cut

    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, val, test = _cut(len(y), y, seed, test=0.1)
    assert sorted(np.concatenate([train, val, test])) == list(range(len(y)))
    assert (len(val), len(test)) == (round(0.1 * len(y)), round(0.1 * len(y)))
    if len(counts) <= len(y) // 2:
        for kind, count in enumerate(counts):
            # What rounding the shares of this class, and of all others together, can shift.
            assert abs(np.count_nonzero(y[train] == kind) - 0.8 * count) <= 2


def test_validation_is_taken_from_training_data_where_it_is_missing(tmp_path: Path) -> None:
    task = load(saved(tmp_path, x_train=BYTES[:40], y_train=LABELS[:40], x_test=BYTES[40:], y_test=LABELS[40:]))
    assert [task.count(split) for split in ("train", "val", "test")] == [36, 4, 10]
    np.testing.assert_array_equal(np.asarray(task.x_test), BYTES[40:])
    assert "a tenth of the training data is validation" in task.source


def test_only_the_splits_asked_for_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path, x_train=BYTES, y_train=LABELS, x_val=BYTES, y_val=LABELS, x_test=BYTES, y_test=LABELS)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("x_test.npy").header_offset
    data[start + 400 : start + 450] = bytes(50)
    path.write_bytes(data)
    task = load(path, parts=("train",))
    assert (task.count("train"), task.x_val, task.x_test) == (50, None, None)
    with pytest.raises(DataError, match="no readable .npz archive"):
        load(path)


def test_several_inputs_come_by_name(tmp_path: Path) -> None:
    task = load(saved(tmp_path, x_image=BYTES, x_age=np.arange(50.0)[:, None], y=LABELS), scale="0..1")
    assert isinstance(task.x_train, dict)
    samples = task.calibration_samples(7)
    assert samples["image"].shape == (7, 6, 5, 3) and samples["image"].max() <= 1
    assert samples["age"].dtype == np.float32 and samples["age"].max() > 1
    split = load(saved(tmp_path, x_train_image=BYTES, x_train_age=np.arange(50.0)[:, None], y_train=LABELS))
    assert set(split.inputs("train")) == {"image", "age"}


def test_x_alone_serves_calibration_only(tmp_path: Path) -> None:
    task = load(saved(tmp_path, x=BYTES))
    assert task.count("train") == 50 and task.y_train is None and task.x_test is None
    with pytest.raises(DataError, match="has no test samples; give x_test"):
        next(task.batches("test"))


def test_a_bare_array_is_mapped_and_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "big.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(200_000, 32, 32, 3))
    array[-1] = 255
    del array
    task = load(path, scale="0..1")
    samples = task.calibration_samples(10)
    assert samples.shape == (10, 32, 32, 3) and samples.dtype == np.float32
    assert isinstance(load(path).x_train, np.memmap)


def test_a_column_of_class_numbers_is_flattened_and_words_become_numbers(tmp_path: Path) -> None:
    assert load(saved(tmp_path, x_test=BYTES, y_test=LABELS[:, None])).y_test.shape == (50,)  # type: ignore[union-attr]
    task = load(saved(tmp_path, x=BYTES, y=np.array(["dog", "cat"])[LABELS % 2]))
    assert task.classes == ("cat", "dog")
    assert task.y_train is not None and set(task.y_train) == {0, 1}


# --- scale ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("0..1", BYTES / 255.0), ("-1..1", BYTES / 127.5 - 1), ("0..255", BYTES * 1.0), ("none", BYTES * 1.0)],
)
def test_scale_takes_bytes_to_the_models_units(tmp_path: Path, scale: str, expected: np.ndarray) -> None:
    task = load(saved(tmp_path, x_test=BYTES, y_test=LABELS), scale=scale)
    np.testing.assert_allclose(np.asarray(task.x_test), expected, atol=1e-6)
    together = np.concatenate([x for x, _ in task.batches("test", 7)])
    np.testing.assert_allclose(together, expected, atol=1e-6)
    assert np.asarray(task.x_test).dtype == (np.uint8 if scale == "none" else np.float32)


@pytest.mark.parametrize("scale", ["0..1", "-1..1", "0..255"])
def test_scaling_what_is_scaled_already_is_refused(tmp_path: Path, scale: str) -> None:
    for data in (BYTES / 255.0, BYTES / 127.5 - 1, BYTES * 256.0):
        with pytest.raises(DataError, match=rf"scale {scale} is for images of 0..255; use --scale none"):
            load(saved(tmp_path, x=data), scale=scale)


def test_bytes_stay_bytes_until_they_are_asked_for(tmp_path: Path) -> None:
    task = load(saved(tmp_path, x=BYTES, y=LABELS), scale="-1..1")
    held = task.x_train
    assert held.source.source.dtype == np.uint8  # type: ignore[union-attr]
    assert held.source.source.nbytes == BYTES.nbytes  # type: ignore[union-attr]


def test_calibration_samples_follow_the_seed_and_come_from_training_data(tmp_path: Path) -> None:
    task = load(saved(tmp_path, x=np.arange(50), y=LABELS))
    train = set(np.asarray(task.x_train))
    first = task.calibration_samples(10, seed=3)
    assert set(first) <= train and len(set(first)) == 10
    np.testing.assert_array_equal(first, task.calibration_samples(10, seed=3))
    assert not np.array_equal(first, task.calibration_samples(10, seed=4))
    assert set(task.calibration_samples(1000)) == train
    with pytest.raises(UsageError, match="0 calibration samples were asked for"):
        task.calibration_samples(0)


# --- images -----------------------------------------------------------------------------------------------------


def draw(path: Path, value: int, size: tuple[int, int] = (9, 7), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(20):
        draw(folder / "dog" / f"{number:02}.png", 100 + number)
        draw(folder / "cat" / f"{number:02}.jpg", 200)
    (folder / "cat" / "notes.txt").write_text("not an image")
    (folder / ".hidden").mkdir()
    return folder


def test_a_folder_of_folders_is_classes_of_images(photos: Path) -> None:
    task = load(photos)
    assert task.classes == ("cat", "dog")
    assert [task.count(split) for split in ("train", "val", "test")] == [32, 4, 4]
    x, y = next(task.batches("train", 32))
    assert x.shape == (32, 7, 9, 3) and x.dtype == np.uint8
    assert np.all((x[:, 3, 4, 0] < 150) == (y == 1))


def test_images_are_resized_and_scaled_for_the_model(photos: Path) -> None:
    samples = load(photos, scale="0..1", image_size=(4, 6)).calibration_samples(5)
    assert samples.shape == (5, 4, 6, 3) and 0 < samples.max() <= 1
    assert load(photos, image_size=(4, 6, 1)).calibration_samples(5).shape == (5, 4, 6, 1)


def test_gray_images_have_one_channel(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / "gray" / f"{number}.png", 9, mode="L")
    assert load(tmp_path / "gray").calibration_samples().shape == (3, 7, 9, 1)
    assert load(tmp_path / "gray", image_size=(7, 9)).calibration_samples().shape == (3, 7, 9, 1)


def test_images_without_classes_serve_calibration(tmp_path: Path) -> None:
    draw(tmp_path / "plain" / "1.png", 3)
    task = load(tmp_path / "plain")
    assert task.count("train") == 1 and task.y_train is None


def test_split_folders_are_kept_and_share_their_classes(tmp_path: Path) -> None:
    for split, classes in (("train", "abc"), ("validation", "ac"), ("test", "abc")):
        for name in classes:
            draw(tmp_path / split / name / "1.png", 50)
    task = load(tmp_path)
    assert [task.count(split) for split in ("train", "val", "test")] == [3, 2, 3]
    np.testing.assert_array_equal(task.y_val, [0, 2])
    draw(tmp_path / "test" / "d" / "1.png", 50)
    with pytest.raises(DataError, match="has the class d, which .*train has not"):
        load(tmp_path)


def test_a_broken_image_is_named_when_it_is_read(photos: Path) -> None:
    (photos / "dog" / "05.png").write_bytes((photos / "dog" / "05.png").read_bytes()[:40])
    (photos / "cat" / "03.jpg").write_bytes(b"hello")
    task = load(photos)
    for split in ("train", "val", "test"):
        try:
            list(task.batches(split))
        except DataError as error:
            assert "05.png cannot be decoded" in str(error) or "03.jpg cannot be decoded" in str(error)
            assert "\n" not in str(error)
            break
    else:
        pytest.fail("no broken image was noticed")


def test_images_of_different_sizes_need_a_size(photos: Path) -> None:
    for number in range(20):
        draw(photos / "dog" / f"{number:02}.png", 7, size=(3, 3))
    with pytest.raises(DataError, match=r"has 3 x 3 pixels, the first one 9 x 7; resize them"):
        load(photos).calibration_samples(40)


def test_an_image_bomb_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png", 1)
    header = io.BytesIO()
    Image.new("1", (1, 1)).save(header, "png")
    data = bytearray(header.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = __import__("zlib").crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "a" / "0.png").write_bytes(data)
    with pytest.raises(DataError, match=r"0\.png"):
        load(tmp_path)


def test_only_pictures_are_decoded_whatever_a_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    # PostScript is a program, and Pillow has another program run it.
    (tmp_path / "a" / "0.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n")
    with pytest.raises(DataError, match="cannot identify image file"):
        load(tmp_path)


# --- csv --------------------------------------------------------------------------------------------------------


def table(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text)
    return path


def test_a_table_has_features_and_a_label_column(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["label", "width", "height"])
        writer.writerows([["yes" if i % 2 else "no", i, i / 2] for i in range(20)])
    task = load(path)
    assert task.classes == ("no", "yes")
    x, y = np.asarray(task.x_train), task.y_train
    assert x.shape == (16, 2) and x.dtype == np.float32
    np.testing.assert_array_equal(x[:, 0] % 2, y)


def test_the_last_column_is_the_label_unless_told_otherwise(tmp_path: Path) -> None:
    path = table(tmp_path, "a;b;c\n" + "".join(f"{i};{i % 3};{i / 7}\n" for i in range(30)))
    regression = load(path)
    assert regression.y_train is not None and regression.y_train.dtype == np.float32 and not regression.classes
    assert set(np.asarray(load(path, label="b").y_train)) == {0, 1, 2}
    unlabelled = load(path, label="")
    assert unlabelled.y_train is None and np.asarray(unlabelled.x_train).shape == (30, 3)


# --- code -------------------------------------------------------------------------------------------------------


def code(folder: Path, text: str) -> str:
    path = folder / "mydata.py"
    path.write_text(text)
    return f"{path}:data"


@pytest.mark.parametrize(
    "body",
    [
        "{'x_train': x, 'y_train': y, 'x_test': x, 'y_test': y}",
        "(x, y)",
        "x",
        "Task(x_train=x, y_train=y, source='mine')",
    ],
)
def test_a_function_returns_the_data_in_any_form(tmp_path: Path, body: str) -> None:
    (tmp_path / "neighbour.py").write_text("import numpy as np\nx, y = np.ones((20, 3)), np.arange(20) % 2\n")
    text = f"from neighbour import x, y\nfrom tfcompress.task import Task\ndef data():\n    return {body}\n"
    sys.modules.pop("neighbour", None)
    assert load(code(tmp_path, text)).count("train") >= 16


def test_a_task_passes_through() -> None:
    task = Task(x_train=np.ones((3, 2)))
    assert load(task) is task
    with pytest.raises(UsageError, match="the data is a Task, which is in the model's units already"):
        load(task, scale="0..1")


def test_the_users_code_may_have_dataclasses(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\nimport numpy as np\n"
    text += "@dataclass\nclass Rows:\n    x: list[float]\ndef data():\n    return np.array(Rows([1.0] * 20).x)\n"
    assert load(code(tmp_path, text)).count("train") >= 16


def test_what_the_users_code_prints_stays_off_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import numpy\nprint('at import')\ndef data():\n    print('when called')\n    return numpy.ones((20, 3))\n"
    assert load(code(tmp_path, text)).count("train") == 20
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "at import\nwhen called\n")


# --- refusals ---------------------------------------------------------------------------------------------------


def pickled(folder: Path) -> Path:
    class Canary:
        def __reduce__(self) -> Any:
            return (Path.touch, (folder / "canary",))

    array = np.array([Canary()], object)
    np.savez(folder / "data.npz", x=array)
    np.save(folder / "data.npy", array)
    return folder / "data.npz"


def lying(folder: Path) -> Path:
    """An array whose header promises a terabyte."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (1 << 38,)})
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", stream.getvalue() + bytes(64))
    (folder / "data.npy").write_bytes(stream.getvalue() + bytes(64))
    return path


def bomb(folder: Path) -> Path:
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def written(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def empty_class(folder: Path) -> Path:
    (folder / "d" / "cat").mkdir(parents=True)
    return folder / "d"


BAD: list[tuple[str, Callable[[Path], Any], type[CompressionError], str]] = [
    ("missing", lambda f: f / "gone.npz", FileError, "gone.npz does not exist; name a .npz"),
    ("empty file", written("a.npz", b""), FileError, "a.npz is empty"),
    ("not a zip", written("a.npz", b"hello" * 99), DataError, "no readable .npz archive: File is not a zip"),
    ("empty archive", lambda f: saved(f), DataError, "is an empty archive"),
    ("pickles", pickled, DataError, r"x.npy in .* holds Python objects \(pickles\), which are refused"),
    ("bare pickles", lambda f: pickled(f).with_suffix(".npy"), DataError, "holds Python objects"),
    ("pickle file", written("a.npy", pickle.dumps([1])), DataError, "no readable .npy array: the magic string"),
    ("lying header", lying, DataError, "its header promises 1,099,511,627,776 bytes of float32"),
    ("lying bare header", lambda f: lying(f).with_suffix(".npy"), DataError, "its header promises"),
    ("damaged member", bomb, DataError, "no readable .npz archive"),
    ("unknown keys", lambda f: saved(f, images=BYTES), DataError, "holds images; expected x_train, y_train"),
    ("one stray key", lambda f: saved(f, x=BYTES, z=LABELS), DataError, "z is not among these"),
    ("counts", lambda f: saved(f, x=BYTES, y=LABELS[:9]), DataError, "50 samples and 9 labels"),
    ("split counts", lambda f: saved(f, x_test=BYTES, y_test=LABELS[:9]), DataError, "test split has different counts"),
    ("y alone", lambda f: saved(f, x_test=BYTES, y_val=LABELS), DataError, "has y_val without x_val"),
    (
        "NaN label",
        lambda f: saved(f, x_test=BYTES, y_test=LABELS / 0.0),
        DataError,
        "y_test holds NaN or infinity in row",
    ),
    ("words as data", lambda f: saved(f, x=np.array(["a"])), DataError, "has type <U1; expected numbers"),
    ("a number", lambda f: saved(f, x=np.float32(3)), DataError, "is a single number"),
    ("class range", lambda f: saved(f, x=BYTES, y=LABELS, classes=["a"]), DataError, "there are 1 class names"),
    ("no images", empty_folder, DataError, "nothing holds no images; expected one folder per class"),
    ("empty class", empty_class, DataError, "holds no images"),
    ("csv of numbers", lambda f: table(f, "1,2\n3,4\n"), DataError, "starts with numbers; expected a line of column"),
    ("csv without rows", lambda f: table(f, "a,b\n"), DataError, "has a header and no rows"),
    ("csv with words", lambda f: table(f, "a,b,y\n1,2,0\n1,x,1\n"), DataError, "cannot be read as numbers: .*'x'"),
    ("csv ragged", lambda f: table(f, "a,b,y\n1,2,0\n1\n"), DataError, "cannot be read as numbers"),
    ("csv NaN", lambda f: table(f, "a,b,y\n1,2,0\n1,nan,1\n"), DataError, "no finite number in line 3, column b"),
    ("csv one column", lambda f: table(f, "y\n1\n"), DataError, "has only the label column y"),
    ("csv binary", written("a.csv", b"\xff\xfe\x00a,b\n"), DataError, "no readable .csv text"),
    ("unknown kind", written("a.parquet", b"PAR1"), DataError, "is of an unknown kind; expected"),
    ("code without name", written("a.py", b"x = 1"), UsageError, "name the function that returns the data"),
    ("code missing", lambda f: f"{f}/no.py:data", FileError, "does not exist; expected a Python file"),
    ("code no function", lambda f: code(f, "x = 1"), UsageError, "has no function data"),
    ("code raises", lambda f: code(f, "def data():\n    1 / 0"), DataError, "failed with ZeroDivisionError"),
    ("code does not parse", lambda f: code(f, "def data(:"), DataError, "failed with SyntaxError"),
    ("code returns text", lambda f: code(f, "def data():\n    return 'x'"), DataError, "returned str; expected a"),
]


@pytest.mark.parametrize(("make", "kind", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_data_that_cannot_be_read_is_one_line(
    tmp_path: Path, make: Callable[[Path], Any], kind: type[CompressionError], message: str
) -> None:
    with np.errstate(all="ignore"):
        spec = make(tmp_path)
    with pytest.raises(kind, match=message) as caught:
        load(spec)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "canary").exists()


@settings(max_examples=60, deadline=None)
@given(position=st.floats(0, 0.999), value=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_archive_never_ends_in_a_traceback(position: float, value: int, cut: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), x=BYTES, y=LABELS)
        data = bytearray(path.read_bytes())
        place = int(position * len(data))
        data[place] = value
        path.write_bytes(data[:place] if cut and place else data)
        try:
            assert load(path).count("train") == 40
        except CompressionError as error:
            assert "\n" not in str(error)


def test_a_scale_or_task_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scale is '0-1'; expected one of none, 0..1, -1..1, 0..255"):
        load(saved(tmp_path, x=BYTES), scale="0-1")
    with pytest.raises(DataError, match="train split has different counts"):
        Task(x_train=BYTES, y_train=LABELS[:3])
    with pytest.raises(DataError, match="y_test has type <U1"):
        Task(x_test=BYTES, y_test=np.array(["a"] * 50))
    text = "import numpy\nfrom tfcompress.task import Task\ndef data():\n    return Task(x_train=numpy.ones(3))\n"
    with pytest.raises(UsageError, match="returns a Task, which is in the model's units already"):
        load(code(tmp_path, text), scale="0..1")


def test_reading_data_imports_neither_tensorflow_nor_sklearn(tmp_path: Path) -> None:
    path = saved(tmp_path, x=BYTES, y=LABELS)
    program = (
        f"import sys; from tfcompress.task import load; load({str(path)!r}, scale='0..1').calibration_samples(9); "
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'ai_edge_litert') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


# --- real data --------------------------------------------------------------------------------------------------


def test_real_keyword_features_load_by_their_own_keys(real_data: Path) -> None:
    path = real_data / "mlperf_tiny/kws/kws01_test_inputs_int8.npz"
    with pytest.raises(DataError, match="names is not among these"):
        load(path)
    with np.load(path) as stored:
        x, y = (stored["x"].astype(np.float32) - 83) * np.float32(0.5847029), stored["y"]
    task = Task(x_train=x[:100], y_train=y[:100], x_test=x[100:], y_test=y[100:])
    assert task.calibration_samples(100).shape == (100, 49, 10, 1)
