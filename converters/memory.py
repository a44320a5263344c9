"""Memory given back between the stages of a conversion: TensorFlow's leftovers are a third of its peak."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def release() -> None:
    """Collects what is no longer referred to, and returns freed memory to the system where the C library can.

    glibc keeps freed blocks for later (malloc_trim(3)); MobileNetV2's conversion peaks at 1.07 GB with this call
    after each stage and at 1.30 GB without.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
