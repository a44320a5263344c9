"""What users rely on: a file for a device is made as its runtime takes it, has room there, or is refused with bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packable_files import FULL, network, skewed
from small_tflite import G, Op, T, build
from small_training import small_model, some_task

import tfcompress
from converters.errors import CertificateError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress.benchmark.estimate.fit import memory_on
from tfcompress.benchmark.estimate.room import Placed, room_on
from tfcompress.recipe import Recipe, from_toml, load
from tfcompress.targets import target

BOARD = """name = "toy"
title = "Toy"
kind = "board"
soc = "CHIP-1"
core = "cortex-m4"
runtime = "tflm"
also = ["tflm-cmsis-nn"]
[clock]
hz = 64_000_000
source = "its data sheet"
"""
MUCH = 10_000_000
needs_tflm = pytest.mark.skipif(not tflm.available(), reason="no TFLM for this platform")


def board(folder: Path, *, flash: int = MUCH, ram: int | None = MUCH, name: str = "toy.toml") -> str:
    """The path of a device's file, with that many bytes; without [ram] for None."""
    sizes = {"flash": flash, "ram": ram}
    parts = [f'[{what}]\nbytes = {size}\nsource = "its data sheet"\n' for what, size in sizes.items() if size]
    path = folder / name
    path.write_text(BOARD + "".join(parts), encoding="utf-8")
    return str(path)


def needed(data: bytes, folder: Path, **options: Any) -> tuple[int, int]:
    """Flash and arena of a packed file on a toy board without bounds."""
    made = tfcompress.convert(FlatBuffer(data), runtime="tflm", **options).flatbuffer
    memory = memory_on(made, target(board(folder)))
    assert memory.flash_bytes is not None and memory.arena is not None
    return memory.flash_bytes, memory.arena.total_bytes


def dense_chain() -> bytes:
    """64 -> 400 -> 100, with few values: both kernels are worth encoding, the second needs the larger arena."""
    scales = {"scales": (0.05,), "zero_points": (1,)}
    tensors, operators = [T("x", (1, 64), **scales)], []
    for number, (units, inputs) in enumerate(((400, 64), (100, 400))):
        weights = skewed((units, inputs), number)
        tensors.append(T(f"w{number}", (units, inputs), values=weights, scales=(0.02,)))
        tensors.append(T(f"b{number}", (units,), "int32", values=np.arange(units), scales=(0.001,)))
        tensors.append(T(f"y{number}", (1, units), **scales))
        came = "x" if number == 0 else f"y{number - 1}"
        operators.append(Op("FULLY_CONNECTED", [came, f"w{number}", f"b{number}"], [f"y{number}"], FULL))
    return build(G(tensors, operators, ["x"], ["y1"]))


WIDE, NARROW, CHAIN = build(network(width=64)), build(network(width=24)), dense_chain()


def placed(data: bytes, where: str, **options: Any) -> Placed:
    made = tfcompress.convert(FlatBuffer(data), target=where, **options)
    assert isinstance(made, Placed) and made.room is not None
    return made


# --- room -------------------------------------------------------------------------------------------------------


@needs_tflm
def test_a_file_fits_on_a_large_board_and_the_rows_say_what_it_takes_of_what_is_there() -> None:
    made = placed(WIDE, "nucleo-l4r5zi")
    rows = {row.name: row for row in made.room.rows} if made.room else {}
    assert rows["verdict"].value.startswith("fits: flash: ")  # type: ignore[union-attr]
    assert rows["flash"].value == sum(rows[f"flash_{part}"].value for part in ("model", "runtime", "operators"))  # type: ignore[misc]
    assert rows["flash_model"].value == len(made.flatbuffer.data)
    assert (rows["flash_there"].value, rows["ram_there"].value) == (2_097_152, 655_360)
    assert 0 < rows["arena_on_device"].value < 655_360  # type: ignore[operator]
    assert all(row.source and row.target == "nucleo-l4r5zi" for row in rows.values())
    assert {rows["flash_there"].how, rows["arena_on_device"].how} == {"published", "estimated"}


