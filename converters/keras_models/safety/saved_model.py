"""A SavedModel, read as data: every operator of its graph and of all its functions must be on a list.

Checkpoint operators (`RestoreV2`, `SaveV2`, ...) read and write files that a constant in the graph may name, and
every SavedModel has them. They are let through where only the saver reaches them, and there the file name must come
from the saver's own `filename_tensor`, which the loader fills in:

- in functions that hold nothing but what a saver needs, called only by the two nodes that `saver_def` names;
- or, in the form of TensorFlow 1, as nodes of the main graph that neither a signature nor an initializer depends on.

TensorFlow runs the restore node while loading, never the save node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.errors import FileError, ModelError, UnsafeModelError
from converters.keras_models.safety import configuration, saved_model_messages
from converters.keras_models.safety.allowed_operators import CHECKPOINT_OPERATORS, OPERATORS, SAVER_OPERATORS
from converters.keras_models.safety.archives import check_folder, stays_inside

MAXIMUM_GRAPH_BYTES = 2 << 30  # what a protocol buffer can hold
_DT_RESOURCE, _DT_VARIANT = 20, 21  # types.proto; a constant of these could hold any registered object
_TRUST = "if you trust it, use --allow-code"


@dataclass(frozen=True)
class SavedModelFacts:
    """What the check learned.

    Attributes:
        tags: of the graph to load.
        signatures: names of its signatures.
        layers_problem: why Keras layers cannot be had from it; empty if they can.
    """

    tags: tuple[str, ...]
    signatures: tuple[str, ...]
    layers_problem: str


def check_saved_model(folder: Path, *, allow_code: bool) -> SavedModelFacts:
    """Checks a SavedModel folder; see the module's docstring.

    Raises:
        UnsafeModelError: an operator that is not on the list, a file name that leaves the folder.
        ModelError: damaged, or without a graph.
        FileError: unreadable.
    """
    check_folder(folder)
    where = str(folder)
    model = saved_model_messages.read("SavedModel", _read(folder / "saved_model.pb"), f"{where}/saved_model.pb")
    if not model.meta_graphs:
        raise ModelError(f"{where}: saved_model.pb holds no graph; save the model again")
    for other in ("saved_model.pbtxt", "saved_model.cpb"):
        if (folder / other).exists():
            raise UnsafeModelError(
                f"{where}: holds both saved_model.pb and {other}, so readers may see different graphs"
            )
    for graph in model.meta_graphs:
        for asset in graph.assets:
            if not stays_inside(asset.filename):
                raise UnsafeModelError(f"{where}: asset {asset.filename!r:.80} is outside the folder")
        if not allow_code:
            _GraphCheck(graph, where).run()
    chosen = next((g for g in model.meta_graphs if list(g.info.tags) == ["serve"]), model.meta_graphs[0])
    signatures = tuple(entry.key for entry in chosen.signatures if not entry.key.startswith("__"))
    return SavedModelFacts(tuple(chosen.info.tags), signatures, _layers_problem(chosen, folder, allow_code=allow_code))


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAXIMUM_GRAPH_BYTES:
            raise UnsafeModelError(f"{path} has {size} bytes; a graph has at most {MAXIMUM_GRAPH_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None


class _GraphCheck:
    """One graph with its functions; `run` raises UnsafeModelError."""

    def __init__(self, graph: Any, where: str) -> None:
        self.graph, self.where = graph, where
        self.nodes = {node.name: node for node in graph.graph.nodes}
        self.functions = {function.signature.name: function for function in graph.graph.library.functions}
        self.saver_functions = {
            name
            for name, function in self.functions.items()
            if any(node.operator in CHECKPOINT_OPERATORS for node in function.nodes)
        }
        saver = graph.saver
        self.saver_nodes = {name for name in (_node_of(saver.save_tensor), saver.restore_operator) if name}

    def run(self) -> None:
        if len(self.nodes) < len(self.graph.graph.nodes) or len(self.functions) < len(
            self.graph.graph.library.functions
        ):
            raise UnsafeModelError(
                f"{self.where}: two nodes or functions of one name; readers may see different graphs"
            )
        for node in self.graph.graph.nodes:
            self._check_operator(node, "the main graph", OPERATORS | CHECKPOINT_OPERATORS)
        for name in self.saver_functions:
            self._check_saver_function(self.functions[name])
        for name, function in self.functions.items():
            for node in function.nodes:
                self._check_operator(node, f"function {name[:80]}", OPERATORS | CHECKPOINT_OPERATORS)
                for called in self._called(node):
                    if called in self.saver_functions:
                        raise self._misplaced(f"function {name[:80]} calls {called[:80]}")
        self._check_saver()

    def _check_operator(self, node: Any, place: str, allowed: frozenset[str]) -> None:
        operator = node.operator
        # A function may be called by its name; only names that tracing gives are taken for one, so that a function
        # cannot pass for an operator of TensorFlow's own.
        is_call = operator.startswith(("__inference_", "__forward_", "__backward_")) and operator in self.functions
        if not is_call and operator not in allowed:
            raise UnsafeModelError(
                f"{self.where}: operator {operator!r:.60} (node {node.name!r:.80} in {place}) is not on the list of "
                f"those that only compute; it could reach files, the network or Python: save the model without it, or "
                f"{_TRUST}"
            )
        if operator == "Const":
            kinds = {entry.value.type for entry in node.attributes if entry.key == "dtype"}
            if kinds & {_DT_RESOURCE, _DT_VARIANT}:
                raise UnsafeModelError(f"{self.where}: constant {node.name!r:.80} in {place} holds an object; {_TRUST}")

    def _called(self, node: Any) -> Iterator[str]:
        """Names of functions that a node may call: its operator, function attributes, and text that names one."""
        if node.operator in self.functions:
            yield node.operator
        pending = [entry.value for entry in node.attributes]
        while pending:
            value = pending.pop()
            for call in (value.function, *value.list.functions):
                if call.name:
                    yield call.name
                    pending.extend(entry.value for entry in call.attributes)
            for text in (value.text, *value.list.texts):
                name = text.decode(errors="replace")
                if name in self.saver_functions:
                    yield name

    def _check_saver_function(self, function: Any) -> None:
        operators = {node.operator for node in function.nodes}
        if others := operators - SAVER_OPERATORS:
            name, misplaced = function.signature.name[:80], min(operators & CHECKPOINT_OPERATORS)
            raise self._misplaced(f"function {name} holds {misplaced} beside {min(others)}")

    def _check_saver(self) -> None:
        for node in self.graph.graph.nodes:
            called = self.saver_functions.intersection(self._called(node))
            if called and node.name not in self.saver_nodes:
                raise self._misplaced(f"node {node.name!r:.80} calls {min(called)[:80]}")
        for name in _functions_of_objects(self.graph.objects):
            if name in self.saver_functions:
                raise self._misplaced(f"an object of the model calls {name[:80]}")
        reached = self._upstream(self._roots())
        for name in reached:
            node = self.nodes[name]
            if name in self.saver_nodes or node.operator in CHECKPOINT_OPERATORS:
                raise self._misplaced(f"a signature or initializer depends on node {name!r:.80}")
        self._check_restore()

    def _check_restore(self) -> None:
        """What is run while loading: checkpoint reads must take their file name from the loader."""
        saver = self.graph.saver
        filename = _node_of(saver.filename_tensor)
        # Without a name given by the saver nothing could be restored, so an empty one allows nothing.
        if filename in self.nodes and self.nodes[filename].operator not in (
            "Placeholder",
            "PlaceholderWithDefault",
            "Const",
        ):
            raise self._misplaced(f"the saver's file name is computed by node {filename!r:.80}")
        for name in self._upstream([saver.restore_operator]):
            node = self.nodes[name]
            reads = [self.functions[f] for f in set(self._called(node)) & self.saver_functions]
            if (node.operator == "RestoreV2" or reads) and _node_of(next(iter(node.inputs), "")) != filename:
                raise self._misplaced(f"node {name!r:.80} reads a checkpoint of its own choice")
            if node.operator in ("SaveV2", "MergeV2Checkpoints"):
                raise self._misplaced(f"node {name!r:.80} writes a checkpoint while loading")
            for function in reads:
                self._check_restore_function(function)

    def _check_restore_function(self, function: Any) -> None:
        first = function.signature.inputs[0].name if function.signature.inputs else ""
        for node in function.nodes:
            if node.operator == "RestoreV2" and next(iter(node.inputs), "") != first:
                raise self._misplaced(f"{function.signature.name[:80]} reads a checkpoint of its own choice")
            if node.operator in ("SaveV2", "MergeV2Checkpoints"):
                raise self._misplaced(f"{function.signature.name[:80]} writes a checkpoint while loading")

    def _roots(self) -> Iterator[str]:
        for entry in self.graph.signatures:
            for tensor in (*entry.value.inputs, *entry.value.outputs):
                yield from _names_of(tensor.value)
        for collection in self.graph.collections:
            yield from collection.value.nodes.value

    def _upstream(self, names: Iterable[str]) -> set[str]:
        pending = [_node_of(name) for name in names]
        reached: set[str] = set()
        while pending:
            name = pending.pop()
            if name in reached or name not in self.nodes:
                continue
            reached.add(name)
            pending.extend(_node_of(source) for source in self.nodes[name].inputs)
        return reached

    def _misplaced(self, what: str) -> UnsafeModelError:
        return UnsafeModelError(
            f"{self.where}: {what}, which reads or writes files outside of saving and restoring the variables; {_TRUST}"
        )


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").partition(":")[0]


def _names_of(tensor: Any) -> Iterator[str]:
    yield tensor.name
    yield from (tensor.sparse.values, tensor.sparse.indices, tensor.sparse.shape)
    for component in tensor.composite.components:
        yield from _names_of(component)


def _functions_of_objects(objects: Any) -> Iterator[str]:
    for entry in objects.functions:
        yield entry.key
    for node in objects.nodes:
        yield from node.function.names
        yield node.bare_function.name
        yield node.captured.function


def _layers_problem(graph: Any, folder: Path, *, allow_code: bool) -> str:
    """Why Keras must not or cannot rebuild the layers; the configuration of every layer is checked for that."""
    nodes = [(node.user_object.identifier, node.user_object.metadata) for node in graph.objects.nodes]
    if (folder / "keras_metadata.pb").exists():
        data = _read(folder / "keras_metadata.pb")
        metadata = saved_model_messages.read("KerasMetadata", data, f"{folder}/keras_metadata.pb")
        nodes += [(node.identifier, node.metadata) for node in metadata.nodes]
    keras_nodes = [(kind, text) for kind, text in nodes if kind.startswith("_tf_keras_") and text]
    kinds = {kind for kind, _ in keras_nodes}
    if not kinds:
        return "it was saved without Keras metadata, so it has only a graph"
    if not kinds & {"_tf_keras_network", "_tf_keras_sequential"}:
        return "its model is a class of its own, of which only the graph was saved"
    for _, text in keras_nodes:
        where = f"{folder}: Keras metadata"
        try:
            configuration.check_config(configuration.parse(text, where), where, allow_code=allow_code)
        except ModelError as error:
            return str(error)
    return ""
