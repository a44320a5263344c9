"""What the layers of a tf_keras twin are called. No TensorFlow here: patterns of names are read without it."""

from __future__ import annotations

import re


def twin_name(name: str) -> str:
    """The name of a layer in a twin, given its own; where that is taken, a number is added.

    TensorFlow allows no other characters in a scope; "/" would end the layer's name in the .tflite file, ";" and ":"
    too.
    """
    return re.sub(r"^(?=[_-])", "layer", re.sub(r"[^A-Za-z0-9_.-]", "_", name))
