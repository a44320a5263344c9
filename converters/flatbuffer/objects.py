"""A trusted `.tflite` as the generated schema's tree of objects, to be edited, and back to bytes.

For files that this project made, or that `FlatBuffer` has checked: nothing is verified here.
"""

from __future__ import annotations

from typing import Any


def unpack(data: bytes) -> Any:
    """The file as a `ModelT`."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def pack(model: Any) -> bytes:
    """The bytes of a `ModelT`; equal objects give equal bytes."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
