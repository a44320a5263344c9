"""The last stage of a conversion: a finished file in as few bytes as its runtime takes, proven equal to what it was.

    packed = pack(flatbuffer, spec, samples)      packed.flatbuffer is for spec.runtime; packed.facts say what it saved

Shrinking and encoding change no number that the model computes. That is not believed: the packed file and the one
before run on the runtime that the file is for, on calibration data, and every output byte must be the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import child
from converters.encode import constants, encode
from converters.errors import (
    CertificateError,
    ChildDiedError,
    CompressionError,
    ModelError,
    NotAvailableError,
    UsageError,
)
from converters.flatbuffer import FlatBuffer
from converters.runtimes import choice, ports, tflm, tflm_arena, timing
from converters.runtimes.ports import Array
from converters.shrink import shrink
from converters.spec import ConversionSpec

# Samples on which a packed file is compared with the one before: at most as many as take some seconds on TFLM's
# reference kernels, which do about 1e9 multiply-accumulates a second here. They look for faults of shrinking and of
# kernels; that encoded constants come back is proven for every byte (`converters.encode`).
SAMPLES = 32
_MACS = 4e9


@dataclass(frozen=True)
class Facts:
    """What packing did.

    Attributes:
        bytes: size before.
        shrunk_bytes: size after shrinking, before encoding.
        encoded: encoding -> number of constants that are stored so.
        arena_bytes: TFLM's arena on this host; None for files without encoded weights.
        plain_arena_bytes: the same before encoding.
        samples: how many were compared.
        origin: where these are from: `calibration data` or `random inputs`.
    """

    bytes: int
    shrunk_bytes: int
    encoded: Mapping[str, int]
    arena_bytes: int | None
    plain_arena_bytes: int | None
    samples: int
    origin: str


@dataclass(frozen=True)
class Packed:
    """A packed file.

    Attributes:
        flatbuffer: the file.
        facts: what it saved; None where nothing was to be done.
        notes: what could not be checked.
    """

    flatbuffer: FlatBuffer
    facts: Facts | None
    notes: tuple[str, ...] = ()


def pack(
    flatbuffer: FlatBuffer,
    spec: ConversionSpec,
    samples: Mapping[str, Array] | None = None,
    *,
    came: FlatBuffer | None = None,
    progress: child.Progress = child.no_progress,
) -> Packed:
    """Shrinks and encodes a file as `spec` asks for.

    Args:
        flatbuffer: a finished file.
        spec: `shrink`, `decode`, `max_arena` and `engine` of it count.
        samples: inputs in the model's own units by name, to compare outputs on; random ones without.
        came: the file with encoded weights that `flatbuffer` was decoded from; then it is what the result must equal.
        progress: called with stage, done, total.

    Raises:
        CertificateError: the packed file computes something else; it is not given away.
        UsageError: the arena cannot be as small as `max_arena`.
        ModelError: the file cannot be edited, or the runtime cannot run it.
        NotAvailableError: weights are to be encoded, and there is no TFLM here to prove the result.
    """
    progress("shrinking", 0, 0)
    shrunk = shrink(flatbuffer, engine=spec.engine) if spec.shrink else flatbuffer
    packed = shrunk
    arenas: tuple[int | None, int | None] = (None, None)
    if spec.decode:
        progress("encoding weights", 0, 0)
        packed, arenas = _encoded(shrunk, spec)
    if came is None and packed.data == flatbuffer.data:
        return Packed(flatbuffer, None)
    before = came or flatbuffer
    encoded = Counter(tensor.encoding for tensor in packed.tensors if tensor.encoding)
    progress("comparing outputs", 0, 0)
    count, notes = _compared(before, packed, spec, samples)
    if spec.decode and not encoded:
        notes += (f"weights stay plain: nothing becomes smaller as {' or '.join(spec.decode)}",)
    origin = "random inputs" if samples is None else "calibration data"
    facts = Facts(len(before.data), len(shrunk.data), dict(encoded), *arenas, count, origin)
    return Packed(packed, facts, notes)


def _compared(
    before: FlatBuffer, after: FlatBuffer, spec: ConversionSpec, samples: Mapping[str, Array] | None
) -> tuple[int, tuple[str, ...]]:
    """On how many samples the outputs are equal, and what is to be told.

    Raises:
        ModelError: the runtime cannot run the file, so that nothing can be proven about a smaller one.
    """
    try:
        expected = _run(before, like=before, runtime=spec.engine, samples=samples)
    except NotAvailableError as error:
        if before.is_encoded or after.is_encoded:
            raise
        return 0, (f"the smaller file was not compared with the one before: {error}",)
    except (ModelError, ChildDiedError) as error:
        raise ModelError(
            f"a smaller file cannot be proven equal to this one, which does not run here ({error}); --no-shrink and "
            "--decode off leave it as it is"
        ) from error
    return _equal(expected, before, after, spec.engine, samples), ()


def prove_equal(
    before: FlatBuffer,
    after: FlatBuffer,
    *,
    runtime: choice.Runtime,
    samples: Mapping[str, Array] | None = None,
) -> int:
    """Runs both files on the same samples and compares every output byte; answers on how many samples.

    Raises:
        CertificateError: an output differs, or the runtime takes the first file only.
        CompressionError: the runtime cannot run the first file, or is not there.
    """
    return _equal(_run(before, like=before, runtime=runtime, samples=samples), before, after, runtime, samples)


def _equal(
    expected: Sequence[Array],
    before: FlatBuffer,
    after: FlatBuffer,
    runtime: choice.Runtime,
    samples: Mapping[str, Array] | None,
) -> int:
    """On how many samples `after` gives the very bytes that `before` gave.

    Raises:
        CertificateError: an output differs, or the runtime takes the first file only.
    """
    way_out = "this is a bug: report it with the model, and use --decode off or --no-shrink"
    try:
        found = _run(after, like=before, runtime=runtime, samples=samples)
    except CompressionError as error:
        raise CertificateError(
            f"{choice.describe(runtime)} runs the file before, but not the packed one ({error}); {way_out}"
        ) from error
    for port, one, other in zip(ports.outputs_of(before), expected, found, strict=True):
        if one.tobytes() != other.tobytes():
            wrong = int(np.sum(np.any((one != other).reshape(len(one), -1), axis=1)))
            raise CertificateError(
                f"output '{port.name}' of the packed file differs from that of the file before on {wrong} of "
                f"{len(one)} samples ({choice.describe(runtime)}); {way_out}"
            )
    return len(expected[0])


def _run(
    file: FlatBuffer, *, like: FlatBuffer, runtime: choice.Runtime, samples: Mapping[str, Array] | None
) -> list[Array]:
    """Outputs of a file, in its own types, on the samples that `like` is compared on, given or random."""
    count = max(1, min(SAMPLES, int(_MACS / max(like.macs, 1))))
    doors = ports.inputs_of(like)
    if samples is None:
        arrays = timing.random_inputs(doors, count, seed=0)
    else:
        given = ports.arrange(doors, _of_file(doors, samples))
        arrays = [port.to_file(array[:count]) for port, array in zip(doors, given, strict=True)]
    return choice.run(file.data, arrays, runtime=runtime, raw=True)


def _of_file(doors: Sequence[ports.Port], samples: Mapping[str, Array]) -> Any:
    """Samples by the names that the file's inputs have; calibration knows the model's."""
    names = [port.name for port in doors]
    return samples if set(names) == set(samples) else list(samples.values())


# --- encoding within a bound ------------------------------------------------------------------------------------


def _encoded(shrunk: FlatBuffer, spec: ConversionSpec) -> tuple[FlatBuffer, tuple[int | None, int | None]]:
    """The file with encoded weights, and its arena with and without them."""
    if not tflm.available():
        raise NotAvailableError(
            "weights are encoded for TFLM only where it can run, to prove the result, and there is no build of it for "
            "this platform; --decode off"
        )

    def made(leaving: Sequence[int]) -> FlatBuffer:
        encoded = encode(shrunk, encodings=spec.decode, leaving=leaving)
        smaller = shrink(encoded, engine=spec.engine) if spec.shrink else encoded
        return smaller if len(smaller.data) < len(shrunk.data) else shrunk

    best = made(())
    if best is shrunk:
        if spec.max_arena is not None:
            _check_bound(spec.max_arena, tflm_arena.total_bytes(shrunk.data))
        return shrunk, (None, None)
    plain, arena = tflm_arena.total_bytes(shrunk.data), tflm_arena.total_bytes(best.data)
    if spec.max_arena is None or arena <= spec.max_arena:
        return best, (arena, plain)
    _check_bound(spec.max_arena, plain)
    # The arena is as large as its fullest moment: operators are left plain from the fullest on, as few as will do.
    order = _by_fullness(shrunk)
    best, few, enough = shrunk, 0, len(order)
    while enough - few > 1:
        middle = (enough + few) // 2
        tried = made(order[:middle])
        size = tflm_arena.total_bytes(tried.data)
        if size <= spec.max_arena:
            best, arena, enough = tried, size, middle
        else:
            few = middle
    return best, (None, None) if best is shrunk else (arena, plain)


def _check_bound(bound: int, needed: int) -> None:
    if needed > bound:
        raise UsageError(
            f"--max-arena is {bound:,} bytes, and the file needs {needed:,} bytes even without encoded "
            "weights (on this 64-bit host); give more, or a smaller model"
        )


def _by_fullness(flatbuffer: FlatBuffer) -> list[int]:
    """Numbers of the operators that read constants, by the bytes alive if all were decoded when they run."""
    graph = flatbuffer.graphs[0]
    last = {index: operator.index for operator in graph.operators for index in operator.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.operators))
    first = {index: operator.index for operator in graph.operators for index in operator.outputs}
    first |= dict.fromkeys(graph.inputs, 0)
    decoding: Counter[int] = Counter()
    for constant in constants(flatbuffer):
        for reader in constant.readers:
            decoding[reader] += constant.candidate.values.nbytes
    fullness = {
        reader: size
        + sum(graph.tensors[one].bytes for one, start in first.items() if start <= reader <= last.get(one, start))
        for reader, size in decoding.items()
    }
    return sorted(fullness, key=lambda reader: (-fullness[reader], reader))
