"""What a file takes on a device that is not here: latency, energy, flash, arena, and whether it fits."""