@needs_tflm
def test_a_device_has_room_for_exactly_what_the_file_takes(tmp_path: Path) -> None:
    flash, arena = needed(WIDE, tmp_path)
    made = placed(WIDE, board(tmp_path, flash=flash, ram=arena))
    assert made.flatbuffer.is_encoded
    assert any("fits on toy, barely: RAM: " in note and "the stack" in note for note in made.notes)
    with pytest.raises(CertificateError, match=rf"on toy: flash: 1 bytes too many \({flash:,} of {flash - 1:,}\)"):
        placed(WIDE, board(tmp_path, flash=flash - 1, ram=arena), decode="huffman")
    with pytest.raises(CertificateError, match=rf"RAM: 1 bytes too many \({arena:,} of .* --decode off makes"):
        placed(WIDE, board(tmp_path, flash=flash, ram=arena - 1), decode="huffman")


@needs_tflm
def test_a_file_that_does_not_fit_is_written_with_a_note_if_that_is_asked_for(tmp_path: Path) -> None:
    where = board(tmp_path, flash=50_000, ram=1_000)
    made = placed(WIDE, where, if_too_large="warn")
    assert any(re.search(r"does not fit on toy: flash: .* too many .*; RAM: .* too many", one) for one in made.notes)
    with pytest.raises(UsageError, match="expected one of refuse, warn"):
        placed(WIDE, where, if_too_large="ask")


def test_what_is_not_known_is_a_note_and_no_error(tmp_path: Path) -> None:
    made = placed(WIDE, "pixel-8")
    assert any("whether the file fits on pixel-8 is not known: litert is not TFLM" in note for note in made.notes)
    if tflm.available():
        made = placed(WIDE, board(tmp_path, ram=None))
        assert any("RAM: " in note and "how much there is is not known" in note for note in made.notes)


def test_without_tflm_here_flash_is_compared_and_a_note_says_that_the_arena_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*arguments: Any, **options: Any) -> Any:
        raise NotAvailableError("TFLM is not available on this platform")

    monkeypatch.setattr(tflm, "call", missing)
    unseen = build(network(width=60))  # TFLM's account of a file is kept for the next target
    made = placed(unseen, board(tmp_path), decode="off")
    assert made.room and made.room.memory.arena is None and made.room.memory.flash_bytes
    assert any("RAM: what it takes is not known (TFLM is not available" in note for note in made.notes)
    with pytest.raises(CertificateError, match="flash: .* too many"):
        placed(unseen, board(tmp_path, flash=50_000), decode="off")


# --- the form of the weights ------------------------------------------------------------------------------------


@needs_tflm
def test_weights_stay_plain_where_the_code_that_decodes_them_takes_more_than_they_save(tmp_path: Path) -> None:
    made = placed(NARROW, board(tmp_path))
    encoded, plain = needed(NARROW, tmp_path)[0], needed(NARROW, tmp_path, decode="off")[0]
    assert encoded > plain and not made.flatbuffer.is_encoded
    assert any(f"{encoded:,} bytes of flash on toy, plain ones take {plain:,}" in note for note in made.notes)
    assert placed(NARROW, board(tmp_path), decode="huffman").flatbuffer.is_encoded


@needs_tflm
def test_weights_stay_plain_where_decoded_ones_have_no_room_in_the_ram(tmp_path: Path) -> None:
    made = placed(WIDE, board(tmp_path, ram=needed(WIDE, tmp_path)[1] - 1))
    assert not made.flatbuffer.is_encoded
    assert any("stay plain: encoded, the file would not fit on toy: RAM: 1 bytes too many" in one for one in made.notes)


@needs_tflm
def test_weights_are_encoded_where_plain_ones_have_no_room_in_the_flash(tmp_path: Path) -> None:
    plain = needed(WIDE, tmp_path, decode="off")[0]
    where = board(tmp_path, flash=plain - 1)
    made = placed(WIDE, where)
    assert made.flatbuffer.is_encoded
    assert any("are encoded: plain, the file would not fit on toy: flash: 1 bytes too" in note for note in made.notes)
    with pytest.raises(CertificateError, match="flash: 1 bytes too many .* --decode auto may make the file smaller"):
        placed(WIDE, where, decode="off")


@needs_tflm
def test_as_many_weights_are_encoded_as_the_ram_takes(tmp_path: Path) -> None:
    flash, arena = needed(CHAIN, tmp_path)
    plain = needed(CHAIN, tmp_path, decode="off")[0]
    where = board(tmp_path, flash=plain - 1, ram=arena - 1)
    made = placed(CHAIN, where)
    assert made.room and made.room.memory.arena and made.room.memory.flash_bytes
    assert flash < made.room.memory.flash_bytes < plain and made.room.memory.arena.total_bytes < arena
    assert any("only some weights are encoded: with all of them the file would not fit" in one for one in made.notes)
    assert room_on(made.flatbuffer, target(where)).verdict.fits == "fits"


