"""Tensor names that lead back to Keras layers: the converter's `L3/BiasAdd;L3/Conv2D` becomes `conv2d_1/Conv2D`.

Every name of the finished file is `layer/operation`, fused parts joined by `;`, so that `inspect`, the certificate
and every error can name the Keras layer without a side table. Inputs and outputs carry the names the model gave them,
and a signature `serving_default` holds them for LiteRT. Outputs get theirs last (`name_outputs`): until then a
quantizer may derive names from them (`probabilities1`), which would lead to no layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from converters.flatbuffer.layer_names import layer_of
from converters.keras_models.tracing import FrozenGraph

_SCOPED = re.compile(r"^L(\d+)/(.+)$")
SIGNATURE = b"serving_default"


def name_tensors(model: Any, graph: FrozenGraph) -> None:
    """Renames the tensors of `model` (a `ModelT` of the generated schema) in place and adds its signature.

    Args:
        model: what the converter made of `graph`; one subgraph or more, the first is the main one.
        graph: tells layer names, inputs and outputs.
    """
    main = model.subgraphs[0]
    inputs = _match_inputs(main, graph)
    for subgraph in model.subgraphs:
        _name_subgraph(subgraph, graph.layers)
    pairs = [*zip(inputs, (spec.name for spec in graph.inputs), strict=True)]
    outputs = [*zip(main.outputs, graph.outputs, strict=True)]
    main.inputs = inputs
    for index, name in outputs:
        main.tensors[index].name = f"{name}/output".encode()
    for index, name in pairs:
        main.tensors[index].name = name.encode()
    _make_unique(main)
    model.signatureDefs = [_signature(pairs, outputs)]


def name_outputs(model: Any, renamed: Mapping[str, str] | None = None) -> None:
    """Gives the outputs of `model` (a `ModelT` named by `name_tensors`) their final names, in place.

    Args:
        model: its signature says what they are called.
        renamed: name in the signature -> another one.
    """
    main = model.subgraphs[0]
    for entry in model.signatureDefs[0].outputs:
        name = bytes(entry.name)
        entry.name = (renamed or {}).get(name.decode(), name.decode()).encode()
        main.tensors[entry.tensorIndex].name = entry.name
    _make_unique(main)


def layers_in_text(text: str, layers: tuple[str, ...]) -> list[str]:
    """The layers whose scopes `L<i>` a converter message mentions, in order of appearance."""
    found = [int(index) for index in re.findall(r"\bL(\d+)/", text)]
    return list(dict.fromkeys(layers[index] for index in found if index < len(layers)))


def _match_inputs(subgraph: Any, graph: FrozenGraph) -> list[int]:
    # The converter keeps the order of the function's arguments, but drops nothing; their names prove it.
    by_name = {bytes(subgraph.tensors[index].name).decode(): int(index) for index in subgraph.inputs}
    return [by_name[name.partition(":")[0]] for name in graph.input_tensors]


def _name_subgraph(subgraph: Any, layers: tuple[str, ...]) -> None:
    consumer: dict[int, str | None] = {}
    for operator in subgraph.operators or []:
        named = _first_layer(subgraph, [*operator.outputs, *operator.inputs], layers)
        for index in operator.inputs:
            consumer.setdefault(int(index), named)
    for index, tensor in enumerate(subgraph.tensors):
        name = bytes(tensor.name or b"").decode(errors="replace")
        canonical = _canonical(name, layers)
        if canonical is None and layers and consumer.get(index):
            # Constants that the converter made up (merged biases, shapes) are named after who reads them.
            canonical = f"{consumer[index]}/{name.rpartition('/')[2] or 'constant'}"
        tensor.name = (canonical or name).encode()
    _make_unique(subgraph)


def _first_layer(subgraph: Any, indices: Iterable[int], layers: tuple[str, ...]) -> str | None:
    for index in indices:
        name = bytes(subgraph.tensors[index].name or b"").decode(errors="replace") if index >= 0 else ""
        canonical = _canonical(name, layers)
        if canonical:
            return canonical.rpartition(";")[2].rpartition("/")[0]
    return None


def _canonical(name: str, layers: tuple[str, ...]) -> str | None:
    parts: dict[str, str] = {}
    for part in name.split(";"):
        scoped = _SCOPED.match(part)
        if scoped and int(scoped.group(1)) < len(layers):
            layer = layers[int(scoped.group(1))].replace("/", "_")
        else:
            # The graph of a foreign SavedModel has Keras' own scopes, which usually tell the layer.
            layer = layer_of(part).replace("/", "_") if "/" in part and not layers else ""
        if layer:
            # The last segment is TensorFlow's operation; a second part of the same layer adds nothing.
            parts.setdefault(layer, part.rpartition("/")[2])
    return ";".join(f"{layer}/{operation}" for layer, operation in parts.items()) or None


def _make_unique(subgraph: Any) -> None:
    taken: set[bytes] = set()
    # Inputs and outputs keep their names; whoever else has the same one gives way.
    fixed = {*map(int, subgraph.inputs), *map(int, subgraph.outputs)}
    for index in sorted(range(len(subgraph.tensors)), key=lambda i: (i not in fixed, i)):
        tensor = subgraph.tensors[index]
        name, count = tensor.name, 0
        while tensor.name in taken:
            count += 1
            tensor.name = name + f"_{count}".encode()
        taken.add(tensor.name)


def _signature(inputs: list[tuple[int, str]], outputs: list[tuple[Any, str]]) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    def entries(pairs: Iterable[tuple[Any, str]]) -> list[Any]:
        result = []
        for index, name in pairs:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = name.encode(), int(index)
            result.append(entry)
        return result

    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
    signature.inputs, signature.outputs = entries(inputs), entries(outputs)
    return signature
