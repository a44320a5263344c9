"""One number of a report: what it is, in which unit, how it was got, and where; `tfcompress.report` formats it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

How = Literal["measured", "measured by difference", "simulated", "estimated", "published", "read from the file"]


@dataclass(frozen=True)
class Row:
    """One number of a report.

    Attributes:
        name: stable key, such as `arena`, `file_bytes`, `latency_p50`.
        value: the number; text where there is none ("not available on this platform").
        unit: `bytes`, `ms`, `fraction`, `count`, ...
        how: the way it was got.
        runtime: name and version of what ran the model; empty where nothing ran.
        target: the device the number is about; `host` for this machine.
        source: where the number comes from: this machine's processor, a publication, the file.
    """

    name: str
    value: float | int | str
    unit: str
    how: How
    runtime: str
    target: str
    source: str

    def as_dict(self) -> dict[str, Any]:
        """The row with its documented JSON keys."""
        return asdict(self)
