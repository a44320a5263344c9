"""The latency cost model: its measurements, the script that fits it, and its errors on boards it never saw."""
