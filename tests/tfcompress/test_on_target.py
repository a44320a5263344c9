"""What users of `benchmark --target` rely on: what a file takes on a device that is not here, and what nobody knows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from packable_files import network
from small_tflite import G, Op, T, build, small_file

from benchmarks.cost_model.measurements import HERE
from converters.encode import encode
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress.benchmark.estimate.cost_model.predict import Anchor
from tfcompress.benchmark.estimate.cost_model.work import work_of
from tfcompress.benchmark.estimate.energy import energy
from tfcompress.benchmark.estimate.on_target import OnTarget, on_targets
from tfcompress.benchmark.estimate.on_target_rows import rows
from tfcompress.targets import device, target

pytestmark = pytest.mark.skipif(not tflm.available(), reason="no TFLM for this platform")

BOARD = """name = "{name}"
title = "Toy"
kind = "board"
soc = "CHIP-1"
core = "{core}"
runtime = "{runtime}"
[clock]
hz = {clock}
source = "its data sheet"
"""
NET = build(network(width=8))


def board(folder: Path, *, name: str = "toy", clock: int = 64_000_000, core: str = "cortex-m4", **sections: str) -> str:
    """The path of a device's file, with these sections: `flash="bytes = 1000"`."""
    runtime = sections.pop("runtime", "tflm-cmsis-nn")
    text = BOARD.format(name=name, clock=clock, core=core, runtime=runtime)
    text += "".join(f'[{key}]\n{value}\nsource = "its data sheet"\n' for key, value in sections.items())
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def on(data: bytes, name: str, *anchors: Anchor) -> OnTarget:
    (found,) = on_targets(FlatBuffer(data), [target(name)], anchors=anchors)
    return found


# --- does it fit ------------------------------------------------------------------------------------------------


def test_a_file_fits_to_the_byte_and_one_byte_less_is_named(tmp_path: Path) -> None:
    plenty = on(NET, board(tmp_path, flash="bytes = 10_000_000", ram="bytes = 10_000_000"))
    assert plenty.verdict.fits == "fits" and plenty.memory.arena is not None
    flash, arena = plenty.memory.flash_bytes, plenty.memory.arena.total_bytes
    assert flash is not None and flash > len(NET)
    assert on(NET, board(tmp_path, flash=f"bytes = {flash}", ram=f"bytes = {max(arena, 1024)}")).verdict.fits == "fits"
    tight = on(NET, board(tmp_path, flash=f"bytes = {flash - 1}", ram="bytes = 10_000_000"))
    assert tight.verdict.fits == "does not fit"
    assert f"flash: 1 bytes too many ({flash:,} of {flash - 1:,})" in str(tight.verdict)


def test_what_an_arena_lacks_is_told_in_bytes_beside_the_flash_that_is_enough(tmp_path: Path) -> None:
    data = build(network(width=64))
    found = on(data, board(tmp_path, flash="bytes = 10_000_000", ram="bytes = 2048"))
    assert found.memory.arena is not None
    missing = found.memory.arena.total_bytes - 2048
    assert missing > 0 and found.verdict.fits == "does not fit"
    assert f"RAM: {missing:,} bytes too many" in str(found.verdict) and "flash: " in str(found.verdict)


