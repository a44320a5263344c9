"""Options that several commands share: one wording, one default."""

from __future__ import annotations

import rich_click as click

scale = click.option(
    "--scale",
    default="none",
    show_default=True,
    type=click.Choice(["none", "0..1", "-1..1", "0..255"]),
    help="How images become the model's units.",
)
seed = click.option("--seed", default=0, show_default=True, help="Splits data that are not split, and draws samples.")
label = click.option("--label", help="Label column of a .csv.")
allow_code = click.option("--allow-code", is_flag=True, help="Trust the model file to run its own code.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, with the keys of docs/json.md.")
decode = click.option(
    "--decode",
    metavar="off|auto|ENCODING",
    help="Weights for TFLM's DECODE operator: off, auto (whatever is smallest), or one encoding, such as huffman. "
    "[default: auto where the runtime has it, else off]",
)
max_arena = click.option("--max-arena", type=int, metavar="BYTES", help="Arena that encoded weights may take up to.")
target = click.option(
    "--target",
    metavar="T",
    help="The device to make the file for, in place of --runtime: a name, DEVICE:RUNTIME, or a TOML file "
    "(see tfcompress targets).",
)
if_too_large = click.option(
    "--if-too-large",
    type=click.Choice(["refuse", "warn"]),
    help="With a target: what becomes of a file that does not fit there; warn writes it. [default: refuse]",
)


def one_of_both(runtime: str | None, target: str | None) -> None:
    """Raises UsageError where a runtime and a target were given."""
    if runtime is not None and target is not None:
        raise click.UsageError(
            "--runtime and --target were both given, and a target says which runtime it has; give one of them, or "
            "--target DEVICE:RUNTIME for another of its runtimes."
        )
