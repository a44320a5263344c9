"""Targets: the runtimes that execute a file, as data; a user's own TOML file works by its path."""

from tfcompress.targets.catalogue import Runtime, runtime, runtimes

__all__ = ["Runtime", "runtime", "runtimes"]
