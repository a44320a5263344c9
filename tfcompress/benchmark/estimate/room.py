"""A file for a target: packed so that it has room there, or refused with the bytes that are too many.

    made = placed(pack, spec, target("nucleo-l4r5zi"), decode="auto")
    require(made, if_too_large="refuse")

Encoded weights make the file smaller. In turn flash holds the code of DECODE, and the arena holds decoded weights. So
the form is chosen by what all of it takes on the device: of those that have room there, the one with the least flash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from converters.child import Progress, no_progress
from converters.conversion import Conversion
from converters.encode import decoded
from converters.errors import CertificateError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.shrink import shrink
from converters.spec import ConversionSpec, Decode
from tfcompress.benchmark.estimate import fit_rows
from tfcompress.benchmark.estimate.fit import Memory, Use, Verdict, memory_on, uses, verdict_of
from tfcompress.rows import Row
from tfcompress.targets import Target

if TYPE_CHECKING:
    from tfcompress.technique import Technique

IfTooLarge = Literal["refuse", "warn"]
Pack = Callable[[ConversionSpec], Conversion]

# Bounds of the arena that are tried until some weights stay plain and the rest has room.
_TRIES = 4


@dataclass(frozen=True)
class Room:
    """What a file takes on a target, and whether that is there."""

    target: Target
    memory: Memory
    verdict: Verdict

    @property
    def rows(self) -> list[Row]:
        """The verdict, flash and arena, and what the device has."""
        return [fit_rows.verdict_row(self.verdict, self.target), *fit_rows.memory_rows(self.memory, self.target)]

    @property
    def fails(self) -> bool:
        """Whether it is known not to fit; of what is not known nobody says so."""
        return self.verdict.fits in ("does not fit", "does not run")

    @property
    def flash_excess(self) -> int:
        """Bytes of flash that are too many; 0 where it fits, or nobody knows."""
        return self._uses[0].excess

    @property
    def arena_excess(self) -> int:
        """Bytes of the arena that are too many; 0 where it fits, or nobody knows."""
        return self._uses[1].excess

    @property
    def too_many(self) -> str:
        """The reasons why it does not fit, in words."""
        return "; ".join(str(use) for use in self._uses if use.excess)

    @property
    def _uses(self) -> tuple[Use, Use]:
        return uses(self.memory, self.target.device)


@dataclass(frozen=True)
class Placed(Conversion):
    """A conversion for a target.

    Attributes:
        room: what the file takes there; None where no target was named.
        plain_room: the same with plain weights; None where one encoding was asked for by name.
        ways: what could make a file fit that does not, in words.
    """

    room: Room | None = None
    plain_room: Room | None = None
    ways: str = ""


def room_on(flatbuffer: FlatBuffer, target: Target) -> Room:
    """What a file takes on a target whose runtime has all of its operators.

    Raises:
        ChildDiedError: TFLM crashed on the file, or ran out of time or memory.
    """
    memory = memory_on(flatbuffer, target)
    return Room(target, memory, verdict_of(memory, target, ()))


def placed(
    pack: Pack, spec: ConversionSpec, target: Target | None, *, decode: Decode | None, progress: Progress = no_progress
) -> Conversion:
    """The packed file, with its weights encoded or plain, whichever has room on the target.

    Args:
        pack: packs the file as a spec says.
        spec: what it should be.
        target: where it must have room; None for nowhere.
        decode: what the user asked for: for `off` or one encoding, the file is that, room or not.
        progress: called with stage, done, total.

    Returns:
        A `Placed` with notes on the choice, or what `pack` gives where there is no target.

    Raises:
        ChildDiedError: TFLM crashed on the file, or ran out of time or memory.
    """
    first = pack(spec)
    if target is None:
        return first
    progress(f"estimating memory on {target.name}", 0, 0)
    here = room_on(first.flatbuffer, target)
    if decode not in (None, "auto") or not first.flatbuffer.is_encoded:
        return _made(first, here, None if first.flatbuffer.is_encoded else here, decode)
    plain = room_on(_plain(first, spec), target)
    some = _with_fewer(pack, spec, first, here) if here.arena_excess else None
    candidates = [(plain, None), (here, first), *([some] if some else [])]
    able = [one for one in candidates if not one[0].fails]
    room, conversion = min(able, key=lambda one: _flash(one[0])) if able else (here, first)
    if conversion is None:
        progress("leaving weights plain", 0, 0)
        conversion = pack(replace(spec, decode=(), max_arena=None))
    return _made(conversion, room, plain, decode, note=_why(room, here, plain))


def require(conversion: Conversion, if_too_large: IfTooLarge, *, resumable: bool = False) -> Conversion:
    """The conversion with a note on what is not known of its room, or how much is missing if that is to be a warning.

    Args:
        conversion: of `placed`.
        if_too_large: what a file is to be that does not fit.
        resumable: whether training came before, whose work is kept.

    Raises:
        CertificateError: it does not fit; the message says by how much, and what could help.
    """
    check_choice(if_too_large)
    if not isinstance(conversion, Placed) or conversion.room is None:
        return conversion
    room = conversion.room
    if room.fails:
        words = f"the file does not fit on {room.target.name}: {room.too_many}"
        if if_too_large == "refuse":
            again = "--resume --if-too-large warn" if resumable else "--if-too-large warn"
            ways = f"{conversion.ways}, or choose another target"
            raise CertificateError(f"{words}; {ways}; {again} writes it all the same")
        return replace(conversion, notes=(*conversion.notes, words))
    if room.verdict.fits == "unknown":
        words = f"whether the file fits on {room.target.name} is not known: {'; '.join(room.verdict.reasons)}"
        missing = room.memory.missing.get("arena", "")
        if missing and missing not in words:
            words += f" ({missing})"
        return replace(conversion, notes=(*conversion.notes, words))
    if room.verdict.tight:
        words = f"the file fits on {room.target.name}, barely: {room.verdict.reasons[-1]}"
        return replace(conversion, notes=(*conversion.notes, words))
    return conversion


def check_choice(if_too_large: str) -> None:
    """Raises UsageError for a word that is none of `IfTooLarge`."""
    if if_too_large not in get_args(IfTooLarge):
        raise UsageError(f"if_too_large is {if_too_large!r}; expected one of {', '.join(get_args(IfTooLarge))}")


# --- before training --------------------------------------------------------------------------------------------


def check_before_training(
    conversion: Conversion, steps: Sequence[Technique], if_too_large: IfTooLarge, notes: list[str]
) -> None:
    """Refuses a model that no training can bring into the target's RAM.

    Args:
        conversion: of the model as it came.
        steps: what training will do; the arena stays what it is with plain weights, unless a step changes shapes.
        if_too_large: `warn` to go on all the same.
        notes: gets a line where the file of the model as it came has no room.

    Raises:
        CertificateError: the arena is too large for the RAM, and will be.
    """
    if not steps or not isinstance(conversion, Placed) or conversion.room is None or not conversion.room.fails:
        return
    room, plain = conversion.room, conversion.plain_room
    lost = _lost(plain, any(step.changes_shapes for step in steps)) if plain else ""
    if lost and if_too_large == "refuse":
        raise CertificateError(
            f"no file of this model fits on {room.target.name}: {lost}, or choose another target; "
            "--if-too-large warn trains all the same"
        )
    notes.append(f"as it came, the model's file does not fit on {room.target.name}: {room.too_many}")


def _lost(plain: Room, changes_shapes: bool) -> str:
    """What is too large however small weights become, and what to do; empty where nothing is."""
    code, flash = plain.memory.code, plain.target.device.flash_bytes
    if plain.arena_excess and not changes_shapes:
        return (
            f"{plain.too_many}; the arena holds activations, which no step of the recipe makes smaller: give a model "
            "with a smaller input or fewer channels"
        )
    if code is not None and flash is not None and code.total_bytes > flash:
        return (
            f"TFLM's code for its operators takes {code.total_bytes:,} bytes, and flash has {flash:,}; give a model "
            "of fewer kinds of operators"
        )
    return ""


def foreseen(weights: int, spec: ConversionSpec, target: Target | None) -> list[str]:
    """A note where a model's weights alone are more than a target's flash; none where they are not.

    Args:
        weights: how many there are.
        spec: of the file.
        target: the device.
    """
    flash = target.device.flash_bytes if target else None
    size = weights * {"float32": 4, "float16": 2}.get(spec.dtype, 1)
    if target is None or flash is None or size <= flash:
        return []
    return [
        f"the {weights:,} weights alone are {size:,} bytes as {spec.dtype}, and {target.name} has {flash:,} bytes of "
        f"flash for file and code: encoding must save {1 - flash / size:.0%} of them at least, else the file is refused"
    ]


# --- the choice of a form ---------------------------------------------------------------------------------------


def _flash(room: Room) -> int:
    return room.memory.flash_bytes or room.memory.model_bytes


def _plain(packed: Conversion, spec: ConversionSpec) -> FlatBuffer:
    """The file as it would be with plain weights."""
    before = decoded(packed.named)
    return shrink(before, engine=spec.engine) if spec.shrink else before


def _with_fewer(
    pack: Pack, spec: ConversionSpec, encoded: Conversion, room: Room
) -> tuple[Room, Conversion | None] | None:
    """The file with as many encoded weights as the RAM takes; None where that is none.

    Packing bounds the arena of this 64-bit host. The device's differs from it by the width of pointers and by scratch
    memory of its kernels, and so by about the same whatever is encoded: what is too much there is too much here.
    """
    facts = encoded.packing
    if facts is None or facts.arena_bytes is None or facts.plain_arena_bytes is None:
        return None
    bound = facts.arena_bytes
    for _ in range(_TRIES):
        bound -= room.arena_excess
        if not room.arena_excess or bound <= facts.plain_arena_bytes:
            return None
        made = pack(replace(spec, max_arena=bound))
        room = room_on(made.flatbuffer, room.target)
        if not room.fails:
            return room, made
    return None


def _made(conversion: Conversion, room: Room, plain: Room | None, decode: Decode | None, *, note: str = "") -> Placed:
    told = [*conversion.notes, *([note] if note else []), *(f"{room.target.name}: {one}" for one in room.memory.notes)]
    ways = _ways(conversion.flatbuffer, room, plain, decode) if room.fails else ""
    return Placed(**{**vars(conversion), "notes": tuple(told), "room": room, "plain_room": plain, "ways": ways})


def _why(chosen: Room, encoded: Room, plain: Room) -> str:
    """Why the file has the form that it has; empty where nothing is remarkable about it."""
    name = chosen.target.name
    if chosen is plain and encoded.fails:
        return f"weights stay plain: encoded, the file would not fit on {name}: {encoded.too_many}"
    if chosen is plain:
        return (
            f"weights stay plain: with DECODE's own code, encoded ones would take {_flash(encoded):,} bytes of flash "
            f"on {name}, plain ones take {_flash(plain):,}"
        )
    if chosen is not encoded:
        return f"only some weights are encoded: with all of them the file would not fit on {name}: {encoded.too_many}"
    if plain.fails and not encoded.fails:
        return f"weights are encoded: plain, the file would not fit on {name}: {plain.too_many}"
    return ""


def _ways(file: FlatBuffer, room: Room, plain: Room | None, decode: Decode | None) -> str:
    """What could make a file fit that does not."""
    runtime, ways = room.target.runtime, []
    if room.arena_excess and file.is_encoded and not (plain and plain.arena_excess):
        ways.append("--decode off makes the arena smaller")
    elif room.arena_excess:
        ways.append("a smaller input or fewer channels make the arena smaller")
    if room.flash_excess and not file.integer_only and "int8" in runtime.dtypes:
        ways.append("--dtype int8 makes the file smaller")
    elif room.flash_excess and runtime.decode and decode == "off":
        ways.append("--decode auto may make the file smaller")
    elif room.flash_excess and runtime.decode:
        ways.append("tfcompress compress --recipe tiny makes the file smaller")
    elif room.flash_excess:
        ways.append("a model with fewer weights makes the file smaller")
    return "; ".join(ways)
