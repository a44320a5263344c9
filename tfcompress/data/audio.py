"""What a model hears: spectrograms, log-mel and MFCC features of clips, as the demo app computes them on a phone.

    front_end = AudioFrontEnd(sample_rate=8000, samples=8000, frame_length=256, frame_step=160, fft_length=256, ...)
    x = audio_features(clips, front_end)          [clip, frame, feature]; then x[..., None] for a Conv2D

Its fields are the keys of the table `[input]` that `tfcompress export --for android --input input.toml` takes, so the
model is trained on what the phone will compute. NumPy only: each step gives what the TensorFlow function named beside
it gives.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from converters.errors import DataError, FileError, UsageError

Array = npt.NDArray[Any]
Features = Literal["waveform", "spectrogram", "log_mel", "mfcc"]
Normalize = Literal["int16", "peak"]

# The mel scale of HTK: mel = 1127 ln(1 + hertz / 700) (Young et al., "The HTK Book", section 5.4).
_MEL_BREAK_HZ, _MEL_FACTOR = 700.0, 1127.0
_INT16 = 32768.0
# What a field of each kind takes, and how to say so.
_KINDS: dict[str, tuple[Any, str]] = {
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "Normalize": (str, "a name"),
    "Features": (str, "a name"),
}
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
        for field in fields(self):
            value, (types, words) = getattr(self, field.name), _KINDS[str(field.type)]
            if isinstance(value, bool) or not isinstance(value, types):
                raise UsageError(f"{field.name} of the audio input is {value!r}; expected {words}")
        for name, allowed in (("features", Features), ("normalize", Normalize)):
            if getattr(self, name) not in get_args(allowed):
                raise UsageError(f"{name} is {getattr(self, name)!r}; expected {', '.join(get_args(allowed))}")
        for what, holds in self._demands():
            if not holds:
                raise UsageError(f"the audio input cannot be computed: {what}")

    def _demands(self) -> Iterator[tuple[str, bool]]:
        yield f"sample_rate is {self.sample_rate}; expected 1 or more", self.sample_rate >= 1
        yield f"samples is {self.samples}; expected 1 or more", self.samples >= 1
        finite = math.isfinite(self.mean) and math.isfinite(self.std)
        yield f"mean is {self.mean} and std {self.std}; expected numbers, std above 0", finite and self.std > 0
        if self.features == "waveform":
            return
        step, length, fft = self.frame_step, self.frame_length, self.fft_length
        yield f"frame_length is {length}; expected 1 to samples = {self.samples}", 1 <= length <= self.samples
        yield f"frame_step is {step}; expected 1 or more", step >= 1
        yield (
            f"fft_length is {fft}; expected an even number from frame_length = {length}",
            fft >= length and fft % 2 == 0,
        )
        yield f"power is {self.power}; expected 1 or 2", self.power in (1, 2)
        if self.features == "spectrogram":
            return
        low, high, half = self.lower_hz, self.upper_hz, self.sample_rate / 2
        yield f"mel_bins is {self.mel_bins}; expected 1 or more", self.mel_bins >= 1
        yield f"lower_hz is {low} and upper_hz {high}; expected 0 <= lower < upper <= {half}", 0 <= low < high <= half
        yield f"log_offset is {self.log_offset}; expected a number above 0", 0 < self.log_offset < math.inf
        if self.features == "mfcc":
            kept = self.coefficients
            yield f"coefficients is {kept}; expected 1 to mel_bins = {self.mel_bins}", 1 <= kept <= self.mel_bins

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> AudioFrontEnd:
        """The front end that a table with `kind = "audio"` describes; keys that it does not know are refused.

        Raises:
            UsageError: another kind, an unknown or missing key, or a value that cannot work.
        """
        given = {key: value for key, value in table.items() if key != "kind"}
        kind, known = table.get("kind", "audio"), {field.name for field in fields(cls)}
        if kind != "audio":
            raise UsageError(f"the table is of kind {kind!r}; expected audio")
        if unknown := sorted(set(given) - known):
            raise UsageError(f"an audio input has no key {unknown[0]}; expected {', '.join(sorted(known))}")
        if missing := sorted({"sample_rate", "samples"} - set(given)):
            raise UsageError(f"the audio input has no {missing[0]}; give it")
        return cls(**given)

    @classmethod
    def read(cls, path: Path | str) -> AudioFrontEnd:
        """The front end of a TOML file, as `tfcompress export --input` takes it: its table `[input]`, or all of it.

        Raises:
            FileError: the file cannot be read or is no TOML.
            UsageError: as `from_table`.
        """
        try:
            found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FileError(f"{path} cannot be read as TOML: {error}; give a table as in docs/android.md") from error
        table = found.get("input", found)
        return cls.from_table(table if isinstance(table, dict) else {})

    def as_table(self) -> dict[str, Any]:
        """The keys of docs/android.md that this kind of feature has."""
        unused: tuple[str, ...] = ()
        if self.features == "waveform":
            unused += ("frame_length", "frame_step", "fft_length", "power")
        if self.features in ("waveform", "spectrogram"):
            unused += ("mel_bins", "lower_hz", "upper_hz", "log_offset")
        if self.features != "mfcc":
            unused += ("coefficients",)
        return {"kind": "audio"} | {key: value for key, value in asdict(self).items() if key not in unused}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the features of one clip: (samples,) of a waveform, else (frames, features of a frame)."""
        if self.features == "waveform":
            return (self.samples,)
        frames = 1 + (self.samples - self.frame_length) // self.frame_step
        width = {"spectrogram": self.fft_length // 2 + 1, "log_mel": self.mel_bins, "mfcc": self.coefficients}
        return (frames, width[self.features])


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
