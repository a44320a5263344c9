"""What goes with a model is taken whole, or refused in a line that says where it is wrong."""

from __future__ import annotations

import io
import json
import struct
import zlib

import numpy as np
import pytest
from android_models import png, report_of, wav
from PIL import Image

from converters.android import report, samples, texts
from converters.android import wav as waves
from converters.errors import CompressionError, DataError, FileError
from converters.inputs import AudioInput, FeaturesInput, ImageInput, InputSpec, TextInput
from tfcompress.rows import Row

RGB = ImageInput(channels="rgb", mean=(0.0,), std=(255.0,))
CLIP = AudioInput(sample_rate=8000, samples=800, features="waveform")
LABELS = ("cat", "Traffic light", "7")


# --- texts ------------------------------------------------------------------------------------------------------


def test_labels_are_read_as_people_save_them() -> None:
    assert texts.labels(b"\xef\xbb\xbfcat\r\n dog \r\n\xc3\xa4hre\xe2\x80\xa6", "labels.txt") == ("cat", "dog", "ähre…")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "labels.txt is empty"),
        (b"cat\n\ndog\n", "line 2 is empty"),
        (b"cat\ndog\n cat\n", "line 3 is 'cat', as line 1 is"),
        (b"cat\n" + b"x" * 101, "line 2 has 101 characters"),
        (b"cat\n\x1b[31mdog", "line 2 holds a control or invisible character"),
        ("cat\nd\u202eog".encode(), "line 2 holds a control or invisible character"),
        (b"cat\nd\0g", "NUL"),
        (b"cat\n\xff", "not UTF-8 text: byte 4"),
        (b"x" * (4 << 20) + b"y", "expected a text of at most"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match="labels.txt") as error:
        texts.labels(content, "labels.txt")
    assert said in str(error.value)


def test_a_vocabulary_is_as_keras_lists_it() -> None:
    assert texts.vocabulary(b"\n[UNK]\ngood\nbad\n", "v.txt", mode="int") == ("", "[UNK]", "good", "bad")
    assert texts.vocabulary(b"[UNK]\ngood\n", "v.txt", mode="multi_hot") == ("", "[UNK]", "good")
    assert texts.joined(("", "[UNK]", "good")) == b"\n[UNK]\ngood\n"
    for content in (b"[UNK]\ngood\n", b"good\nbad\nugly\n", b"", b"\n[UNK]\n"):
        with pytest.raises(DataError, match="v.txt begins with"):
            texts.vocabulary(content, "v.txt", mode="int")
    with pytest.raises(DataError, match="line 4 is 'good', as line 3 is"):
        texts.vocabulary(b"\n[UNK]\ngood\ngood\n", "v.txt", mode="int")


# --- sounds -----------------------------------------------------------------------------------------------------


def test_every_kind_of_clip_that_the_app_reads_is_read() -> None:
    tone = np.array([0, 16384, -32768, 32767], np.int16)
    clip = waves.read(wav(tone, 16000), "a.wav")
    assert clip.rate == 16000 and np.array_equal(clip.samples, tone / 32768)
    assert waves.read(wav(np.array([0, 128, 255], np.uint8)), "a.wav").samples.tolist() == [-1, 0, 127 / 128]
    real = np.array([0.25, -1.0, 0.5], np.float32)
    assert np.array_equal(waves.read(wav(real), "a.wav").samples, real)
    stereo = waves.read(wav(np.array([100, 300, -4, 4], np.int16), channels=2), "a.wav")
    assert stereo.samples.tolist() == [200 / 32768, 0]
    deep = np.array([1 << 30, -(1 << 31)], np.int32)
    assert waves.read(wav(deep), "a.wav").samples.tolist() == [0.5, -1]
    three = wav(deep).replace(deep.tobytes(), b"\0\0\x40\0\0\x80")
    assert waves.read(three.replace(b"\x04\0\x20\0data\x08", b"\x03\0\x18\0data\x06"), "a.wav").samples.tolist() == [
        0.5,
        -1,
    ]
    # Streamed: nobody knew the size; half a sample at the end is left out.
    streamed = wav(tone).replace(b"data" + struct.pack("<I", 8), b"data\xff\xff\xff\xff")[:-3]
    assert np.array_equal(waves.read(streamed, "a.wav").samples, tone[:2] / 32768)
    head = struct.pack("<HHIIHHHHIH14s", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4, 1, b"")
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", 8) + tone.tobytes()
    assert np.array_equal(waves.read(b"RIFF" + struct.pack("<I", len(body)) + body, "a.wav").samples, tone / 32768)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"OggS" + bytes(60), "is no .wav file"),
        (b"RIFF\0\0\0\0WAVE", "without format or samples"),
        (b"RIFF", "is no .wav file"),
        (wav(np.zeros(0, np.int16)), "holds no samples"),
        (wav(np.zeros(9, np.int16))[:-1], "is cut off: it promises 18 bytes of samples and holds 17; copy"),
        (wav(np.zeros(9, np.int16))[:44], "is cut off: it promises 18 bytes of samples and holds 0"),
        (wav(np.full(4, np.nan, np.float32)), "samples that are no numbers"),
        (wav(np.zeros(4, np.int16), 800_000), "at 800,000 Hz"),
        (wav(np.zeros(66, np.int16), channels=33), "33 channels of 16 bits (format 1)"),
        (wav(np.zeros(4, np.int16)).replace(b"\x10\0data", b"\x0c\0data"), "1 channels of 12 bits (format 1)"),
        (wav(np.zeros(4, np.int16)).replace(struct.pack("<H", 1), struct.pack("<H", 0xFFFE), 1), "(format 65534)"),
    ],
)  # fmt: skip
def test_other_sounds_are_refused(content: bytes, said: str) -> None:
    with pytest.raises(DataError) as error:
        waves.read(content, "a.wav")
    assert str(error.value).startswith("a.wav ") and said in str(error.value)


