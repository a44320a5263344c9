"""What TensorFlow's signal functions make of clips, for the demo app's front end to be held to."""

from __future__ import annotations

from typing import Any

import numpy as np
from golden_preprocessing import Array, packed

_BASE = {"kind": "audio", "sample_rate": 8000, "samples": 2000, "normalize": "int16", "mean": 0.0, "std": 1.0}
_FRAMES = {"frame_length": 256, "frame_step": 128, "fft_length": 256, "power": 1}
_MEL = {"mel_bins": 20, "lower_hz": 80.0, "upper_hz": 3600.0, "log_offset": 1e-6}
INPUTS: list[tuple[dict[str, Any], str]] = [
    ({"features": "waveform"}, "speech"),
    ({"features": "waveform", "normalize": "peak", "mean": 0.01, "std": 0.3}, "speech"),
    ({"features": "waveform", "normalize": "peak"}, "long"),
    ({"features": "waveform"}, "short"),
    ({"features": "spectrogram", **_FRAMES}, "speech"),
    ({"features": "spectrogram", **_FRAMES, "frame_length": 200, "power": 2, "normalize": "peak"}, "speech"),
    ({"features": "spectrogram", **_FRAMES, "frame_length": 255, "frame_step": 97, "fft_length": 300}, "speech"),
    ({"features": "spectrogram", **_FRAMES, "frame_length": 101, "frame_step": 100, "fft_length": 126}, "short"),
    ({"features": "spectrogram", **_FRAMES, "frame_length": 2000, "frame_step": 1, "fft_length": 2048}, "speech"),
    ({"features": "spectrogram", **_FRAMES, "frame_length": 1, "frame_step": 400, "fft_length": 2}, "speech"),
    ({"features": "log_mel", **_FRAMES, **_MEL}, "speech"),
    ({"features": "log_mel", **_FRAMES, **_MEL, "power": 2, "mean": -4.2, "std": 2.5, "normalize": "peak"}, "speech"),
    ({"features": "log_mel", **_FRAMES, **_MEL, "mel_bins": 40, "lower_hz": 0.0, "upper_hz": 4000.0}, "long"),
    ({"features": "log_mel", **_FRAMES, **_MEL}, "silence"),
    ({"features": "log_mel", **_FRAMES, **_MEL, "normalize": "peak"}, "silence"),
    ({"features": "mfcc", **_FRAMES, **_MEL, "coefficients": 13}, "speech"),
    ({"features": "mfcc", **_FRAMES, **_MEL, "coefficients": 20, "power": 2, "log_offset": 0.01}, "short"),
    ({"features": "mfcc", **_FRAMES, **_MEL, "frame_length": 240, "frame_step": 160, "fft_length": 480,
      "mel_bins": 25, "coefficients": 10, "sample_rate": 16000, "upper_hz": 7600.0}, "speech"),
    ({"features": "mfcc", **_FRAMES, **_MEL, "coefficients": 5}, "silence"),
]  # fmt: skip


def clips() -> dict[str, Array]:
    """Sounds of several lengths, as 16-bit samples."""
    random = np.random.default_rng(3)
    time = np.arange(2600) / 8000
    voice = sum(
        np.sin(2 * np.pi * hertz * time * (1 + 0.1 * time)) / number
        for number, hertz in enumerate((150, 430, 1210, 2900), 1)
    )
    loud = (6000 * voice * np.hanning(len(time)) + random.normal(0, 200, len(time))).astype(np.int16)
    return {"speech": loud[300:2300], "long": loud, "short": loud[500:1400], "silence": np.zeros(2000, np.int16)}


def features() -> list[dict[str, Any]]:
    """The cases with TensorFlow's values, float32 in row order."""
    sounds, made = clips(), []
    for changes, name in INPUTS:
        spec = {**_BASE, **changes}
        values = _values(sounds[name], spec)
        made.append(
            {"input": spec, "clip": packed(sounds[name]), "shape": list(values.shape), "values": packed(values)}
        )
    return made


def _values(clip: Array, spec: dict[str, Any]) -> Array:
    wave = np.zeros(spec["samples"], np.float64)
    cut = clip[: len(wave)] / 32768
    wave[: len(cut)] = cut
    if spec["normalize"] == "peak" and np.abs(wave).max() > 0:
        wave /= np.abs(wave).max()
    made = (np.asarray(_tensorflow(wave.astype(np.float32), spec), np.float64) - spec["mean"]) / spec["std"]
    return made.astype(np.float32)


def _tensorflow(wave: Array, spec: dict[str, Any]) -> Any:
    import tensorflow as tf

    if spec["features"] == "waveform":
        return wave
    transform = tf.signal.stft(wave, spec["frame_length"], spec["frame_step"], spec["fft_length"])
    spectrum = tf.abs(transform) ** spec["power"]
    if spec["features"] == "spectrogram":
        return spectrum
    weights = tf.signal.linear_to_mel_weight_matrix(
        spec["mel_bins"], spectrum.shape[-1], spec["sample_rate"], spec["lower_hz"], spec["upper_hz"]
    )
    logs = tf.math.log(tf.matmul(spectrum, weights) + spec["log_offset"])
    if spec["features"] == "log_mel":
        return logs
    return tf.signal.mfccs_from_log_mel_spectrograms(logs)[..., : spec["coefficients"]]
