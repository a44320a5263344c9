"""The protocol buffers of a SavedModel, as far as the checks read them, without importing TensorFlow.

The field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto, graph.proto, node_def.proto,
attr_value.proto, function.proto, saver.proto, saved_object_graph.proto and Keras's saved_metadata.proto. The
descriptors live in a pool of their own, so that they cannot meet TensorFlow's. A map is declared as the list of
entries that it is on the wire: an entry that is there twice is seen twice.
"""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from converters.errors import ModelError

# Message -> field -> (number, type); a leading * says repeated, a capital letter says message.
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "SavedModel": {"meta_graphs": (2, "*MetaGraph")},
    "MetaGraph": {
        "info": (1, "MetaInfo"),
        "graph": (2, "Graph"),
        "saver": (3, "Saver"),
        "collections": (4, "*CollectionEntry"),
        "signatures": (5, "*SignatureEntry"),
        "assets": (6, "*Asset"),
        "objects": (7, "ObjectGraph"),
    },
    "MetaInfo": {"tags": (4, "*string")},
    "Saver": {"filename_tensor": (1, "string"), "save_tensor": (2, "string"), "restore_operator": (3, "string")},
    "CollectionEntry": {"key": (1, "string"), "value": (2, "Collection")},
    "Collection": {"nodes": (1, "Strings")},
    "Strings": {"value": (1, "*string")},
    "SignatureEntry": {"key": (1, "string"), "value": (2, "Signature")},
    "Signature": {"inputs": (1, "*TensorEntry"), "outputs": (2, "*TensorEntry")},
    "TensorEntry": {"key": (1, "string"), "value": (2, "Tensor")},
    "Tensor": {"name": (1, "string"), "sparse": (4, "SparseTensor"), "composite": (5, "Composite")},
    "SparseTensor": {"values": (1, "string"), "indices": (2, "string"), "shape": (3, "string")},
    "Composite": {"components": (2, "*Tensor")},
    "Asset": {"filename": (2, "string")},
    "Graph": {"nodes": (1, "*Node"), "library": (2, "Library")},
    "Library": {"functions": (1, "*Function")},
    "Function": {"signature": (1, "FunctionSignature"), "nodes": (3, "*Node")},
    "FunctionSignature": {"name": (1, "string"), "inputs": (2, "*FunctionInput")},
    "FunctionInput": {"name": (1, "string")},
    "Node": {
        "name": (1, "string"),
        "operator": (2, "string"),
        "inputs": (3, "*string"),
        "attributes": (5, "*AttributeEntry"),
    },
    "AttributeEntry": {"key": (1, "string"), "value": (2, "Attribute")},
    "Attribute": {"list": (1, "AttributeList"), "text": (2, "bytes"), "type": (6, "int32"), "function": (10, "Call")},
    "AttributeList": {"texts": (2, "*bytes"), "functions": (9, "*Call")},
    "Call": {"name": (1, "string"), "attributes": (2, "*AttributeEntry")},
    "ObjectGraph": {"nodes": (1, "*Object"), "functions": (2, "*FunctionEntry")},
    "FunctionEntry": {"key": (1, "string")},
    "Object": {
        "user_object": (4, "UserObject"),
        "function": (6, "SavedFunction"),
        "bare_function": (8, "BareFunction"),
        "captured": (12, "Captured"),
    },
    "UserObject": {"identifier": (1, "string"), "metadata": (3, "string")},
    "SavedFunction": {"names": (1, "*string")},
    "BareFunction": {"name": (1, "string")},
    "Captured": {"function": (2, "string")},
    "KerasMetadata": {"nodes": (1, "*KerasNode")},
    "KerasNode": {"identifier": (4, "string"), "metadata": (5, "string")},
}
_PACKAGE = "tfcompress_checks"


def read(message: str, data: bytes, where: str) -> Any:
    """Parses `data` as one of the messages above.

    Raises:
        ModelError: it is no such message.
    """
    try:
        return _classes()[message].FromString(data)
    except DecodeError as error:
        raise ModelError(f"{where}: damaged protocol buffer ({error}); save or copy the model again") from None


@functools.cache
def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="tfcompress_checks.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            _declare(message.field.add(name=field_name, number=number), kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


def _declare(field: Any, kind: str) -> None:
    field.label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
    bare = kind.lstrip("*")
    scalars = {"string": field.TYPE_STRING, "bytes": field.TYPE_BYTES, "int32": field.TYPE_INT32}
    if bare in scalars:
        field.type = scalars[bare]
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{bare}"
