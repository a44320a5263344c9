"""What users of `tfcompress export --for android` rely on: data, words and names fit, or a line says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from android_models import classifier, png, words, written
from small_tflite import G, Op, T, build

from converters.android import samples
from converters.errors import CompressionError, DataError
from converters.inputs import ImageInput
from converters.runtimes import litert
from tfcompress.cli import main
from tfcompress.cli.export import command as export_command
from tfcompress.export import Beside, export_android

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1)).astype(np.uint8)


def first_inputs(folder: Path, data: np.ndarray, *, dtype: str = "float32", scale: str = "none") -> np.ndarray:
    """The inputs of the test vectors that the export makes of a data file with these samples."""
    written(folder, {"m.tflite": classifier(dtype)})
    np.savez(folder / "d.npz", x_test=data)
    made = export_android(folder / "m.tflite", data=folder / "d.npz", scale=scale, vectors=9)
    return np.stack([np.frombuffer(row[0], dtype) for row in made.vectors.inputs])


@pytest.mark.parametrize("scale", ["0..1", "-1..1"])
def test_pixels_become_what_the_app_makes_of_them_and_what_is_scaled_is_not_scaled_twice(
    tmp_path: Path, scale: str
) -> None:
    scaled = PIXELS / np.float32(255) if scale == "0..1" else PIXELS / np.float32(127.5) - 1
    wanted = scaled.reshape(9, 16)
    for data in (PIXELS, PIXELS.astype(np.float32), PIXELS.astype(np.int64), scaled, scaled.astype(np.float64)):
        assert np.allclose(first_inputs(tmp_path, data, scale=scale), wanted, atol=1e-6)


def test_an_8_bit_files_own_range_scales_data_too(tmp_path: Path) -> None:
    wanted = PIXELS.astype(int).reshape(9, 16) - 128
    for data in (PIXELS, PIXELS / np.float32(255)):
        assert np.array_equal(first_inputs(tmp_path, data, dtype="int8"), wanted)
        assert np.array_equal(first_inputs(tmp_path, data, dtype="int8", scale="0..1"), wanted)


def test_values_of_0_to_255_are_what_a_model_of_pixels_takes(tmp_path: Path) -> None:
    for data in (PIXELS, PIXELS.astype(np.float32)):
        assert np.array_equal(first_inputs(tmp_path, data, scale="0..255"), PIXELS.reshape(9, 16))


@pytest.mark.parametrize(
    ("data", "scale", "said"),
    [
        (PIXELS > 99, "0..1", "reaches from 0 to 1 in whole numbers; expected pixels of 0 to 255, or floats in"),
        (PIXELS / 255, "-1..1", "from 0 to 1; expected pixels of 0 to 255, or floats in the model's units, -1 to 1"),
        (PIXELS / 255, "0..255", "or floats in the model's units, 0 to 255: save them so, or leave --data out"),
        (PIXELS - 128.0, "0..1", "reaches from -128 to 127"),
        (PIXELS * 2.0, "0..1", "reaches from 0 to 510"),
    ],
    ids=["0 and 1", "shares for -1..1", "shares for 0..255", "below 0", "above 255"],
)  # fmt: skip
def test_data_that_may_be_either_are_refused_with_a_way_out(
    data: np.ndarray, scale: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as error:
        first_inputs(tmp_path, data, scale=scale)
    assert said in str(error.value) and "d.npz" in str(error.value)


def test_every_channel_is_scaled_by_its_own_numbers(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 4, 4, 3)).astype(np.uint8)
    mean, std = [123.0, 116.0, 103.0], [58.0, 57.0, 56.0]
    spec = ImageInput(channels="rgb", mean=tuple(mean), std=tuple(std))
    np.save(tmp_path / "d.npy", pixels)
    wanted = ((pixels - np.array(mean)) / std).astype(np.float32)
    for layout, shape, data in (("nhwc", (1, 4, 4, 3), pixels), ("nchw", (1, 3, 4, 4), pixels.transpose(0, 3, 1, 2))):
        np.save(tmp_path / "d.npy", data)
        written(tmp_path, {"m.tflite": classifier("float32", shape)})
        table = spec.as_table() | {"layout": layout}
        made = export_android(tmp_path / "m.tflite", Beside(input=table), data=tmp_path / "d.npy")
        found = np.stack([np.frombuffer(row[0], np.float32).reshape(shape[1:]) for row in made.vectors.inputs])
        assert np.allclose(found if layout == "nhwc" else found.transpose(0, 2, 3, 1), wanted, atol=1e-6)


# --- words ------------------------------------------------------------------------------------------------------


def text(folder: Path, content: bytes, lines: int, *, compare: bytes | None = None) -> tuple[str, ...]:
    """Notes of an export of a text model with a vocabulary of so many lines."""
    vocabulary = "\n[UNK]\n" + "".join(f"word{number}\n" for number in range(lines - 2))
    paths = written(
        folder, {"m.tflite": content, "v.txt": vocabulary, "s.txt": "word0 word1", "c.tflite": compare or b""}
    )
    beside = Beside(
        samples=[paths["s.txt"]],
        compare=paths["c.tflite"] if compare else None,
        input={"kind": "text"},
        vocabulary=paths["v.txt"],
    )
    return export_android(paths["m.tflite"], beside).notes


def test_a_vocabulary_has_a_row_of_the_models_table_for_each_word(tmp_path: Path) -> None:
    assert text(tmp_path, words(5), 5) == ()
    (note,) = text(tmp_path, words(60), 5)
    assert note.startswith("the vocabulary has 5 lines, and the model's table of words 60 rows, the last of which are")
    with pytest.raises(
        DataError, match="the vocabulary has 120 lines, and the model's table of words 60 rows; give the"
    ):
        text(tmp_path, words(60), 120)
    with pytest.raises(DataError, match="the model to compare with: the vocabulary has 9 lines, .* words 5 rows"):
        text(tmp_path, words(9), 9, compare=words(5))


def in_two_steps() -> bytes:
    """int32 [1, 4] + 2 -> rows of a table of 9: what the table has room for is seen only when it is run."""
    tensors = [
        T("x", (1, 4), "int32"),
        T("two", (1,), "int32", values=[2]),
        T("sum", (1, 4), "int32"),
        T("table", (9, 1), "float32", values=np.arange(9).reshape(9, 1)),
        T("y", (1, 4, 1), "float32"),
    ]
    operators = [
        Op("ADD", ["x", "two"], ["sum"], ("AddOptions", {})),
        Op("GATHER", ["table", "sum"], ["y"], ("GatherOptions", {"axis": 0})),
    ]
    return build(G(tensors, operators, ["x"], ["y"]))


def test_a_word_that_the_model_fails_on_is_found_at_the_export(tmp_path: Path) -> None:
    assert text(tmp_path, in_two_steps(), 7) == ()
    said = r"cannot run with number 7, that of the last of the vocabulary's 8 lines; .* out of bounds\. Node number"
    with pytest.raises(DataError, match=said):
        text(tmp_path, in_two_steps(), 8)


def test_the_runtimes_sentences_stand_apart() -> None:
    with pytest.raises(
        CompressionError, match=r"gather index out of bounds\. Node number 0 \(GATHER\) failed to invoke"
    ):
        litert.run(words(5), [np.full((1, 4), 9)], kernels="builtin")


# --- labels and names -------------------------------------------------------------------------------------------


def one_value(high: float, dtype: str = "int8") -> bytes:
    """RELU of a value that reaches from 0, or in 16 bits from -high, to high."""
    scale, point = (high / 255, -128) if dtype == "int8" else (high / 32767, 0)
    tensors = [T(name, (1, 1), dtype, scales=(scale,), zero_points=(point,)) for name in ("x", "y")]
    return build(G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))


def test_two_labels_are_of_a_share(tmp_path: Path) -> None:
    labels = written(tmp_path, {"l.txt": "no\nyes\n"})["l.txt"]
    for dtype in ("int8", "int16"):
        written(tmp_path, {"m.tflite": one_value(1, dtype), "f.tflite": one_value(18, dtype)})
        assert export_android(tmp_path / "m.tflite", Beside(labels)).manifest.output == "classes"
        with pytest.raises(
            DataError, match=r"output 'y' is one value from -?\d+ to 18, which is no share from 0 to 1; lea"
        ):
            export_android(tmp_path / "f.tflite", Beside(labels))
    written(tmp_path, {"m.tflite": classifier("float32", (1, 4), classes=1, softmax=False)})
    made = export_android(tmp_path / "m.tflite", Beside(labels), data=np.full((1, 4), 9.0))
    assert made.notes[-1].startswith("two labels came, and output 'logits' is one value, ")
    assert made.notes[-1].endswith("end the model with a sigmoid, or leave --labels out")
    made = export_android(tmp_path / "m.tflite", Beside(labels), data=np.zeros((1, 4)))
    assert len(made.notes) == 1  # its bias is 0


def test_the_help_and_the_docs_name_every_kind_of_sample() -> None:
    (option,) = (one for one in export_command.params if one.opts[0] == "--sample")
    docs = (Path(__file__).resolve().parents[2] / "docs" / "android.md").read_text(encoding="utf-8")
    for suffix in samples.SUFFIXES:
        assert suffix in str(option.to_info_dict()["help"]) and f"`{suffix}`" in docs


def test_samples_of_one_name_are_both_kept_as_their_labels(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = written(tmp_path, {"m.tflite": classifier(), "cat.png": png(4, 4), "l.txt": "cat\ndog\nbird\n"})
    other = written(tmp_path / "other", {"cat.png": png(4, 4, seed=1)})["cat.png"]
    made = export_android(paths["m.tflite"], Beside(paths["l.txt"], [paths["cat.png"], other]))
    assert made.manifest.samples == (("samples/cat.png", "cat"), ("samples/cat_2.png", "cat"))


def test_a_folder_with_another_name_than_builds_take_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, {"m.tflite": classifier(), "a.png": png(4, 4)})
    for name, told in (("mö dell 1", True), ("digits-1.x_Y", False)):
        main(["export", str(tmp_path / "m.tflite"), "--for", "android", "-o", str(tmp_path / name), "--json"])
        notes = json.loads(capsys.readouterr().out)["notes"]
        assert any(note.startswith(f"the folder is called '{name}'; before it is copied") for note in notes) == told
