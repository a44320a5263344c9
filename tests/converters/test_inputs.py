"""What people write of a model's input is taken as they meant it, or refused in a line that names the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from android_models import classifier

from converters.errors import FileError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.guess import guess, scaling_of
from converters.inputs import AudioInput, FeaturesInput, ImageInput, TextInput, parse
from converters.runtimes import ports

IMAGE = {"kind": "image", "mean": 0, "std": 255}
AUDIO = {
    "kind": "audio", "sample_rate": 16000, "samples": 16000, "features": "mfcc", "frame_length": 480,
    "frame_step": 320, "fft_length": 512, "power": 1, "mel_bins": 40, "lower_hz": 20, "upper_hz": 4000.0,
    "log_offset": 1e-6, "coefficients": 10,
}  # fmt: skip
WAVEFORM = {"kind": "audio", "sample_rate": 8000, "samples": 8000, "features": "waveform"}
TEXT = {"kind": "text", "mode": "int"}
KWS = (1, 49, 10, 1)


def without(table: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in names}


def test_what_the_shape_tells_may_be_left_out() -> None:
    gray = parse(IMAGE, (1, 28, 30, 1), where="input.toml")
    assert gray == ImageInput(channels="gray", layout="nhwc", mean=(0.0,), std=(255.0,))
    assert isinstance(gray, ImageInput) and gray.size((1, 28, 30, 1)) == (30, 28)
    first = parse(IMAGE, (1, 3, 28, 30), where="input.toml")
    assert isinstance(first, ImageInput) and (first.channels, first.layout) == ("rgb", "nchw")
    assert first.size((1, 3, 28, 30)) == (30, 28)
    flat = parse(IMAGE, (1, 28, 30), where="input.toml")
    assert isinstance(flat, ImageInput) and flat.channels == "gray" and flat.size((1, 28, 30)) == (30, 28)
    assert parse(IMAGE | {"channels": "bgr"}, (1, 3, 8, 8), where="x").as_table()["layout"] == "nchw"
    assert parse(TEXT, (1, 64), where="x") == TextInput(length=64)
    assert parse({"kind": "features"}, (1, 4), where="x") == FeaturesInput()


def test_means_per_channel_stay_in_order() -> None:
    table = IMAGE | {"channels": "bgr", "mean": [103.9, 116.8, 123.7], "std": 1.0, "drawing": "black on white"}
    made = parse(table, (1, 8, 8, 3), where="x").as_table()
    assert made == table | {"layout": "nhwc", "std": [1.0]}


def test_audio_knows_the_shape_that_it_makes() -> None:
    made = parse(AUDIO, KWS, where="x")
    assert isinstance(made, AudioInput) and made.feature_shape == (49, 10)
    assert made.as_table() == AUDIO | {"normalize": "int16", "mean": 0.0, "std": 1.0}
    log_mel = without(AUDIO, "coefficients") | {"features": "log_mel"}
    assert parse(log_mel, (1, 49, 40), where="x").as_table()["mel_bins"] == 40
    spectrogram = without(log_mel, "mel_bins", "lower_hz", "upper_hz", "log_offset") | {"features": "spectrogram"}
    assert "mel_bins" not in parse(spectrogram, (1, 49, 257), where="x").as_table()
    assert parse(WAVEFORM, (1, 8000, 1), where="x").as_table()["samples"] == 8000


@pytest.mark.parametrize(
    ("table", "shape", "said"),
    [
        ({}, (1, 4), "kind is None; expected image, audio, text or features"),
        ({"kind": "video"}, (1, 4), "kind is 'video'; expected"),
        ({"kind": "v" * 9999}, (1, 4), "vvv...; expected"),
        (IMAGE | {"m" * 9999: 1}, (1, 8, 8, 3), "no key 'mmm"),
        (IMAGE | {"std": 16**5000}, (1, 8, 8, 3), "'std' is a value of type int, too large"),
        (WAVEFORM | {"samples": 16**5000}, (1, 8000), "'samples' is a value of type int, too large"),
        (without(IMAGE, "mean"), (1, 8, 8, 3), "mean is missing; an input of kind 'image' needs it"),
        (IMAGE | {"means": 3}, (1, 8, 8, 3), "no key 'means' in an input of kind 'image'"),
        (IMAGE | {"std": 0}, (1, 8, 8, 3), "std is [0.0]; expected numbers above 0"),
        (IMAGE | {"std": [1, 2]}, (1, 8, 8, 3), "std has 2 numbers and rgb 3 channels"),
        (IMAGE | {"std": "255"}, (1, 8, 8, 3), "std is '255'"),
        (IMAGE | {"std": True}, (1, 8, 8, 3), "std is True"),
        (IMAGE | {"std": float("nan")}, (1, 8, 8, 3), "std"),
        (IMAGE | {"std": []}, (1, 8, 8, 3), "std is []"),
        (IMAGE | {"mean": 10**400}, (1, 8, 8, 3), "mean"),
        (IMAGE | {"drawing": "red"}, (1, 8, 8, 3), "drawing is 'red'"),
        (IMAGE | {"channels": "gray"}, (1, 8, 8, 3), "gray images in nhwc need an input [1, height, width, 1]"),
        (IMAGE, (1, 64), "channels is missing"),
        (IMAGE | {"channels": "rgb"}, (2, 8, 8, 3), "rgb images in nhwc need an input [1, height, width, 3]"),
        (IMAGE | {"channels": "rgb"}, (1, 8, 8), "rgb images in nhwc need"),
        (without(AUDIO, "power"), KWS, "power is missing; features 'mfcc' need it"),
        (AUDIO | {"features": "log_mel"}, KWS, "features 'log_mel' have no coefficients; leave it out"),
        (AUDIO | {"coefficients": 41}, KWS, "coefficients is 41; expected at most mel_bins = 40"),
        (AUDIO | {"upper_hz": 9000}, KWS, "expected 0 <= lower_hz < upper_hz <= 8000"),
        (AUDIO | {"log_offset": 0}, KWS, "log_offset is 0"),
        (AUDIO | {"fft_length": 479}, KWS, "fft_length is 479; expected an even number from frame_length = 480"),
        (AUDIO | {"frame_length": 16002, "fft_length": 32768}, KWS, "frame_length is 16002; expected at most samples"),
        (AUDIO | {"power": 3}, KWS, "power is 3"),
        (AUDIO | {"power": -(16**5000)}, KWS, "'power' is a value of type int, too large"),
        ({"kind": "features", "mean": [1, 16**5000]}, (1, 2), "'mean' is a value of type int, too large"),
        (AUDIO | {"sample_rate": 1}, KWS, "sample_rate is 1"),
        (AUDIO | {"samples": 8000.0}, KWS, "samples is 8000.0"),
        (AUDIO, (1, 48, 10), "a clip are 49 frames of 10 values, and the model's input is [1, 48, 10]"),
        (WAVEFORM, (1, 7999), "the waveform features of a clip are 8000 samples"),
        (TEXT | {"length": 9}, (1, 8), "texts of length 9 need an input [1, 9]"),
        (TEXT | {"mode": "bytes"}, (1, 8), "mode is 'bytes'"),
        ({"kind": "features", "names": ["a"]}, (1, 2), "names has 1 entries, and the input takes 2 values"),
        ({"kind": "features", "names": ["a", "\a"]}, (1, 2), "names holds"),
        ({"kind": "features", "mean": [1, 2, 3]}, (1, 2), "mean has 3 entries"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_the_key(table: dict[str, Any], shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(FileError) as error:
        parse(table, shape, where="input.toml")
    assert str(error.value).startswith("input.toml: ") and said in str(error.value)
    assert len(str(error.value)) < 300


def port(data: bytes) -> ports.Port:
    return ports.inputs_of(FlatBuffer(data))[0]


@pytest.mark.parametrize(
    ("dtype", "scale", "point", "expected"),
    [
        ("int8", 1 / 255, -128, (0.0, 255.0)),
        ("uint8", 0.95 / 255, 0, (0.0, 255.0)),
        ("int8", 2 / 255, 0, (127.5, 127.5)),
        ("int8", 0.0078125, 0, (127.5, 127.5)),
        ("uint8", 1.0, 0, (0.0, 1.0)),
        ("int8", 1.0, -128, (0.0, 1.0)),
        ("int8", 1.0, 0, (128.0, 1.0)),
        ("int8", 0.02, 0, None),
        ("int8", 0.8 / 255, -128, None),
        ("int16", 1 / 32767, 0, None),
        ("float32", None, None, None),
    ],
)
def test_an_eight_bit_range_tells_how_pixels_are_scaled(
    dtype: str, scale: float | None, point: int | None, expected: tuple[float, float] | None
) -> None:
    scales, points = (None, None) if scale is None else ([scale], [point])
    assert scaling_of(port(classifier(dtype, scales=scales, points=points))) == expected  # type: ignore[arg-type]


def test_a_guess_says_how_it_was_made() -> None:
    spec, said = guess(port(classifier("int8")), drawing="white on black")
    assert spec == ImageInput(channels="gray", mean=(0.0,), std=(255.0,), drawing="white on black")
    assert said == "4 x 4 pixels, gray, (pixel - 0) / 255 as the file's own input range tells"
    spec, said = guess(port(classifier("float32", (1, 3, 2, 5))), "-1..1")
    assert spec == ImageInput(channels="rgb", layout="nchw", mean=(127.5,), std=(127.5,))
    assert said.startswith("5 x 2 pixels, rgb") and said.endswith("as asked")
    assert guess(port(classifier("float32", (1, 4, 4))))[0] == FeaturesInput()
    assert guess(port(classifier("float32", (1, 4, 4))), "0..1")[0].kind == "image"
    assert guess(port(classifier("int8", (1, 7))))[0] == FeaturesInput()


@pytest.mark.parametrize(
    ("data", "scale", "said"),
    [
        (classifier("float32"), None, "float32 input does not tell how pixels become numbers; give --scale"),
        (classifier("int16"), None, "int16 input does not tell"),
        (classifier("int8", scales=[0.5], points=[0]), None, "takes -64 to 63.5, which tells no usual scaling"),
        (classifier("int8"), "0..255", "--scale 0..255 came, and the file's input takes 0 to 1"),
        (classifier("int8", (1, 7)), "0..1", "--scale is for images, and the input has shape [1, 7]"),
    ],
)
def test_what_a_file_cannot_tell_is_asked_for(data: bytes, scale: str | None, said: str) -> None:
    with pytest.raises(UsageError) as error:
        guess(port(data), scale)
    assert said in str(error.value)


def test_an_input_of_an_odd_quantization_may_still_be_asked_for() -> None:
    spec, _ = guess(port(classifier("int8", scales=[0.5], points=[0])), "0..255")
    assert np.allclose(spec.as_table()["std"], 1.0)
