"""What a model hears: spectrograms, log-mel and MFCC features of clips, as the demo app computes them on a phone.

    front_end = AudioFrontEnd(sample_rate=8000, samples=8000, frame_length=256, frame_step=160, fft_length=256, ...)
    x = audio_features(clips, front_end)          [clip, frame, feature]; then x[..., None] for a Conv2D

Its fields are the keys of the table `[input]` that `tfcompress export --for android --input input.toml` takes, so the
model is trained on what the phone will compute. NumPy only: each step gives what the TensorFlow function named beside
it gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from converters.errors import DataError, FileError, UsageError
from converters.inputs import FEATURE_KEYS, AudioInput, InputSpec, checked
from tfcompress.data import input_file

Array = npt.NDArray[Any]
Features = Literal["waveform", "spectrogram", "log_mel", "mfcc"]
Normalize = Literal["int16", "peak"]

# The mel scale of HTK: mel = 1127 ln(1 + hertz / 700) (Young et al., "The HTK Book", section 5.4).
_MEL_BREAK_HZ, _MEL_FACTOR = 700.0, 1127.0
_INT16 = 32768.0
# Clips that are transformed at a time, so that many clips need no more memory than few.
_AT_A_TIME = 256


@dataclass(frozen=True, kw_only=True)
class AudioFrontEnd:
    """How a clip becomes a model's input.

    Attributes:
        sample_rate: samples per second of every clip.
        samples: length of a clip; a longer one is cut, a shorter one filled with zeros at the end.
        normalize: `int16` divides 16-bit samples by 32768, `peak` by the largest absolute value of the clip (after it
            was cut), so that loudness does not matter.
        features: `waveform`, `spectrogram`, `log_mel`, `mfcc`.
        frame_length: samples in a frame.
        frame_step: samples from one frame's start to the next one's.
        fft_length: length of the transform, `frame_length` or more; an even number.
        power: 1 for magnitudes, 2 for their squares.
        mel_bins: how many bands between `lower_hz` and `upper_hz`, of equal width on the mel scale.
        lower_hz: where the lowest band starts.
        upper_hz: where the highest band ends, half the sample rate at most.
        log_offset: added before the logarithm.
        coefficients: how many of the `mel_bins` cepstral coefficients are kept.
        mean: subtracted from each feature.
        std: what the rest is divided by.

    Raises:
        UsageError: values that cannot work, or that one kind of feature needs and that are not given.
    """

    sample_rate: int
    samples: int
    normalize: Normalize = "int16"
    features: Features = "log_mel"
    frame_length: int = 0
    frame_step: int = 0
    fft_length: int = 0
    power: int = 1
    mel_bins: int = 0
    lower_hz: float = 0.0
    upper_hz: float = 0.0
    log_offset: float = 1e-6
    coefficients: int = 0
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        _ = self.spec  # refuses what cannot work

    @property
    def spec(self) -> AudioInput:
        """The input that an export is told: the values, checked, that this kind of feature has."""
        kept = FEATURE_KEYS.get(str(self.features), ())
        given = {key: value for key, value in asdict(self).items() if key in kept or key not in FEATURE_KEYS["mfcc"]}
        return _audio(_checked(given))

    @classmethod
    def of(cls, spec: InputSpec) -> AudioFrontEnd:
        """The front end of an input.

        Raises:
            UsageError: it is no audio.
        """
        return cls(**_audio(spec).model_dump(exclude={"kind"}, exclude_none=True))

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> AudioFrontEnd:
        """The front end that a table with `kind = "audio"` describes: the one that an export would take.

        Raises:
            UsageError: another kind, an unknown or missing key, or a value that cannot work.
        """
        return cls.of(_checked(table))

    @classmethod
    def read(cls, path: Path | str) -> AudioFrontEnd:
        """The front end of a TOML file, as `tfcompress export --input` takes it: its table `[input]`, or all of it.

        Raises:
            FileError: the file cannot be read, is no TOML, or says what cannot work.
            UsageError: it is of another kind of input.
        """
        return cls.of(checked(input_file.read(path), where=str(path)))

    def as_table(self) -> dict[str, Any]:
        """The keys of docs/android.md that this kind of feature has."""
        return self.spec.as_table()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of one clip: (samples,) of a waveform, else (frames, features of a frame)."""
        return self.spec.feature_shape


def _audio(spec: InputSpec) -> AudioInput:
    if not isinstance(spec, AudioInput):
        raise UsageError(f"the input is of kind {spec.kind!r}; expected audio")
    return spec


def _checked(table: Mapping[str, Any]) -> InputSpec:
    try:
        return checked({"kind": "audio"} | dict(table), where="the audio input")
    except FileError as error:
        raise UsageError(str(error)) from error


