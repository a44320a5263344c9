"""What users rely on: a packed file is given away only if it computes the same, and keeps to a bound of the arena."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from every_runtime import outputs, same
from packable_files import BOTH, LITERT, network
from small_tflite import build

from converters import packing
from converters.decode import encodings
from converters.encode import decoded, encode
from converters.errors import CertificateError, CompressionError, ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer, rows
from converters.packing import pack, prove_equal
from converters.runtimes import tflm, tflm_arena
from converters.shrink import shrink
from converters.spec import ConversionSpec

ALL = tuple(encodings())
needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")
FOR_LITERT = ConversionSpec()


def for_tflm(**changes: Any) -> ConversionSpec:
    return ConversionSpec(**{"engine": "tflm", "decode": ALL, "runtime": "tflm", **changes})


def with_another_weight(edit: Callable[..., FlatBuffer]) -> Callable[..., FlatBuffer]:
    """An edit that spoils some bytes of the largest constant."""

    def spoiling(*arguments: Any, **options: Any) -> FlatBuffer:
        made = edit(*arguments, **options)
        model = rows.read(made.data)
        largest = max(model["buffers"], key=lambda row: len(row["data"] or b""))
        content = bytearray(largest["data"])
        content[:64] = bytes(byte ^ 0x40 for byte in content[:64])
        largest["data"] = bytes(content)
        return FlatBuffer(rows.write(model), made.names)

    return spoiling


def one_line(error: pytest.ExceptionInfo[CompressionError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_for_litert_is_shrunk_and_proven_there() -> None:
    before = FlatBuffer(BOTH["network"]())
    packed = pack(before, FOR_LITERT)
    assert packed.flatbuffer.data == shrink(before, engine="litert").data
    assert packed.facts is not None and packed.notes == ()
    assert (packed.facts.bytes, packed.facts.shrunk_bytes) == (len(before.data), len(packed.flatbuffer.data))
    assert packed.facts.samples == packing.SAMPLES and not packed.facts.encoded
    assert packed.facts.arena_bytes is packed.facts.plain_arena_bytes is None


@needs_tflm
def test_a_file_for_tflm_is_encoded_and_its_arena_is_told() -> None:
    before = FlatBuffer(BOTH["network"]())
    packed = pack(before, for_tflm())
    facts = packed.facts
    assert facts is not None
    assert len(packed.flatbuffer.data) < facts.shrunk_bytes < facts.bytes == len(before.data)
    assert sum(facts.encoded.values()) > 0 and set(facts.encoded) <= set(ALL)
    assert facts.arena_bytes == tflm_arena.total_bytes(packed.flatbuffer.data)
    assert facts.plain_arena_bytes == tflm_arena.total_bytes(shrink(before, engine="tflm").data)
    assert same(*outputs([before.data, packed.flatbuffer.data], ["tflm"]))


@needs_tflm
def test_encoding_without_shrinking_keeps_names_and_metadata() -> None:
    before = FlatBuffer(BOTH["network"]())
    packed = pack(before, for_tflm(shrink=False))
    assert packed.flatbuffer.is_encoded and len(packed.flatbuffer.data) < len(before.data)
    assert packed.flatbuffer.metadata == before.metadata
    names = {tensor.name for tensor in FlatBuffer(packed.flatbuffer.data).tensors}
    assert names >= {tensor.name for tensor in before.tensors}


def test_nothing_asked_for_changes_nothing() -> None:
    before = FlatBuffer(BOTH["network"]())
    packed = pack(before, ConversionSpec(shrink=False))
    assert packed.flatbuffer is before and packed.facts is None


def test_packing_a_packed_file_changes_nothing() -> None:
    once = pack(FlatBuffer(BOTH["network"]()), FOR_LITERT).flatbuffer
    again = pack(once, FOR_LITERT)
    assert again.flatbuffer.data == once.data and again.facts is None


# --- the proof ------------------------------------------------------------------------------------------------------


def test_a_file_that_shrinking_broke_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "shrink", with_another_weight(shrink))
    with pytest.raises(CertificateError) as caught:
        pack(FlatBuffer(build(network(7))), FOR_LITERT)
    message = one_line(caught)
    assert "output 'scores'" in message and "LiteRT" in message and "--no-shrink" in message


@needs_tflm
def test_a_file_that_encoding_broke_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "encode", with_another_weight(packing.encode))
    with pytest.raises(CompressionError) as caught:
        pack(FlatBuffer(build(network(7))), for_tflm())
    assert one_line(caught)


def test_any_weight_of_any_layer_that_changed_is_found() -> None:
    before = FlatBuffer(build(network(8)))
    samples = {"image": np.random.default_rng(0).normal(0, 2, (8, 6, 6, 4)).astype(np.float32)}
    found = 0
    for name in ("conv/b", "depth/b", "dense/b"):
        model = rows.read(before.data)
        (tensor,) = (one for one in model["subgraphs"][0]["tensors"] if one["name"] == name)
        values = np.frombuffer(model["buffers"][tensor["buffer"]]["data"], np.int32) + 5000
        model["buffers"][tensor["buffer"]]["data"] = values.tobytes()
        after = FlatBuffer(rows.write(model))
        with pytest.raises(CertificateError, match="differs from that of the file before on"):
            prove_equal(before, after, runtime="litert", samples=samples)
        found += 1
    assert found == 3
    assert prove_equal(before, before, runtime="litert", samples=samples) == 8


def test_files_that_no_runtime_here_takes_are_refused_as_nothing_can_be_proven() -> None:
    tree = rows.read(BOTH["two doors"]())
    custom = rows.new("OperatorCode", builtin_code=32, deprecated_builtin_code=32, custom_code="OnlyMine")
    tree["operator_codes"] = [custom]
    tree["subgraphs"][0]["operators"][0]["builtin_options"] = None
    tree["subgraphs"][0]["operators"][0]["builtin_options_type"] = 0
    for data in (rows.write(tree), LITERT["strings"]()):
        with pytest.raises(ModelError, match="cannot be proven equal.*--no-shrink") as caught:
            pack(FlatBuffer(data), FOR_LITERT)
        assert one_line(caught)


@pytest.mark.parametrize("name", ["two doors", "branches", "loop", "float16", "resizable"])
def test_files_with_several_doors_graphs_and_types_are_proven_too(name: str) -> None:
    before = FlatBuffer((BOTH | LITERT)[name]())
    packed = pack(before, FOR_LITERT)
    assert packed.facts is not None
    assert len(packed.flatbuffer.data) < len(before.data)
    assert packed.facts.samples > 0 and not packed.notes


def test_without_tflm_nothing_is_encoded_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing.tflm, "available", lambda: False)
    with pytest.raises(NotAvailableError, match="--decode off") as caught:
        pack(FlatBuffer(BOTH["network"]()), for_tflm())
    assert one_line(caught)


# --- the arena ------------------------------------------------------------------------------------------------------


@needs_tflm
def test_the_arena_stays_within_its_bound() -> None:
    before = FlatBuffer(build(network(width=32)))
    unbound = pack(before, for_tflm())
    free = unbound.facts
    assert free is not None and free.arena_bytes and free.plain_arena_bytes
    assert free.arena_bytes > free.plain_arena_bytes
    sizes = [len(unbound.flatbuffer.data)]
    for bound in ((free.arena_bytes + free.plain_arena_bytes) // 2, free.plain_arena_bytes):
        packed = pack(before, for_tflm(max_arena=bound))
        assert tflm_arena.total_bytes(packed.flatbuffer.data) <= bound
        sizes.append(len(packed.flatbuffer.data))
    assert sizes == sorted(sizes)  # the less may be taken, the larger is the file
    assert pack(before, for_tflm(max_arena=free.arena_bytes)).flatbuffer.data == unbound.flatbuffer.data


@needs_tflm
@pytest.mark.parametrize("bound", [1, 1000])
def test_a_bound_that_cannot_be_kept_is_said_in_one_line(bound: int) -> None:
    with pytest.raises(UsageError, match=f"--max-arena is {bound:,} bytes, and the file needs") as caught:
        pack(FlatBuffer(BOTH["network"]()), for_tflm(max_arena=bound))
    assert one_line(caught)


@needs_tflm
def test_what_was_encoded_can_be_encoded_otherwise() -> None:
    before = FlatBuffer(BOTH["network"]())
    packed = pack(before, for_tflm()).flatbuffer
    again = pack(decoded(packed), for_tflm(decode=("lut",))).flatbuffer
    once = encode(shrink(before, engine="tflm"), encodings=("lut",))
    assert again.data == shrink(once, engine="tflm").data
