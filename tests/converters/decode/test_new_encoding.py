"""The one-file promise: an encoding of one's own is a file in `converters/decode`, and a name in a runtime's table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2]
ROOT = FOLDER.parent

TOY = '''
"""Upside down: every byte inverted; small where all are 0."""

from converters.decode.format import HEADER_BYTES, Encoded, header
import numpy as np

NUMBER = 9

def encode(values, layout):
    if layout.dtype != "int8" or values.any():
        return None
    return Encoded("toy", bytes(4), header(NUMBER))

def decode(stream, table, layout):
    return np.zeros(layout.elements, np.int8)
'''

USE = """
import sys
import converters.decode as decode
decode.__path__.append(sys.argv[1])
sys.path.insert(0, sys.argv[2])
import numpy as np
from converters.encode import decoded, encode
from converters.flatbuffer import FlatBuffer
from converters.spec import ConversionSpec
from small_tflite import G, Op, T, build
from tfcompress.report.inspection import describe

assert ConversionSpec(engine="tflm", decode=("toy",)).decode == ("toy",)
w = T("w", (30, 40), raw=bytes(1200), scales=(0.1,))
tensors = [T("x", (1, 40), scales=(0.1,)), w, T("y", (1, 30), scales=(1,))]
file = FlatBuffer(build(G(tensors, [Op("FULLY_CONNECTED", ["x", "w", None], ["y"])], ["x"], ["y"])))
packed = encode(file, encodings=("toy", "lut"))
told = describe(packed)
assert told["ledger"]["toy"] == 20, told["ledger"]
assert [one["encoding"] for one in told["tensors"] if one["encoding"]] == ["toy"]
assert not packed.constant(packed.tensors[1]).any()
assert len(packed.data) < len(file.data)
assert not decoded(packed).is_encoded
print("packed")
"""


def test_a_new_file_is_all_that_a_new_encoding_takes(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(TOY)
    command = [sys.executable, "-c", USE, str(tmp_path), str(FOLDER)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert finished.stdout == "packed\n", finished.stderr
