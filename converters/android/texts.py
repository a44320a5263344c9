"""Text files that go with a model, one entry a line: labels, a vocabulary, a licence."""

from __future__ import annotations

from converters.errors import DataError

UNKNOWN = "[UNK]"
_LONGEST_LABEL = 100
_LARGEST = 4 << 20


def decoded(content: bytes, what: str) -> str:
    """The text of a file, with line ends of one kind.

    Args:
        content: the file.
        what: its name, for messages.

    Raises:
        DataError: it is too large, not UTF-8, or holds NUL.
    """
    if len(content) > _LARGEST:
        raise DataError(f"{what} has {len(content):,} bytes; expected a text of at most {_LARGEST:,}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is not UTF-8 text: byte {error.start}; save it as UTF-8") from error
    if "\0" in text:
        raise DataError(f"{what} holds a NUL character; expected plain text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def labels(content: bytes, what: str) -> tuple[str, ...]:
    """Names of classes, one a line; space around them is no part of them.

    Raises:
        DataError: no label, an empty line, one twice, an overlong one, or one that is not printable.
    """
    found = [line.strip() for line in _lines(decoded(content, what))]
    if not found:
        raise DataError(f"{what} is empty; expected the name of a class in each line")
    first: dict[str, int] = {}
    for number, label in enumerate(found, 1):
        if not label:
            raise DataError(f"{what}: line {number} is empty; expected the name of a class in each line")
        if len(label) > _LONGEST_LABEL:
            raise DataError(
                f"{what}: line {number} has {len(label)} characters; expected a name of at most {_LONGEST_LABEL}"
            )
        if not label.isprintable():
            raise DataError(f"{what}: line {number} holds a control or invisible character; remove it")
        if label in first:
            raise DataError(f"{what}: line {number} is {label!r:.60}, as line {first[label]} is; name each class once")
        first[label] = number
    return tuple(found)


def vocabulary(content: bytes, what: str, *, mode: str) -> tuple[str, ...]:
    """Words by their numbers, as Keras' `TextVectorization.get_vocabulary()` lists them.

    Args:
        content: a word a line: an empty one, then `[UNK]`, then words. For `multi_hot`, Keras leaves the empty one out.
        what: the file's name, for messages.
        mode: of the text input.

    Raises:
        DataError: the first two lines are others, or a word comes twice.
    """
    found = _lines(decoded(content, what))
    if mode == "multi_hot" and found[:1] == [UNKNOWN]:
        found = ["", *found]
    if found[:2] != ["", UNKNOWN] or len(found) < 3:
        came = found[:2]
        raise DataError(
            f"{what} begins with {came!r:.80}; expected an empty line, {UNKNOWN}, then words, as get_vocabulary() of "
            "TextVectorization lists them"
        )
    first: dict[str, int] = {}
    for number, word in enumerate(found, 1):
        if word in first:
            raise DataError(f"{what}: line {number} is {word!r:.60}, as line {first[word]} is; list each word once")
        first[word] = number
    return tuple(found)


def licence(content: bytes, what: str) -> bytes:
    """A text that is shown with a model, as UTF-8 with line ends of one kind.

    Raises:
        DataError: it is no text, or says nothing.
    """
    text = decoded(content, what)
    if not text.strip():
        raise DataError(f"{what} is empty; name the text that is to be shown with the model")
    return text.encode()


def joined(entries: tuple[str, ...]) -> bytes:
    """The file of these entries."""
    return "".join(f"{entry}\n" for entry in entries).encode()


def _lines(text: str) -> list[str]:
    """The lines, as `str.split` tells them: a name may hold any other separator of Unicode."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines
