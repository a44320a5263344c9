"""Functions that tests run in a child process."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np

from converters.child import Progress
from converters.errors import DataError


def echo(value: Any, *, progress: Progress) -> Any:
    progress("echoing", 1, 2)
    return value


def complain(*, progress: Progress) -> None:
    raise DataError("three\nlines came", details="the whole story")


def stumble(*, progress: Progress) -> None:
    raise KeyError("unforeseen")


def crash(*, progress: Progress) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(*, progress: Progress) -> None:
    sys.stderr.write("famous last words")
    sys.stderr.flush()
    os._exit(3)


def sleep(*, progress: Progress) -> None:
    time.sleep(60)


def devour(*, progress: Progress) -> int:
    return int(np.ones(1 << 33, np.uint8).sum())


def chatter(*, progress: Progress) -> str:
    os.write(1, b"native libraries print where they like\n")
    return "still fine"


def imported(*, progress: Progress) -> list[str]:
    return [name for name in ("tensorflow", "keras") if name in sys.modules]


def forge(text: str, *, progress: Progress) -> None:
    """Writes `text` as if it were this child's answer, with one array of eight bytes."""
    import struct

    reply = int(sys.argv[2])
    blob = b"\x41" * 8
    encoded = text.encode()
    os.write(reply, struct.pack("<QQ", len(encoded), 1) + encoded + struct.pack("<Q", len(blob)) + blob)
    os._exit(0)


def environment(name: str, *, progress: Progress) -> str | None:
    return os.environ.get(name)


def process_id(*, progress: Progress) -> int:
    return os.getpid()
