"""The `tfcompress` command: one file here = one command, found by listing this folder.

Each file defines `command`, a click command that parses, calls one library function and prints; `foo_bar.py` is the
command `foo-bar`. Commands import what they need inside the function: `tfcompress --help` reads all of them, and must
stay instant.
"""

from __future__ import annotations

import pkgutil
import sys
import traceback
from importlib import import_module

import rich_click as click
from click.exceptions import Abort

from converters.errors import CompressionError, printable


class _Commands(click.RichGroup):
    """Finds commands by listing this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        modules = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
        return sorted(name.replace("_", "-") for name in modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tfcompress")
@click.option("--debug", is_flag=True, help="Also print what a developer wants to know about an error.")
def group(debug: bool) -> None:
    """Makes Keras models small and fast for TFLite on microcontrollers and phones, and proves it."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point: a deliberate error is one line on standard error and its own exit status, never a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given  # wherever it stands
    words = [word for word in given if word != "--debug"]
    try:
        group.main(args=words, prog_name="tfcompress", standalone_mode=False)
    except Abort as stop:
        _complain(str(stop) or "stopped; nothing was written")
        sys.exit(130)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        _complain(f"{error.format_message()} See {context.command_path if context else 'tfcompress'} -h")
        sys.exit(error.exit_code)
    except CompressionError as error:
        _complain(str(error))
        if debug and error.details:
            click.echo(error.details, err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        _complain(f"a file or standard output could not be read or written: {error}")
        sys.exit(1)
    except Exception as error:  # the edge of the program: a bug is one line too, and its story is there for the asking
        _complain(f"unexpected {type(error).__name__}: {error}; this is a bug: run with --debug and report it")
        if debug:
            click.echo(traceback.format_exc(), err=True)
        sys.exit(1)


def _complain(message: str) -> None:
    click.echo(f"error: {printable(message)}", err=True)