def test_a_ram_that_the_arena_nearly_fills_is_told_with_what_comes_on_top(tmp_path: Path) -> None:
    data = build(network(width=64))
    arena = on(data, "nucleo-l4r5zi").memory.arena
    assert arena is not None
    on_top = ", and the stack and the application's own variables come on top"
    for ram, tight in (
        (arena.total_bytes, True),
        (arena.total_bytes * 10 // 9, True),
        (arena.total_bytes * 5 // 4, False),
    ):
        verdict = on(data, board(tmp_path, flash="bytes = 10_000_000", ram=f"bytes = {ram}")).verdict
        assert (verdict.fits, verdict.tight) == ("fits", tight)
        assert verdict.reasons[-1] == f"RAM: {arena.total_bytes:,} of {ram:,} bytes" + (on_top if tight else "")


def test_flash_of_kernels_that_were_never_linked_is_an_estimate_with_what_stood_in(tmp_path: Path) -> None:
    linked, other = on(NET, "xg24-dk2601b:tflm-cmsis-nn"), on(NET, "xg24-dk2601b")
    assert other.target.runtime.family == "mvp"
    for found, how in ((linked, "measured"), (other, "estimated")):
        assert found.memory.code is not None and found.memory.code.how == how
        assert {row.how for row in rows(found) if row.name in ("flash_runtime", "flash_operators")} == {how}
    assert "the kernels of mvp were not measured: those of reference stand in" in other.notes
    text = 'name = "mine"\nbased_on = "tflm"\nfamily = "my-nn"\nsource = "its manual"\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    own = on(NET, board(tmp_path, runtime="./mine.toml"))
    assert own.memory.code is not None and own.memory.code.how == "estimated"


def test_one_note_says_that_flash_is_built_for_size_and_latency_for_speed() -> None:
    for name in ("nucleo-l4r5zi", "nucleo-l4r5zi:tflm"):
        (note,) = (one for one in on(NET, name).notes if "-Os" in one)
        more = re.search(r"latency for kernels built for speed \(-O2\): .* take ([\d,]+) bytes more", note)
        assert more and 1000 < int(more[1].replace(",", "")) < 50_000


def test_the_largest_piece_of_the_ram_counts_and_not_all_of_it(tmp_path: Path) -> None:
    data = build(network(width=64))
    sizes = "bytes = 4_000_000\ncontiguous_bytes = 2048"
    assert on(data, board(tmp_path, flash="bytes = 10_000_000", ram=sizes)).verdict.fits == "does not fit"


def test_a_device_of_unknown_ram_gives_no_verdict_but_all_else(tmp_path: Path) -> None:
    found = on(NET, board(tmp_path, flash="bytes = 10_000_000"))
    assert found.verdict.fits == "unknown" and "how much there is is not known" in str(found.verdict)
    assert found.latency is not None and found.memory.arena is not None


def test_a_file_that_is_too_large_is_so_even_where_its_ram_is_unknown(tmp_path: Path) -> None:
    found = on(NET, board(tmp_path, flash="bytes = 4096"))
    assert found.verdict.fits == "does not fit" and "flash" in str(found.verdict)


def test_an_operator_without_a_kernel_does_not_run_and_is_named() -> None:
    scales = {"scales": (0.05,), "zero_points": (0,)}
    odd = build(G([T("x", (1, 4), **scales), T("y", (1, 4), **scales)], [Op("COS", ["x"], ["y"])], ["x"], ["y"]))
    found = on(odd, "nucleo-l4r5zi")
    assert found.verdict.fits == "does not run" and "COS" in str(found.verdict)
    assert found.memory.arena is None and found.missing["arena"]


def test_one_answer_for_many_targets_is_that_for_each() -> None:
    names = ["nucleo-l4r5zi", "nucleo-l4r5zi:tflm", "esp32-s3-devkitc-1", "esp32-c3-devkitm-1", "ek-ra8m1"]
    together = on_targets(FlatBuffer(NET), [target(name) for name in names])
    assert together == [on(NET, name) for name in names]
    arenas = {one.target.name: one.memory.arena.total_bytes for one in together if one.memory.arena}
    assert set(arenas) == set(names) and len(set(arenas.values())) > 1


def test_anchors_of_one_board_say_nothing_of_several() -> None:
    anchor = Anchor(work_of(FlatBuffer(NET)), 1.0, "mine")
    with pytest.raises(UsageError, match="2 targets came"):
        on_targets(FlatBuffer(NET), [target("nucleo-l4r5zi"), target("teensy-4-1")], anchors=[anchor])


# --- how long ---------------------------------------------------------------------------------------------------


def test_a_board_of_ones_own_takes_as_long_as_a_packaged_one_with_the_same_core(tmp_path: Path) -> None:
    own = on(NET, board(tmp_path, clock=80_000_000, memory='weights_in = "internal-flash"'))
    packaged = on(NET, "nucleo-l496zg")
    assert own.latency is not None and packaged.latency is not None
    assert packaged.target.device.clock_hz == 80_000_000
    assert own.latency.latency_ms == pytest.approx(packaged.latency.latency_ms)
    assert own.energy is None and own.missing["energy"] == "no power with its supply voltage is published"


def test_half_the_clock_takes_twice_the_time_and_the_same_energy(tmp_path: Path) -> None:
    power = "current_ma = 10.0\nvolts = 3.0\nat_hz = 100_000_000"
    fast = on(NET, board(tmp_path, clock=100_000_000, power=power))
    slow = on(NET, board(tmp_path, clock=50_000_000, power=power))
    assert fast.latency is not None and slow.latency is not None and fast.energy is not None and slow.energy is not None
    assert slow.latency.latency_ms == pytest.approx(2 * fast.latency.latency_ms)
    assert fast.energy.microjoules == pytest.approx(30 * fast.latency.latency_ms)  # mW x ms
    assert slow.energy.microjoules == pytest.approx(fast.energy.microjoules)
    assert "in proportion" in slow.energy.source and "in proportion" not in fast.energy.source


@pytest.mark.parametrize("dtype", ["float32"])
def test_of_a_file_of_another_type_the_latency_is_not_known_and_the_memory_is(dtype: str) -> None:
    found = on(small_file(dtype), "nucleo-l4r5zi")
    assert found.latency is None and found.missing["latency"].endswith(f"this one is {dtype}")
    assert found.missing["energy"] == "no latency" and not found.engines
    assert found.memory.flash_bytes and found.memory.arena


@pytest.mark.parametrize("encoding", ["lut", "prune", "huffman"])
def test_an_encoded_file_pays_for_decoding_by_its_encoding(encoding: str) -> None:
    plain = FlatBuffer(build(network(width=64)))
    made = encode(plain, encodings=(encoding,))
    assert made.is_encoded
    before, after = (on(one.data, "nucleo-l4r5zi").latency for one in (plain, made))
    assert before is not None and after is not None and not after.notes
    decodes = [cost for cost in after.operators if cost.work.name == f"TFLM_DECODE/{encoding}"]
    assert decodes and all(cost.share > 0 for cost in decodes)
    assert len(decodes) == len(after.operators) - len(before.operators)
    assert after.latency_ms > before.latency_ms


def test_huffman_costs_more_than_a_table_for_the_same_weights() -> None:
    plain = FlatBuffer(build(network(width=64)))
    times = [on(encode(plain, encodings=(one,)).data, "nucleo-l4r5zi").latency for one in ("lut", "huffman")]
    shares = [
        sum(cost.milliseconds for cost in one.operators if cost.work.name.startswith("TFLM_DECODE")) / count
        for one, count in ((times[0], 1), (times[1], 1))
        if one is not None
    ]
    assert shares[1] > shares[0]


def test_the_vendors_engine_is_an_answer_only_where_a_runtime_of_ones_own_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "my-engine"\nbased_on = "tflm"\nfamily = "st-edge-ai"\nsource = "its manual, 3.1"\n', encoding="utf-8"
    )
    own = on(NET, board(tmp_path, runtime="./mine.toml", flash="bytes = 10_000_000", ram="bytes = 1_000_000"))
    usual = on(NET, board(tmp_path, name="other"))
    assert own.latency is not None and usual.latency is not None
    assert own.latency.latency_ms < usual.latency.latency_ms
    assert "st-edge-ai" in own.latency.basis and "st-edge-ai" not in dict(own.engines)
    assert "st-edge-ai" in dict(usual.engines)


# --- energy -----------------------------------------------------------------------------------------------------


def test_energy_of_published_latencies_is_of_the_order_of_the_published_energy() -> None:
    """A data sheet's current is the chip's alone and a typical one: within a factor of 3, never 10."""
    with (HERE / "published.csv").open(encoding="utf-8", newline="") as stream:
        published = [row for row in csv.DictReader(stream) if row["energy_uj"]]
    boards = set()
    for row in published:
        if row["board"] == "gap9-evk" or device(row["board"]).power is None:
            continue
        found = energy(device(row["board"]), float(row["latency_ms"]))
        assert found is not None
        boards.add(row["board"])
        assert 1 / 3 < found.microjoules / float(row["energy_uj"]) < 3, (row["system"], row["model"])
    assert len(boards) >= 3


def test_without_a_published_current_there_is_no_energy() -> None:
    assert energy(device("teensy-4-1"), 10.0) is None
    found = energy(device("nucleo-l4r5zi"), 10.0)
    assert found is not None and found.microjoules == pytest.approx(0.11 * 120 * 3.0 * 10.0)
    assert found.milliwatts == pytest.approx(39.6) and "ST DS12023" in found.source
    assert found.source.startswith("0.11 mA/MHz, 3 V (") and found.source.endswith(
        "taken to 120 MHz in proportion; of the chip alone, a lower bound for a board"
    )


def test_a_current_that_is_published_at_one_clock_is_taken_from_there() -> None:
    found = energy(device("xg24-dk2601b"), 1.0)
    assert found is not None and found.milliwatts == pytest.approx(0.0334 * 78 * 3)
    assert found.source.startswith("1.3026 mA at 39 MHz, 3 V (") and "taken to 78 MHz in proportion" in found.source