# --- which runtime ----------------------------------------------------------------------------------------------


def test_a_file_is_made_as_the_targets_runtime_takes_it() -> None:
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    made = tfcompress.convert(small_model(), x, target="xg24-dk2601b").flatbuffer
    weights = [made.tensors[operator.inputs[1]] for operator in made.operators if operator.name == "FULLY_CONNECTED"]
    assert [len(tensor.scales) for tensor in weights] == [1, 1] and not made.is_encoded


@needs_tflm
def test_a_device_is_named_with_another_of_its_runtimes(tmp_path: Path) -> None:
    for where, runtime in (("nucleo-l4r5zi", "tflm-cmsis-nn"), ("nucleo-l4r5zi:tflm", "tflm")):
        room = placed(WIDE, where).room
        assert room and (room.target.name, room.target.runtime.name) == (where, runtime)
    own = placed(WIDE, f"{board(tmp_path)}:tflm-cmsis-nn").room
    assert own and own.target.name == "toy:tflm-cmsis-nn"


def test_a_runtime_beside_a_target_and_an_unknown_target_are_refused() -> None:
    with pytest.raises(UsageError, match="runtime tflm and target pixel-8 both came"):
        tfcompress.convert(FlatBuffer(WIDE), runtime="tflm", target="pixel-8")
    with pytest.raises(UsageError, match="unknown device 'pixel-88'"):
        tfcompress.convert(FlatBuffer(WIDE), target="pixel-88")


# --- recipes ----------------------------------------------------------------------------------------------------


def test_a_recipe_names_a_target_in_place_of_a_runtime_and_keeps_it_as_toml() -> None:
    recipe = from_toml('target = "xg24-dk2601b"')
    assert (recipe.target, recipe.runtime) == ("xg24-dk2601b", None)
    assert from_toml(recipe.to_toml()) == recipe and "runtime" not in recipe.to_toml()
    assert Recipe(**recipe.model_dump()) == recipe
    assert (recipe.spec().dense, recipe.spec().decode) == ("per-tensor", ())
    assert (Recipe().runtime, Recipe().target) == ("litert", None)


def test_a_recipe_with_both_or_for_what_the_target_does_not_run_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="runtime = 'tflm' and target = 'pixel-8'.*leave one of them out"):
        from_toml('target = "pixel-8"\nruntime = "tflm"')
    with pytest.raises(UsageError, match="unknown device 'nowhere'"):
        tfcompress.compress(small_model(), Recipe(target="nowhere"), some_task())
    with pytest.raises(UsageError, match="tflm-mvp runs no int16x8 files"):
        Recipe(target="xg24-dk2601b", conversion={"dtype": "int16x8"}).spec()


def test_what_is_given_beside_a_recipe_wins_over_its_runtime_and_its_target() -> None:
    tiny = load("tiny")
    assert tiny.runs_on(runtime=None, target=None) is tiny
    aimed = tiny.runs_on(runtime=None, target="pixel-8")
    assert (aimed.target, aimed.runtime) == ("pixel-8", None)
    back = aimed.runs_on(runtime="tflm", target=None)
    assert back == tiny and from_toml(back.to_toml()) == tiny


# --- compress ---------------------------------------------------------------------------------------------------

STEP = {"technique": "prune", "sparsity": 0.5, "epochs": 1, "minimum_weights": 8}


@needs_tflm
def test_a_compressed_file_without_room_is_kept_back_until_a_warning_will_do_and_its_report_tells(
    tmp_path: Path,
) -> None:
    task, model = some_task(), small_model()
    # Code alone has room, with the file there are some bytes too many.
    large = tfcompress.convert(model, np.asarray(task.x_train), target=board(tmp_path))
    assert isinstance(large, Placed) and large.room and large.room.memory.code
    code = large.room.memory.code.total_bytes
    recipe, out = Recipe(target=board(tmp_path, flash=code), steps=[STEP]), tmp_path / "out"
    with pytest.raises(CertificateError, match=r"flash: .* bytes too many .* --resume --if-too-large warn writes it"):
        tfcompress.compress(model, recipe, task, output=out)
    assert not out.exists()
    outcome = tfcompress.compress(model, recipe, task, output=out, resume=True, if_too_large="warn")
    excess = outcome.value("flash") - outcome.value("flash_there")
    assert excess > 0 and outcome.value("flash_model") == outcome.value("file_bytes")
    assert outcome.value("verdict").startswith(f"does not fit: flash: {excess:,} bytes too many")
    assert any(f"does not fit on toy: flash: {excess:,} bytes" in note for note in outcome.conversion.notes)
    assert any("as it came, the model's file does not fit on toy" in note for note in outcome.notes)
    assert load(out / "recipe.toml") == recipe
    told = json.loads((out / "report.json").read_text())
    assert told["recipe"]["target"] == recipe.target and told["recipe"]["runtime"] is None
    assert {row["name"] for row in told["rows"]} >= {"verdict", "flash", "arena_on_device", "flash_there", "ram_there"}
    assert "| on the target |  | does not fit |" in (out / "report.md").read_text()