# --- samples ----------------------------------------------------------------------------------------------------


def one(name: str, content: bytes, spec: InputSpec = RGB, shape: tuple[int, ...] = (1, 8, 8, 3)) -> samples.Sample:
    (found,) = samples.checked([(name, content)], spec, shape, LABELS)
    return found


def camera() -> bytes:
    """A JPEG of 6 x 4 pixels, to be shown turned, with a phone's name in it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone's name"
    Image.new("RGB", (6, 4), "red").save(made := io.BytesIO(), "JPEG", exif=exif)
    return made.getvalue()


def test_a_picture_becomes_a_plain_png_with_the_same_pixels() -> None:
    found = one("photo.png", png(5, 7, dpi=(72, 72), icc_profile=b"not sRGB"))
    with Image.open(io.BytesIO(found.content)) as image:
        assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(png(5, 7)))))
    with Image.open(io.BytesIO(one("x.png", png(5, 7, 1)).content)) as image:
        assert image.mode == "L"
    turned = one("holiday.jpeg", camera())
    assert turned.file == "samples/holiday.png" and b"a phone" not in turned.content
    assert Image.open(io.BytesIO(turned.content)).size == (4, 6)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.png", "cat"), ("Cat_2.png", "cat"), ("cat 12.png", "cat"), ("traffic-light.png", "Traffic light"),
        ("traffic_light_03.png", "Traffic light"), ("7.png", "7"), ("7_1.png", "7"), ("dog.png", None),
        ("category.png", None), ("77.png", None), ("3.png", None),
    ],
)  # fmt: skip
def test_a_sample_called_like_a_label_is_that_label_s(name: str, label: str | None) -> None:
    assert one(name, png(8, 8)).label == label


def test_names_are_safe_and_kept_apart() -> None:
    files = [(name, png(8, 8)) for name in ("a.png", "A.png", "a.jpg", "Straße 5/ö.png", "...png", "../../x.png")]
    found = samples.checked(files[:4] + files[5:], RGB, (1, 8, 8, 3), ())
    assert [sample.file for sample in found] == [
        "samples/a.png", "samples/A_2.png", "samples/a_3.png", "samples/sample.png", "samples/x.png",
    ]  # fmt: skip


def test_a_sound_of_another_rate_is_told() -> None:
    tone = np.zeros(80, np.int16)
    assert one("yes.wav", wav(tone), CLIP, (1, 800)).remark == ""
    told = one("yes.wav", wav(tone, 44100), CLIP, (1, 800)).remark
    assert told == "yes.wav has 44,100 samples a second; the app resamples it to 8,000"


def test_texts_and_rows_are_kept_as_they_were_meant() -> None:
    text = one("review.txt", "\ufeffGreat film,\r\nreally".encode(), TextInput(length=9), (1, 9))
    assert (text.file, text.content) == ("samples/review.txt", b"Great film,\nreally")
    row = one("row.csv", b" 1.5, -2e3 ,.5,7\r\n", FeaturesInput(), (1, 4))
    assert row.content == b"1.5,-2e3,.5,7\n"


def promising(side: int) -> bytes:
    """A PNG of a few bytes that says it has `side` rows and columns."""
    data = bytearray(png(1, 1, 1))
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "spec", "said"),
    [
        ("a.mp3", b"", RGB, "is of an unknown kind; expected .png, .jpg, .jpeg, .bmp, .gif, .webp, .wav, .txt or"),
        ("a.wav", wav(np.zeros(4, np.int16)), RGB, "of sounds, and this model takes pictures; give samples of .png"),
        ("a.wav", wav(np.zeros(4, np.int16)), RGB, ".webp, or say with --input that the input is audio"),
        ("a.csv", b"1,2,3,4", RGB, "is one of rows of numbers, and this model takes pictures; give samples of"),
        ("a.png", b"", FeaturesInput(), "of pictures, and this model takes rows of numbers; give samples of .csv"),
        ("a.txt", b"hi", FeaturesInput(), "give samples of .csv, or say with --input that the input is text"),
        ("a.png", b"no picture", RGB, "is no picture that the app knows; save it as PNG"),
        ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n", RGB, "is no picture that"),
        ("a.png", png(9, 9)[:200], RGB, "cannot be decoded"),
        ("a.png", png(2001, 2000, 1, compress_level=1), RGB, "pixels; expected 4,000,000 pixels at most: resize it"),
        ("a.png", promising(10_000), RGB, "has 10000 x 10000 pixels; expected 4,000,000 pixels at most"),
        ("a.png", promising(60_000), RGB, "has far too many pixels; expected 4,000,000 pixels at most: resize"),
        ("a.jpg", camera().replace(b"\x01\x0f\0\x02", b"\x01\x08\0\x02"), RGB, "cannot be decoded"),
        ("a.png", bytes((16 << 20) + 1), RGB, "expected 16,777,216 at most"),
        ("a.txt", b"  \n", TextInput(length=9), "expected a text of 1 to 10,000"),
        ("a.txt", b"\xff", TextInput(length=9), "not UTF-8"),
        ("a.csv", b"1,2,3", FeaturesInput(), "has 3 values; expected 4 in one line"),
        ("a.csv", b"1,2,3,4\n5,6,7,8", FeaturesInput(), "has 2 lines; expected one, of 4 values"),
        ("a.csv", b"1,2,nan,4", FeaturesInput(), "value 3 is 'nan'"),
        ("a.csv", b"1,2,1e999,4", FeaturesInput(), "value 3 is '1e999'"),
        ("a.csv", b"1,2,1_0,4", FeaturesInput(), "value 3 is '1_0'"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_samples_that_do_not_fit_are_refused(name: str, content: bytes, spec: InputSpec, said: str) -> None:
    with pytest.raises(CompressionError) as error:
        one(name, content, spec, (1, 4) if spec.kind == "features" else (1, 8, 8, 3))
    assert name in str(error.value) and said in str(error.value)


def test_pictures_that_phones_decode_otherwise_are_refused() -> None:
    glass = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    glass.save(made := io.BytesIO(), "PNG")
    with pytest.raises(DataError, match="transparent pixels"):
        one("a.png", made.getvalue())
    Image.new("RGBA", (4, 4), (255, 0, 0, 255)).save(made := io.BytesIO(), "PNG")
    assert Image.open(io.BytesIO(one("a.png", made.getvalue()).content)).mode == "RGB"
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(made := io.BytesIO(), "PNG")
    with pytest.raises(DataError, match="more than 8 bits"):
        one("a.png", made.getvalue())


# --- the report -------------------------------------------------------------------------------------------------


def spoiled(**changes: object) -> bytes:
    return json.dumps(json.loads(report_of(b"x")) | changes).encode()


def test_a_report_is_taken_as_it_stands_if_it_is_of_the_file() -> None:
    told = json.loads(report_of(b"x"))
    found = report.read(report_of(b"x"), told["hashes"]["file"], "report.json")
    assert [dict(row) for row in found.rows] == told["rows"]
    assert (found.recipe, found.notes) == ({"name": "int8"}, ("made by a test",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (report_of(b"y"), "is of a file with SHA-256"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff", "is no JSON"),
        (spoiled(rows=[], notes=[float("nan")]), "is no JSON"),
        (b"[]", "does not tell which file it is of"),
        (spoiled(hashes={}), "does not tell which file it is of"),
        (spoiled(rows={"a": 1}), "has rows without name, value, unit"),
        (spoiled(rows=[{"name": "a"}]), "has rows without name, value, unit"),
        (spoiled(notes="x"), "has notes that are no texts"),
        (b" " * ((4 << 20) + 1), "expected a report.json of at most"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_another_report_is_refused(content: bytes, said: str) -> None:
    digest = json.loads(report_of(b"x"))["hashes"]["file"]
    with pytest.raises(FileError) as error:
        report.read(content, digest, "report.json")
    assert str(error.value).startswith("report.json ") and said in str(error.value)


def test_rows_are_those_that_compress_writes() -> None:
    digest = json.loads(report_of(b"x"))["hashes"]["file"]
    row = Row("latency_p50", "not available on this platform", "ms", "measured", "", "host", "a processor").as_dict()
    assert report.read(spoiled(rows=[row]), digest, "report.json").rows == (row,)
    for key in row:
        with pytest.raises(FileError, match="has rows without"):
            report.read(spoiled(rows=[{name: row[name] for name in row if name != key}]), digest, "report.json")


def test_an_unknown_kind_is_the_files_fault() -> None:
    with pytest.raises(DataError, match="unknown kind"):
        samples.kind_of("model.tflite")
