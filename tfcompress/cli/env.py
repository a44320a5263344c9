"""Show the versions of everything that shapes a result."""

from __future__ import annotations

import json

import rich_click as click

from tfcompress.cli import _options


@click.command("env")
@_options.as_json
def command(as_json: bool) -> None:
    """Shows the versions of everything that shapes a result, for a bug report.

    Example: tfcompress env
    """
    from tfcompress.environment import versions

    found = versions()
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for name, version in found.items():
            click.echo(f"{name:32} {version}")
