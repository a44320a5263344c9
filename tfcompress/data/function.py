"""DATA as `file.py:function`: the user's own code, called without arguments."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from converters.errors import CompressionError, DataError, FileError, UsageError


def parse(spec: str) -> tuple[Path, str] | None:
    """Path and function name of `file.py:function`; None where `spec` is no code."""
    file, colon, name = spec.rpartition(":")
    return (Path(file), name) if colon and file.endswith(".py") and name.isidentifier() else None


def call(path: Path, name: str) -> Any:
    """Imports the file and returns what its function returns; what it prints goes to standard error.

    Raises:
        FileError: there is no such file.
        UsageError: it has no such function.
        DataError: the code failed; its traceback is in `details`.
    """
    if not path.is_file():
        raise FileError(f"{path} does not exist; expected a Python file before the colon in {path}:{name}")
    specification = importlib.util.spec_from_file_location(f"_data_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise UsageError(f"{path} is no Python file; expected file.py:function")
    module = importlib.util.module_from_spec(specification)
    # Its neighbours are importable, as if it had been run from its own folder.
    sys.path.insert(0, str(path.resolve().parent))
    # Dataclasses and pickles look their module up by its name.
    sys.modules[specification.name] = module
    try:
        # Standard output is for results: with --json another program reads it.
        with contextlib.redirect_stdout(sys.stderr):
            specification.loader.exec_module(module)
            function = getattr(module, name, None)
            if not callable(function):
                raise UsageError(f"{path} has no function {name}; define it, or name another one after the colon")
            return function()
    except CompressionError:
        raise
    except Exception as error:  # the user's code may raise anything; the command must still end with one line
        raise DataError(
            f"{path}:{name} failed with {type(error).__name__}: {str(error)[:200]}; run it by itself to see where",
            details=traceback.format_exc(),
        ) from error
    finally:
        sys.path.remove(str(path.resolve().parent))
