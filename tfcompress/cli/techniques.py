"""List the techniques that a recipe may use."""

from __future__ import annotations

import rich_click as click

from tfcompress.cli import _options


@click.command("techniques")
@click.argument("name", required=False)
@_options.as_json
def command(name: str | None, *, as_json: bool) -> None:
    """Lists the techniques that a recipe may use, with every parameter; with NAME that one, in full.

    Example: tfcompress techniques prune
    """
    from tfcompress import registry
    from tfcompress.report import techniques

    if name is not None:
        registry.find(name)
    names = registry.names() if name is None else (name,)
    if as_json:
        click.echo(techniques.as_json(names))
    else:
        techniques.show(names, whole=name is not None)
