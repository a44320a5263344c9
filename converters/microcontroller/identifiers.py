"""Names from files as C++ identifiers and comments: whatever they hold, they stay names."""

from __future__ import annotations

import re

from converters.errors import UsageError

PREFIX = "model_"
_LONGEST = 48


def namespace_of(stem: str) -> str:
    """The namespace of a model from the name of its file, `model_` before it: no keyword or macro looks like that.

    `Pretrained ResNet-8` becomes `model_pretrained_resnet_8`.
    """
    words = re.findall(r"[a-z0-9]+", stem.lower().removeprefix(PREFIX)) or ["unnamed"]
    return (PREFIX + "_".join(words))[:_LONGEST].rstrip("_")


def checked_namespace(name: str) -> str:
    """A name that a user gave.

    Raises:
        UsageError: it is no identifier, or one that C++ or a library may have taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) or len(name) > _LONGEST:
        raise UsageError(
            f"the name {name[:60]!r} cannot be a namespace; give two or more words of lower-case letters and digits "
            f"joined by _, {_LONGEST} characters at most, such as keyword_net"
        )
    return name


def comment(text: str) -> str:
    """Text of a file, fit for a line of a C++ comment."""
    cleaned = re.sub(r"[^A-Za-z0-9_ .,:;()\[\]/-]", "_", text[:80]).replace("//", "/")
    return cleaned or "unnamed"