def audio_features(clips: Array | Sequence[Array], front_end: AudioFrontEnd) -> npt.NDArray[np.float32]:
    """The model's input for each clip: (feature - mean) / std.

    Args:
        clips: [clip, sample], or a list of clips of any lengths; 16-bit integers, or numbers from -1 to 1.
        front_end: what to compute.

    Returns:
        float32 [clip, *front_end.shape].

    Raises:
        DataError: clips that are no rows of samples, integers of another width, or numbers that are not finite.
    """
    made = np.empty((len(clips), *front_end.shape), np.float32)
    for start in range(0, len(clips), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        made[part] = (_features(waveforms(clips[part], front_end), front_end) - front_end.mean) / front_end.std
    return made


def waveforms(clips: Array | Sequence[Array], front_end: AudioFrontEnd) -> Array:
    """The clips cut or filled to one length, [clip, samples], as numbers from -1 to 1.

    Raises:
        DataError: as `audio_features`.
    """
    made = np.zeros((len(clips), front_end.samples))
    for number, clip in enumerate(clips):
        row = np.asarray(clip)
        if row.ndim != 1 or not (row.dtype == np.int16 or np.issubdtype(row.dtype, np.floating)):
            came = f"{row.dtype} of shape {row.shape}"
            raise DataError(f"clip {number} is {came}; expected a row of 16-bit integers, or of numbers from -1 to 1")
        row = row[: front_end.samples]
        made[number, : len(row)] = row / _INT16 if row.dtype == np.int16 else row
    if not np.isfinite(made).all():
        raise DataError("a clip holds a sample that is not finite; expected numbers from -1 to 1")
    if front_end.normalize == "peak":
        peak = np.abs(made).max(axis=1, keepdims=True)
        made /= np.where(peak > 0, peak, 1)  # silence stays silence
    return made


def _features(waves: Array, front_end: AudioFrontEnd) -> Array:
    if front_end.features == "waveform":
        return waves
    spectra = spectrogram(waves, front_end)
    if front_end.features == "spectrogram":
        return spectra
    logarithms = np.log(spectra @ mel_weights(front_end) + front_end.log_offset)
    if front_end.features == "log_mel":
        return logarithms
    return cepstrum(logarithms)[..., : front_end.coefficients]


def spectrogram(waves: Array, front_end: AudioFrontEnd) -> Array:
    """|STFT| ** power of rows of samples, as `tf.signal.stft` makes it.

    Frame t is the samples from t * frame_step on, times a periodic Hann window, then zeros up to fft_length; samples
    that fill no frame at the end are left out.

    Args:
        waves: [clip, samples].
        front_end: frame_length, frame_step, fft_length, power.

    Returns:
        [clip, frame, fft_length // 2 + 1].
    """
    windows = np.lib.stride_tricks.sliding_window_view(waves, front_end.frame_length, axis=-1)
    frames = windows[..., :: front_end.frame_step, :] * hann(front_end.frame_length)
    magnitudes = np.abs(np.fft.rfft(frames, front_end.fft_length))
    return magnitudes if front_end.power == 1 else magnitudes**2


def hann(length: int) -> Array:
    """The Hann window, `tf.signal.hann_window`: w[i] = 0.5 - 0.5 cos(2 pi i / n).

    n is `length` where that is even (a periodic window), else `length - 1`; a window of one sample is 1.
    """
    period = length - length % 2
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / period) if period else np.ones(length)


def mel_weights(front_end: AudioFrontEnd) -> Array:
    """What each frequency adds to each band, [fft_length // 2 + 1, mel_bins]: `tf.signal.linear_to_mel_weight_matrix`.

    Band b is a triangle on the mel scale, 1 at its middle and 0 at the middles of its neighbours; the lowest frequency,
    0 Hz, adds nothing.
    """
    hertz = np.linspace(0.0, front_end.sample_rate / 2, front_end.fft_length // 2 + 1)[1:, np.newaxis]
    low, high = _mel(np.array([front_end.lower_hz, front_end.upper_hz]))
    edges = np.linspace(low, high, front_end.mel_bins + 2)
    start, middle, end = edges[:-2], edges[1:-1], edges[2:]
    rising = (_mel(hertz) - start) / (middle - start)
    falling = (end - _mel(hertz)) / (end - middle)
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), [[1, 0], [0, 0]])


def cepstrum(logarithms: Array) -> Array:
    """All cepstral coefficients of log-mel features, scaled as `tf.signal.mfccs_from_log_mel_spectrograms` does.

    c[k] = sqrt(2 / n) * sum over b of logarithms[b] * cos(pi k (b + 1/2) / n), with n bands.
    """
    count = logarithms.shape[-1]
    angles = np.pi / count * np.outer(np.arange(count) + 0.5, np.arange(count))
    scaled: Array = np.sqrt(2 / count) * (logarithms @ np.cos(angles))
    return scaled


def _mel(hertz: Array) -> Array:
    return _MEL_FACTOR * np.log1p(hertz / _MEL_BREAK_HZ)
