"""Energy of one inference: what the chip draws while it computes, for as long as that takes.

    energy = current * volts * latency          current at another clock: in proportion to it

The current is a data sheet's, of the chip alone at its stated voltage; what else is on a board, and what a duty cycle
leaves for sleep, are not in it: a lower bound for a board.
"""

from __future__ import annotations

from dataclasses import dataclass

from tfcompress.targets import Device

# The clock under which a data sheet's current per MHz is written.
_PER_MHZ = 1_000_000


@dataclass(frozen=True)
class Energy:
    """Energy of an inference in microjoules, and where its power is from."""

    microjoules: float
    milliwatts: float
    source: str


def energy(device: Device, latency_ms: float) -> Energy | None:
    """Energy of a time on a device; None where no power is published with its voltage."""
    power = device.power
    if power is None:
        return None
    milliwatts = power.current_ma * power.volts * device.clock_hz / power.at_hz
    at = "/MHz" if power.at_hz == _PER_MHZ != device.clock_hz else f" at {power.at_hz / 1e6:g} MHz"
    words = f"{power.current_ma:g} mA{at}, {power.volts:g} V ({device.sources['power']})"
    if power.at_hz != device.clock_hz:
        words += f", taken to {device.clock_hz / 1e6:g} MHz in proportion"
    words += "; of the chip alone, a lower bound for a board"
    return Energy(milliwatts * latency_ms, milliwatts, words)
