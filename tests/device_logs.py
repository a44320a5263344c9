"""Logs of boards for the tests: what a board has to say, and how it writes that."""

from __future__ import annotations

import hashlib
from typing import Any

from tfcompress.benchmark.device_log import DeviceLog, Difference, Vector

MODEL = b"the bytes of a model"
SHA = hashlib.sha256(MODEL).hexdigest()
BOOT = b"ets Jul 29 2019 12:21:46\r\n\xff\xfe\x00\x80rst:0x1 (POWERON),boot:0x13\r\nclock: 80 MHz\r\nerror: no card\r\n"


def log(**changed: Any) -> DeviceLog:
    vectors = (Vector(168_000), Vector(336_000), Vector(170_000))
    usual: dict[str, Any] = {
        **{"model": "digits.tflite", "model_bytes": len(MODEL), "sha256": SHA, "runtime": "TFLM 1.2", "board": "Disco"},
        **{"clock": 168_000_000, "counter": "cycles", "how": "measured", "arena": (5_000, 8_192)},
        **{"vectors": vectors, "total": len(changed.get("vectors", vectors))},
    }
    return DeviceLog(**(usual | changed))


def rendered(told: DeviceLog) -> str:
    lines = [
        "tfcompress log 1",
        f"model: {told.model} bytes={told.model_bytes} sha256={told.sha256}",
        f"runtime: {told.runtime or 'unknown'}",
        f"board: {told.board or 'unknown'}",
        f"clock: {told.clock or 'unknown'}",
        f"counter: {told.counter}",
        f"how: {told.how}",
    ]
    if told.arena:
        lines.append(f"arena: used={told.arena[0]} given={told.arena[1]}")
    if told.tolerance is not None:
        lines.append(f"tolerance: {told.tolerance}")
    if told.error:
        lines.append(f"error: {told.error}")
    for number, vector in enumerate(told.vectors):
        if (found := vector.difference) is None:
            lines.append(f"vector {number}: PASS ticks={vector.ticks}")
        else:
            differs = f"output={found.output} byte={found.byte} expected={found.expected} got={found.got}"
            lines.append(f"vector {number}: FAIL ticks={vector.ticks} {differs}")
    lines.append(f"result: {'FAIL' if told.failed else 'PASS'} {told.passed}/{told.total}")
    return "\n".join(lines) + "\n"


PASSED = rendered(log())
FAILING = log(vectors=(Vector(10), Vector(20, Difference(0, 7, -3, 5)), Vector(30, Difference(1, 2, 0, 1))))
