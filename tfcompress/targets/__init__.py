"""Targets as data: devices, and the runtimes that execute a file on them; a user's own TOML file works by its path."""

from tfcompress.targets.catalogue import Runtime, runtime, runtimes
from tfcompress.targets.cores import Core, core, cores
from tfcompress.targets.devices import Device, Target, device, devices, matching, target

__all__ = [
    "Core",
    "Device",
    "Runtime",
    "Target",
    "core",
    "cores",
    "device",
    "devices",
    "matching",
    "runtime",
    "runtimes",
    "target",
]
