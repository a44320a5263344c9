"""Errors meant for people: one line that says what came, what was expected and what to do."""

from __future__ import annotations


class CompressionError(Exception):
    """Base of every error that this toolkit raises on purpose; `details` holds what a developer may want to read."""

    exit_code = 1

    def __init__(self, message: str, *, details: str = "") -> None:
        super().__init__(printable(message))
        self.details = details


class UsageError(CompressionError):
    """The call itself is wrong: options that exclude each other, an unknown name."""

    exit_code = 2


class FileError(CompressionError):
    """A file is missing, unreadable, in the way, or cannot be written."""


class ModelError(CompressionError):
    """A model file is damaged, of an unknown kind, or holds what this toolkit cannot take."""


class UnsafeModelError(ModelError):
    """A model file could run code, leave its folder or explode; refused before any loader saw it."""


class BridgeError(ModelError):
    """A layer cannot cross between Keras 3 and tf_keras."""


class DataError(CompressionError):
    """Calibration or evaluation data does not fit the model."""


class TrainingError(CompressionError):
    """Training failed: the loss became NaN, or no model within the allowed loss was found."""


class ConversionError(CompressionError):
    """The converter could not make the file that was asked for."""


class CertificateError(CompressionError):
    """The file is not what was asked for: a float operator in an integer file, a kernel that the runtime lacks."""


class ChildDiedError(CompressionError):
    """A child process crashed, ran out of memory or time."""


class DeviceError(CompressionError):
    """A board cannot be read, its log is incomplete or contradicts itself, or it says that the board failed."""


class NotAvailableError(CompressionError):
    """Something optional is not installed, or has no build for this platform."""


def printable(words: str) -> str:
    """The text on one line and without control or invisible characters, which act on a terminal; names come from files.

    Each of them becomes a `?`.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(words.split()))


def brief(value: object) -> str:
    """What came, as a text of at most 60 characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # a table 1,000 deep; a hexadecimal integer of 5,000 digits
        return f"a value of type {type(value).__name__}, too large to show"
    return text if len(text) <= 60 else text[:57] + "..."


def first_line(error: Exception) -> str:
    """The first line of what a library complains of, at most 300 characters; the error's type where it says nothing.

    AutoGraph says first where it was, under "in user code:"; then it is the last line.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return (lines[-1] if lines[0] == "in user code:" else lines[0])[:300]


def by_name(name: str) -> type[CompressionError]:
    """The error class called `name`; `CompressionError` itself for a name that is not one of ours."""
    found = globals().get(name)
    if isinstance(found, type) and issubclass(found, CompressionError):
        return found
    return CompressionError