@needs_tflm
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"ram": 1_500}, r"on toy: RAM: .* too many .*the arena holds activations, which no step"),
        ({"flash": 30_000}, r"on toy: TFLM's code for its operators takes [\d,]+ bytes, and flash has 30,000"),
    ],
)
def test_what_no_training_can_bring_into_a_device_is_refused_before_training(
    tmp_path: Path, sizes: dict[str, int], message: str
) -> None:
    epochs: list[int] = []

    class Count(__import__("tf_keras").callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            epochs.append(epoch)

    recipe, task = Recipe(target=board(tmp_path, **sizes), steps=[STEP]), some_task(callbacks=(Count(),))
    with pytest.raises(CertificateError, match=f"no file of this model fits {message}"):
        tfcompress.compress(small_model(hidden=1_500), recipe, task, output=tmp_path / "out")
    assert not epochs and not list(tmp_path.glob("out*"))


def test_a_plan_says_where_the_weights_alone_are_more_than_the_flash(tmp_path: Path) -> None:
    model, weights = small_model(hidden=400), 400 * 7 + 3 * 401
    for flash, told in ((weights // 2, True), (weights, False)):
        recipe = Recipe(target=board(tmp_path, flash=flash), steps=[STEP])
        notes = " ".join(tfcompress.plan(model, recipe, some_task()).notes)
        assert (f"weights alone are {weights:,} bytes as int8, and toy has {flash:,} bytes of" in notes) == told
        assert ("must save 50% of them" in notes) == told


# --- the commands -----------------------------------------------------------------------------------------------


def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tfcompress", command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


@needs_tflm
def test_the_command_writes_what_fits_and_nothing_else(tmp_path: Path) -> None:
    came, out = tmp_path / "came.tflite", tmp_path / "out.tflite"
    came.write_bytes(WIDE)
    small = board(tmp_path, flash=50_000, name="small.toml")
    refused = run("convert", came, "-o", out, "--target", small)
    assert (refused.returncode, refused.stdout) == (1, "") and not out.exists()
    assert re.fullmatch(r"error: the file does not fit on toy: flash: [\d,]+ bytes too many .*\n", refused.stderr)
    warned = run("convert", came, "-o", out, "--target", small, "--if-too-large", "warn")
    assert warned.returncode == 0 and out.exists() and "note  the file does not fit on toy" in warned.stdout
    told = run("convert", came, "-o", out, "--force", "--target", board(tmp_path), "--json")
    found = json.loads(told.stdout)["target"]
    assert (found["name"], found["runtime"], found["fits"], len(found["reasons"])) == ("toy", "tflm", "fits", 2)
    assert {row["name"] for row in found["rows"]} >= {"flash", "flash_there", "arena_on_device", "ram_there"}
    shown = run("convert", came, "-o", out, "--force", "--target", board(tmp_path)).stdout
    assert "target  toy (tflm): fits" in shown and "(published: its data sheet)" in shown


@pytest.mark.parametrize("command", ["convert", "compress"])
def test_options_that_do_not_go_together_are_wrong_usage(command: str, tmp_path: Path) -> None:
    words = {"convert": [], "compress": ["--recipe", "int8", "--data", "nowhere.npz"]}[command]
    both = run(command, "m.keras", "-o", tmp_path / "out", *words, "--runtime", "tflm", "--target", "pixel-8")
    assert both.returncode == 2 and "--runtime and --target were both given" in both.stderr
    alone = run(command, "m.keras", "-o", tmp_path / "out", *words, "--if-too-large", "warn")
    assert alone.returncode == 2 and "does not fit on a --target; name one" in alone.stderr
