"""What a model hears is what TensorFlow's own functions make of a clip, whatever the front end's parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tfcompress
from converters.errors import CompressionError, DataError, FileError, UsageError
from converters.inputs import AudioInput, parse
from tfcompress.data import audio
from tfcompress.data.audio import AudioFrontEnd, audio_features

Array = npt.NDArray[Any]

DIGITS = AudioFrontEnd(
    sample_rate=8000,
    samples=8000,
    features="mfcc",
    frame_length=256,
    frame_step=160,
    fft_length=512,
    mel_bins=40,
    lower_hz=60.0,
    upper_hz=3800.0,
    log_offset=1e-3,
    coefficients=13,
)

WAVEFORM = {"sample_rate": 8000, "samples": 8000, "features": "waveform"}


def by_tensorflow(waves: Array, front_end: AudioFrontEnd) -> Array:
    """The features by tf.signal alone."""
    import tensorflow as tf

    stft = tf.signal.stft(waves.astype(np.float32), front_end.frame_length, front_end.frame_step, front_end.fft_length)
    spectra = tf.abs(stft) ** front_end.power
    if front_end.features == "spectrogram":
        return np.asarray(spectra)
    weights = tf.signal.linear_to_mel_weight_matrix(
        front_end.mel_bins,
        front_end.fft_length // 2 + 1,
        front_end.sample_rate,
        front_end.lower_hz,
        front_end.upper_hz,
        tf.float64,
    )
    log_mel = tf.math.log(tf.cast(spectra, tf.float64) @ weights + front_end.log_offset)
    if front_end.features == "log_mel":
        return np.asarray(log_mel)
    return np.asarray(tf.signal.mfccs_from_log_mel_spectrograms(log_mel))[..., : front_end.coefficients]


def sounds(count: int, samples: int, seed: int = 0) -> Array:
    """A chirp under noise, at several loudnesses."""
    rng, time = np.random.default_rng(seed), np.arange(samples) / 8000
    chirp = np.sin(2 * np.pi * (200 + 900 * time) * time)
    return rng.uniform(0.05, 1, (count, 1)) * (0.7 * chirp + 0.2 * rng.uniform(-1, 1, (count, samples)))


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("features", ["spectrogram", "log_mel", "mfcc"])
def test_every_kind_of_feature_is_tensorflows(features: Any, power: int) -> None:
    front_end = replace(DIGITS, features=features, power=power)
    waves = sounds(5, 8000)
    np.testing.assert_allclose(audio_features(waves, front_end), by_tensorflow(waves, front_end), rtol=1e-4, atol=1e-4)


@st.composite
def front_ends(draw: st.DrawFn) -> AudioFrontEnd:
    length = draw(st.integers(2, 400))
    rate = draw(st.integers(1000, 48000))
    low = draw(st.floats(0, rate / 4))
    bins = draw(st.integers(1, 64))
    return AudioFrontEnd(
        sample_rate=rate,
        samples=draw(st.integers(length, 3000)),
        features=draw(st.sampled_from(["spectrogram", "log_mel", "mfcc"])),
        frame_length=length,
        frame_step=draw(st.integers(1, 500)),
        # tf.signal wants bands that hold a frequency; that is none of this front end's conditions.
        fft_length=2 * draw(st.integers((length + 1) // 2, 600)),
        power=draw(st.sampled_from([1, 2])),
        mel_bins=bins,
        lower_hz=low,
        upper_hz=draw(st.floats(low + rate / 8, rate / 2)),
        # Below it, float32 noise of the reference's own transform would show in the logarithm.
        log_offset=draw(st.sampled_from([1e-2, 1e-1, 1.0])),
        coefficients=draw(st.integers(1, bins)),
    )


@settings(max_examples=60, deadline=None)
@given(front_ends(), st.integers(0, 1000))
def test_any_front_end_is_tensorflows(front_end: AudioFrontEnd, seed: int) -> None:
    waves = sounds(2, front_end.samples, seed)
    found, expected = audio_features(waves, front_end), by_tensorflow(waves, front_end)
    assert found.shape == expected.shape == (2, *front_end.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(expected).max())))


@settings(max_examples=60, deadline=None)
@given(front_ends())
def test_an_export_takes_any_front_end(front_end: AudioFrontEnd) -> None:
    told = parse(front_end.as_table(), (1, *front_end.shape, 1), where="input.toml")
    assert isinstance(told, AudioInput) and told.feature_shape == front_end.shape
    assert AudioFrontEnd.from_table(told.as_table()).as_table() == front_end.as_table()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=6), st.integers(0, 1000))
def test_clips_of_any_length_are_heard_one_by_one(lengths: list[int], seed: int) -> None:
    front_end = replace(
        DIGITS, samples=600, frame_length=100, frame_step=50, fft_length=128, mel_bins=10, coefficients=5
    )
    rng = np.random.default_rng(seed)
    clips = [rng.integers(-32768, 32768, length, dtype=np.int16) for length in lengths]
    together = audio_features(clips, front_end)
    padded = [np.pad(clip[:600], (0, max(0, 600 - len(clip)))) for clip in clips]
    for number, clip in enumerate(padded):
        np.testing.assert_allclose(together[number], audio_features([clip / 32768], front_end)[0], atol=1e-5)


def test_many_clips_are_heard_as_few() -> None:
    front_end = replace(DIGITS, samples=400, frame_length=100, frame_step=100, fft_length=128)
    waves = sounds(600, 400)
    np.testing.assert_array_equal(audio_features(waves, front_end)[590:], audio_features(waves[590:], front_end))


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-3, 1.0), st.sampled_from(["waveform", "log_mel"]))
def test_peak_makes_loudness_irrelevant(loudness: float, features: Any) -> None:
    front_end = replace(DIGITS, normalize="peak", features=features)
    waves = sounds(1, 8000)
    np.testing.assert_allclose(
        audio_features(loudness * waves, front_end), audio_features(waves, front_end), rtol=1e-4, atol=1e-4
    )


def test_peak_is_of_what_is_kept_and_silence_stays_silence() -> None:
    front_end = AudioFrontEnd(sample_rate=8000, samples=3, features="waveform", normalize="peak")
    clips = [np.array([0.25, -0.5, 0.0, 0.9]), np.zeros(5)]
    np.testing.assert_allclose(audio_features(clips, front_end), [[0.5, -1, 0], [0, 0, 0]])


def test_sixteen_bit_samples_are_divided_by_32768() -> None:
    front_end = AudioFrontEnd(sample_rate=8000, samples=3, features="waveform", mean=0.5, std=2.0)
    clip = np.array([-32768, 16384], np.int16)
    np.testing.assert_allclose(audio_features([clip], front_end), [[-0.75, 0, -0.25]])


@pytest.mark.parametrize("features", ["waveform", "spectrogram", "log_mel", "mfcc"])
def test_the_table_of_an_export_reads_back(features: Any, tmp_path: Path) -> None:
    import tomlkit

    front_end = replace(DIGITS, features=features, mean=-3.5, std=2.0)
    table = front_end.as_table()
    path = tmp_path / "input.toml"
    path.write_text(tomlkit.dumps({"input": table}))
    read = AudioFrontEnd.read(path)
    assert read.as_table() == table
    assert read.shape == front_end.shape
    np.testing.assert_array_equal(audio_features(sounds(1, 8000), read), audio_features(sounds(1, 8000), front_end))
    path.write_text(tomlkit.dumps(table))
    assert AudioFrontEnd.read(path) == read


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"features": "cepstrum"},
            "features is 'cepstrum'; input should be 'waveform', 'spectrogram', 'log_mel' or 'mfcc'",
        ),
        ({"normalize": "rms"}, "normalize is 'rms'; input should be 'int16' or 'peak'"),
        ({"frame_length": 9000, "fft_length": 9000}, "frame_length is 9000; expected at most samples = 8000"),
        ({"frame_step": 0}, "frame_step is 0"),
        ({"fft_length": 255}, "even number from frame_length = 256"),
        ({"fft_length": 257}, "even number"),
        ({"power": 3}, "power is 3; input should be 1 or 2"),
        ({"upper_hz": 4001.0}, "<= 4000"),
        ({"lower_hz": 3900.0}, "expected 0 <= lower_hz < upper_hz"),
        ({"log_offset": 0.0}, "above 0"),
        ({"log_offset": float("nan")}, "log_offset is nan; input should be a finite number"),
        ({"coefficients": 41}, "expected at most mel_bins = 40"),
        ({"std": 0.0}, r"std is \[0.0\]; expected numbers above 0"),
        ({"samples": 0}, "samples is 0"),
        ({"sample_rate": 999}, "sample_rate is 999; input should be greater than or equal to 1000"),
        ({"features": []}, "features is"),
    ],
)
def test_a_front_end_that_cannot_work_says_why(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        replace(DIGITS, **change)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "image", "channels": "gray", "mean": 0, "std": 1}, "of kind 'image'; expected audio"),
        (WAVEFORM | {"mel_bands": 40}, "no key 'mel_bands'"),
        ({"sample_rate": 8000, "features": "waveform"}, "samples is missing"),
        (WAVEFORM | {"sample_rate": "8000"}, "should be a valid integer"),
        (WAVEFORM | {"samples": True}, "should be a valid integer"),
        (WAVEFORM | {"samples": 8000.5}, "should be a valid integer"),
        (WAVEFORM | {"mean": None}, "should be a valid number"),
        (WAVEFORM | {"features": 3}, "features is 3"),
        (WAVEFORM | {"power": 1}, "features 'waveform' have no power; leave it out"),
    ],
)
def test_a_table_with_a_wrong_key_or_value_says_which(table: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        AudioFrontEnd.from_table(table)


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "input.toml"
    with pytest.raises(FileError, match=r"docs/android\.md"):
        AudioFrontEnd.read(broken)
    for text in (b"[input\n", b"\xff\xfe", b"[input]\n[other]\n", b"[input]\nkind = 'audio'\n", b"\0" * (1 << 19)):
        broken.write_bytes(text)
        with pytest.raises(FileError, match=r"input\.toml"):
            AudioFrontEnd.read(broken)


@pytest.mark.parametrize(
    "clips",
    [
        np.zeros((2, 10), np.int32),
        np.zeros((2, 10, 1), np.float32),
        [np.zeros(4), np.zeros((2, 2))],
        [np.array([0.0, np.nan])],
        np.zeros((1, 10), np.uint8),
    ],
)
def test_clips_that_are_no_sound_are_refused(clips: Any) -> None:
    with pytest.raises(DataError, match="expected"):
        audio_features(clips, DIGITS)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*DIGITS.as_table(), "title", "kind"]),
        st.one_of(st.integers(-10, 10**6), st.floats(), st.text(max_size=4), st.booleans(), st.none()),
    )
)
def test_any_table_makes_a_front_end_or_one_sentence(table: dict[str, Any]) -> None:
    try:
        front_end = AudioFrontEnd.from_table(table)
    except CompressionError as error:
        assert "\n" not in str(error)
    else:
        assert all(length >= 1 for length in front_end.shape)


def test_it_is_part_of_the_documented_api() -> None:
    assert tfcompress.AudioFrontEnd is AudioFrontEnd
    made: Callable[..., Any] = tfcompress.audio_features
    assert made is audio.audio_features
