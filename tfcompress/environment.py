"""Versions of the packages and the machine behind a number."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "tfcompress",
    "tensorflow",
    "tf_keras",
    "keras",
    "tensorflow-model-optimization",
    "ai-edge-litert",
    "tflite-micro",
    "litert-quantizer",
    "numpy",
)


def versions() -> dict[str, str]:
    """Package versions (or "not installed"), Python, system and processor, without importing any of them."""
    found = {"python": platform.python_version(), "system": platform.platform(), "processor": processor()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def processor() -> str:
    """Name of this machine's processor and how many cores may be used."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name} ({os.cpu_count()} cores)"
