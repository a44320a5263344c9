"""How a finished compression is shown: `report.json` for programs, `report.md` and the terminal for people.

The keys of the JSON:

    folder, rows[], layers[], history[], recipe, notes[], versions, hashes

`rows` are those of every report; `layers` one per kernel: `layer, kernel, weights, zeros, distinct, promised[], macs,
weight_bytes, error, shares_values`; `history` one per step: `technique, fields, seconds, epochs[], skipped[], notes[]`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from converters.errors import printable
from tfcompress.environment import versions
from tfcompress.outcome import LayerReport, Outcome, Plan
from tfcompress.recipe import Recipe
from tfcompress.report import sheet as sheets
from tfcompress.report.sheet import Sheet
from tfcompress.report.table import footer
from tfcompress.rows import Row

# What is compared before and after: label, row before, row after.
_COMPARED = (
    ("file", "float_file_bytes", "file_bytes"),
    ("file as gzip", "float_gzip_bytes", "gzip_bytes"),
)
# The same, before being the file that the recipe would make without its steps.
_AGAINST_PLAIN = (
    ("file, against no steps", "plain_file_bytes", "file_bytes"),
    ("file as gzip, against no steps", "plain_gzip_bytes", "gzip_bytes"),
)
# What is told of the finished file alone, in this order; other rows follow by their names.
_ALONE = {
    "sparsity": "zero weights",
    "distinct": "distinct values of a kernel, at most",
    "macs": "multiply-accumulates",
    "arena": "TFLM arena",
    "arena_unencoded": "TFLM arena, weights not encoded",
    "file_bytes_unencoded": "file, weights not encoded",
    "latency_p50": "latency, median",
    "tflm_latency_p50": "latency of TFLM on this machine, median",
    "tflm_latency_p50_unencoded": "the same, weights not encoded",
    "verdict": "on the target",
    "flash": "flash there, file and code",
    "flash_model": "of that the file",
    "flash_runtime": "of that TFLM",
    "flash_operators": "of that the operators' kernels",
    "flash_there": "flash that the target has",
    "arena_on_device": "TFLM arena on the target",
    "arena_activations": "of that activations",
    "arena_scratch": "of that scratch memory of kernels",
    "arena_persistent": "of that what is kept",
    "arena_lower_bound": "least that any planner needs for activations",
    "ram_there": "RAM that the target has",
    "training_seconds": "training",
    "total_seconds": "everything",
}


def as_json(outcome: Outcome) -> str:
    """`report.json`; the keys are those of the module docstring."""
    told = {
        "folder": None if outcome.folder is None else str(outcome.folder),
        "rows": [row.as_dict() for row in outcome.report],
        "layers": [asdict(layer) for layer in outcome.layers],
        "history": [asdict(step) for step in outcome.history],
        "recipe": _recipe(outcome.recipe),
        "notes": list(_notes(outcome)),
        "versions": versions(),
        "hashes": _hashes(outcome),
    }
    return json.dumps(_finite(told), indent=2, default=str, allow_nan=False)


def as_markdown(outcome: Outcome) -> str:
    """`report.md`: before and after, every kernel, what was skipped and why, notes, and what it takes to repeat it."""
    parts = [f"# {sheets.markdown(_title(outcome))}"]
    if outcome.recipe.description:
        parts.append(sheets.markdown(outcome.recipe.description))
    parts += [sheets.as_markdown(sheet) for sheet in _sheets(outcome) if sheet.rows]
    remarks = (*_circumstances(outcome), *_notes(outcome))
    if remarks:
        parts.append("## Notes\n\n" + "\n".join(f"- {sheets.markdown(remark)}" for remark in remarks))
    parts.append(f"## Recipe\n\n```toml\n{outcome.recipe.to_toml().strip()}\n```")
    parts.append(sheets.as_markdown(_provenance(outcome)))
    return "\n\n".join(parts) + "\n"


def show(outcome: Outcome) -> None:
    """Prints before and after, the kernels, what was skipped and where the files are, to standard output."""
    console = _console()
    console.print(_title(outcome), soft_wrap=True, style="bold")
    for sheet in _sheets(outcome):
        if sheet.rows:
            console.print(sheets.as_table(sheet))
    for line in _circumstances(outcome):
        console.print(line, soft_wrap=True)
    for note in _notes(outcome):
        console.print(f"note: {printable(note)}", soft_wrap=True)
    if outcome.folder is not None:
        console.print(f"{outcome.folder}: model.tflite model.keras recipe.toml report.json report.md", soft_wrap=True)
        console.print(f"Next: tfcompress benchmark {outcome.folder / 'model.tflite'}", soft_wrap=True)


def plan_as_json(plan: Plan) -> str:
    """`{recipe, steps[]: {technique, fields, skipped[]}, notes[]}`."""
    told = {"recipe": _recipe(plan.recipe), "steps": [asdict(step) for step in plan.steps], "notes": list(plan.notes)}
    return json.dumps(_finite(told), indent=2, default=str, allow_nan=False)


def show_plan(plan: Plan) -> None:
    """Prints what would be done and what would be skipped, to standard output."""
    console = _console()
    console.print(
        f"recipe {plan.recipe.name}, for {_place(plan.recipe)}; nothing was trained",
        soft_wrap=True,
    )
    if not plan.steps:
        console.print("  no steps: the model is quantized as it is", soft_wrap=True)
    for number, step in enumerate(plan.recipe.steps, 1):
        usual = type(step)().fields()
        told = [f"{name} = {json.dumps(value)}" for name, value in step.fields().items() if value != usual[name]]
        console.print(f"  {number}. {step.name}: {', '.join(told) or 'with its usual parameters'}", soft_wrap=True)
    skipped = _skipped((step.technique, step.skipped) for step in plan.steps)
    if skipped.rows:
        console.print(sheets.as_table(skipped))
    for note in plan.notes:
        console.print(f"note: {printable(note)}", soft_wrap=True)


# --- what is told -----------------------------------------------------------------------------------------------


def _title(outcome: Outcome) -> str:
    rows = _by_name(outcome.report)
    words = f"{outcome.recipe.name}: {outcome.recipe.conversion.dtype} for {_place(outcome.recipe)}"
    if change := _change(rows.get("float_file_bytes"), rows.get("file_bytes")):
        words += f", {change}"
    before, after = rows.get("accuracy_before"), rows.get("accuracy_after")
    if before and after:
        words += f", {_metric(outcome)} {_shown(before)} before and {_shown(after)} after"
    return words


def _place(recipe: Recipe) -> str:
    return recipe.target or recipe.runtime or ""


def _sheets(outcome: Outcome) -> tuple[Sheet, ...]:
    skipped = _skipped((step.technique, step.skipped) for step in outcome.history)
    return _headline(outcome), _kernels(outcome.layers), _steps(outcome), skipped


def _headline(outcome: Outcome) -> Sheet:
    rows = _by_name(outcome.report)
    pairs = [(_metric(outcome), "accuracy_before", "accuracy_after"), *_COMPARED]
    if outcome.history:  # without steps, the file would be compared with itself
        pairs += _AGAINST_PLAIN
    lines = [
        (label, _shown(rows.get(before)), _shown(rows.get(after)), _change(rows.get(before), rows.get(after)), how)
        for label, before, after in pairs
        if (how := _how(rows.get(before), rows.get(after)))
    ]
    told = {name for _, *names in (*pairs, *_AGAINST_PLAIN) for name in names}
    for name in (*(name for name in _ALONE if name in rows), *(name for name in rows if name not in {*_ALONE, *told})):
        lines.append((_ALONE.get(name, name), "", _shown(rows[name]), "", _how(rows[name])))
    columns = ("", "before", "after", "change", "how")
    return Sheet("Before and after", columns, tuple(lines), ("before", "after", "change"))


def _kernels(layers: Sequence[LayerReport]) -> Sheet:
    columns = ("kernel", "weights", "zeros", "distinct", "bytes", "MACs", "error", "promised and proven")
    lines = tuple(
        (
            layer.kernel,
            f"{layer.weights:,}",
            f"{layer.zeros:.1%}",
            f"{layer.distinct:,}",
            f"{layer.weight_bytes:,}",
            f"{layer.macs:,}",
            "" if layer.error is None else f"{layer.error:.3f}",
            ", ".join(layer.promised),
        )
        for layer in layers
    )
    return Sheet("Kernels in the file", columns, lines, columns[1:-1])


def _steps(outcome: Outcome) -> Sheet:
    columns = ("step", "epochs", "seconds", "last epoch", "notes")
    lines = []
    for step in outcome.history:
        last = step.epochs[-1] if step.epochs else {}
        logs = ", ".join(f"{name} {value:.4f}" for name, value in last.items())
        lines.append((step.technique, str(len(step.epochs)), f"{step.seconds:.1f}", logs, "; ".join(step.notes)))
    return Sheet("Steps", columns, tuple(lines), ("epochs", "seconds"))


def _skipped(steps: Iterable[tuple[str, Iterable[Any]]]) -> Sheet:
    lines = tuple((technique, one.layer, one.reason) for technique, skipped in steps for one in skipped)
    return Sheet("Left as they were", ("step", "layer", "why"), lines)


def _provenance(outcome: Outcome) -> Sheet:
    lines = [("seed", str(outcome.recipe.seed)), *versions().items()]
    lines += [(f"SHA-256 of {name}", value) for name, value in _hashes(outcome).items()]
    return Sheet("To repeat it", ("what", "value"), tuple(lines))


# --- values -----------------------------------------------------------------------------------------------------


def _by_name(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.name: row for row in rows}


def _metric(outcome: Outcome) -> str:
    rows = _by_name(outcome.report)
    scored = rows.get("accuracy_after") or rows.get("accuracy_before")
    return scored.source.partition(" of ")[0] if scored else "accuracy"


def _shown(row: Row | None) -> str:
    if row is None:
        return ""
    if isinstance(row.value, str):
        return row.value.partition(":")[0] if row.name == "verdict" else row.value  # its reasons are rows
    if row.unit == "fraction":
        return f"{row.value:.1%}" if row.name == "sparsity" else f"{row.value:.4f}"
    if row.unit == "s":
        return f"{row.value:,.1f} s"
    number = f"{row.value:,}" if isinstance(row.value, int) else f"{row.value:,.4g}"
    return number if row.unit == "count" else f"{number} {row.unit}"


def _change(before: Row | None, after: Row | None) -> str:
    if before is None or after is None or isinstance(before.value, str) or isinstance(after.value, str):
        return ""
    if after.unit == "bytes":
        smaller = after.value <= before.value
        ratio = before.value / max(after.value, 1) if smaller else after.value / max(before.value, 1)
        return f"{ratio:.2f}x {'smaller' if smaller else 'larger'}"
    if after.unit == "fraction":
        return f"{(after.value - before.value) * 100:+.2f} points"
    return f"{after.value - before.value:+.4g}"


def _circumstances(outcome: Outcome) -> list[str]:
    """What was scored, and what holds for all rows that this machine measured."""
    scored = [row for row in outcome.report if row.name in ("accuracy_before", "accuracy_after")]
    lines = [f"{line[:1].upper()}{line[1:]}." for line in dict.fromkeys(row.source for row in scored)]
    return [*lines, *footer([row for row in outcome.report if row not in scored])]


def _how(*rows: Row | None) -> str:
    """How the last of them was got, and what ran each."""
    found = [row for row in rows if row is not None]
    if not found:
        return ""
    way = f"read from {found[-1].source}" if found[-1].how == "read from the file" else found[-1].how
    runtimes = " then ".join(dict.fromkeys(row.runtime for row in found if row.runtime))
    return f"{way}, {runtimes}" if runtimes else way


def _recipe(recipe: Recipe) -> dict[str, Any]:
    told: dict[str, Any] = recipe.model_dump(mode="json")
    told["steps"] = [{"technique": step.name, **step.fields()} for step in recipe.steps]
    return told


def _notes(outcome: Outcome) -> tuple[str, ...]:
    return (*outcome.notes, *outcome.conversion.certificate.notes, *outcome.conversion.notes)


def _hashes(outcome: Outcome) -> dict[str, str]:
    return {**outcome.hashes, "file": hashlib.sha256(outcome.conversion.flatbuffer.data).hexdigest()}


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity.
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, (list, tuple)) else value


def _console() -> Any:
    from rich.console import Console

    # Names may hold what looks like markup. Piped text is for grep and diff: lines keep their length there.
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=400)
