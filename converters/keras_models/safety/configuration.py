"""The configuration of a Keras model, read as data: every class and function it names must be on a list.

Keras turns a configuration into objects by importing the modules and calling the classes that it names, so the check
comes before any loader. Both ways of writing are known: the one with `module` and `registered_name` (`.keras`), and
the older one that names classes only (`.h5`, SavedModel).
"""

from __future__ import annotations

import json
import re
from typing import Any

from converters.errors import ModelError, UnsafeModelError
from converters.keras_models.safety import allowed_names

MAXIMUM_BYTES = 64 << 20  # NASNet-Large, the largest configuration among the Keras applications, takes 0.6 MB
MAXIMUM_DEPTH = 100
MAXIMUM_VALUES = 5_000_000

_CLASSES = allowed_names.MODELS | allowed_names.LAYERS | allowed_names.OPERATIONS | allowed_names.PARTS
_FUNCTIONS = allowed_names.ACTIVATIONS | allowed_names.FUNCTIONS | allowed_names.PARTS
# Markers of plain values; InputSpec stands in the metadata of a SavedModel.
_VALUES = frozenset(
    (
        "__tuple__",
        "__tensor__",
        "__numpy__",
        "__keras_tensor__",
        "__bytes__",
        "__ellipsis__",
        "__slice__",
        "TensorShape",
        "InputSpec",
    )
)
_TYPE_SPECS = frozenset(("TensorSpec", "tf.TensorSpec", "RaggedTensorSpec", "tf.RaggedTensorSpec", "SparseTensorSpec"))
_CODE = {
    "Lambda": "runs Python code stored in the file",
    "__lambda__": "is Python code stored in the file",
    "TFSMLayer": "loads another SavedModel",
    "TorchModuleWrapper": "loads a pickled PyTorch module",
    "JaxLayer": "runs Python code stored in the file",
    "FlaxLayer": "runs Python code stored in the file",
}
_TRAINING_WRAPPERS = {
    "PruneLowMagnitude": "tensorflow_model_optimization.sparsity.keras.strip_pruning(model)",
    "ClusterWeights": "tensorflow_model_optimization.clustering.keras.strip_clustering(model)",
    "QuantizeWrapper": "the float model",
    "QuantizeWrapperV2": "the float model",
    "QuantizeLayer": "the float model",
}
# Where Keras keeps what the lists name. Modules outside are never imported, so that nothing there can run.
_MODULE = re.compile(
    r"(tf_)?keras(\.(api|src|engine|layers|models|ops|initializers|regularizers|constraints|activations|optimizers|"
    r"losses|metrics|dtype_policies|mixed_precision|quantizers|applications)(\.\w+)*)?"
)
_INITIALIZER_MODULE = "tensorflow.python.ops.init_ops_v2"  # tf_keras EfficientNetV2 takes its initializers from there
_TYPE_SPEC_MODULE = re.compile(r"tensorflow\.python\.(framework|ops)(\.\w+)+")
# What this project's own bridge registers: a twin that was saved must load again.
OWN = "tfcompress>"
_OWN_MODULE = "converters.keras_models.bridge.operators"
_OWN_LAYER = "Operator"
_OWN_OPERATION = re.compile(r"[a-z]\w*(\.[a-z]\w*)*")  # a function of keras.ops, none of which runs code or opens files
_WAY_OUT = "build it from Keras layers, pass the model object in Python (tfcompress.convert(model, ...)), or"


def parse(text: str | bytes, where: str) -> Any:
    """Reads JSON of bounded size and depth.

    Args:
        text: the JSON.
        where: the file and member it came from, for messages.

    Raises:
        UnsafeModelError: too long or nested too deep.
        ModelError: not JSON.
    """
    if len(text) > MAXIMUM_BYTES:
        raise UnsafeModelError(f"{where}: {len(text)} bytes of JSON; a model's configuration has up to {MAXIMUM_BYTES}")
    try:
        return json.loads(text)
    except RecursionError:
        raise _too_deep(where) from None
    except ValueError as error:  # UnicodeDecodeError is one of these
        raise ModelError(f"{where}: damaged JSON ({error}); save the model again") from None


def check_config(config: Any, where: str, *, allow_code: bool = False) -> None:
    """Refuses a configuration that names anything not on the lists of `allowed_names`.

    A root's `compile_config` is not looked at, nor `training_config`: models are loaded without compiling.

    Args:
        config: what `parse` returned.
        where: the file it came from, for messages.
        allow_code: only bounds the depth and the number of values.

    Raises:
        UnsafeModelError: it could run code, or is nested too deep.
        ModelError: its form is wrong.
    """
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key not in ("compile_config", "training_config")}
    pending: list[tuple[Any, int, str]] = [(config, 0, "")]
    seen = 0
    while pending:
        value, depth, owner = pending.pop()
        seen += 1
        if depth > MAXIMUM_DEPTH:
            raise _too_deep(where)
        if seen > MAXIMUM_VALUES:
            raise UnsafeModelError(f"{where}: more than {MAXIMUM_VALUES} values in the configuration")
        if isinstance(value, dict):
            owner = _layer_name(value) or owner
            if not allow_code:
                _check_dict(value, where, owner)
            pending.extend((item, depth + 1, owner) for item in value.values())
        elif isinstance(value, list):
            pending.extend((item, depth + 1, owner) for item in value)


def _check_dict(value: dict[str, Any], where: str, owner: str) -> None:
    if "class_name" in value:
        name = value["class_name"]
        if not isinstance(name, str):
            raise ModelError(f"{where}: class_name in the configuration is {name!r:.60}, expected text")
        if name == "function":
            _check_function(value, where, owner)
        elif name in ("__typespec__", "TypeSpec"):
            _check_type_spec(value, where)
        elif name == "CompositeTensor":
            raise UnsafeModelError(
                f"{where}: {name} in the configuration is not supported; {_WAY_OUT} use --allow-code"
            )
        elif name not in _VALUES:
            _check_class(name, value, where, owner)
    for key, item in value.items():
        if isinstance(item, str):
            _check_text(key, item, where, owner)


def _check_class(name: str, value: dict[str, Any], where: str, owner: str) -> None:
    shown = f"{where}: layer {owner!r}" if owner else where
    if name in _CODE:
        raise UnsafeModelError(f"{shown}: {name} {_CODE[name]}; {_WAY_OUT} trust the file with --allow-code")
    if name in _TRAINING_WRAPPERS:
        raise UnsafeModelError(
            f"{shown}: {name} is a training wrapper of TF-MOT, not a layer of the model; save "
            f"{_TRAINING_WRAPPERS[name]} instead"
        )
    if name in ("TFOpLambda", "SlicingOpLambda"):
        config = value.get("config")
        function = config.get("function") if isinstance(config, dict) else None
        if function not in allowed_names.TENSORFLOW_FUNCTIONS:
            raise UnsafeModelError(
                f"{shown}: calls the TensorFlow function {function!r:.60}, which is not on the list of plain "
                f"arithmetic; {_WAY_OUT} trust the file with --allow-code"
            )
    elif name.removeprefix(OWN) == _OWN_LAYER:
        return _check_own_layer(value, shown)
    elif name not in _CLASSES:
        raise _custom(shown, f"class {name!r:.80}")
    _check_origin(value, (name,), shown)


def _check_own_layer(value: dict[str, Any], shown: str) -> None:
    config = value.get("config")
    operation = config.get("operation") if isinstance(config, dict) else None
    if value.get("module") not in (None, _OWN_MODULE) or value.get("registered_name") not in (None, OWN + _OWN_LAYER):
        raise _custom(shown, f"{_OWN_LAYER} of module {value.get('module')!r:.80}")
    if not _is_match(_OWN_OPERATION, operation):
        raise _custom(shown, f"operation {operation!r:.80}")


def _check_function(value: dict[str, Any], where: str, owner: str) -> None:
    shown = f"{where}: layer {owner!r}" if owner else where
    name = value.get("config")
    if not isinstance(name, str) or name.removeprefix(OWN) not in _FUNCTIONS:
        raise _custom(shown, f"function {name!r:.80}")
    _check_origin(value, (name, "function"), shown)


def _check_origin(value: dict[str, Any], names: tuple[str, ...], shown: str) -> None:
    """`names[0]` was on a list; the module must be Keras's, and the registered name no other than one of `names`."""
    module, registered = value.get("module"), value.get("registered_name")
    # Keras says "builtins" for its own functions, and then searches its own modules first.
    is_known = module is None or _is_match(_MODULE, module) or (module == "builtins" and "function" in names)
    if not is_known and not (module == _INITIALIZER_MODULE and names[0] in allowed_names.PARTS):
        raise _custom(shown, f"{names[0]} of module {module!r:.80}")
    if registered is not None and registered not in names:
        raise _custom(shown, f"{names[0]} registered as {registered!r:.80}")


def _check_type_spec(value: dict[str, Any], where: str) -> None:
    name = value.get("spec_name", value.get("type_spec"))
    module = value.get("module")
    if value.get("registered_name", name) not in (None, name):
        raise _custom(where, f"type registered as {value['registered_name']!r:.60}")
    if name not in _TYPE_SPECS or not (module is None or _is_match(_TYPE_SPEC_MODULE, module)):
        raise _custom(where, f"type {name!r:.60} of module {module!r:.60}")


def _check_text(key: str, text: str, where: str, owner: str) -> None:
    """A name that Keras looks up in a module, or a path that it opens."""
    shown = f"{where}: layer {owner!r}" if owner else where
    if key == "vocabulary":
        raise UnsafeModelError(f"{shown}: reads its vocabulary from the file {text!r:.80}; store the words themselves")
    if key.endswith("activation"):
        text = text.removeprefix(OWN)
        known = text in allowed_names.ACTIVATIONS or text in allowed_names.LAYERS
    elif key.endswith(("_initializer", "_regularizer", "_constraint")):
        known = text in allowed_names.PARTS
    else:
        return
    if not known:
        raise _custom(shown, f"{key} {text!r:.80}")


def _is_match(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _layer_name(value: dict[str, Any]) -> str:
    config = value.get("config")
    name = config.get("name") if "class_name" in value and isinstance(config, dict) else None
    return name[:80] if isinstance(name, str) else ""


def _custom(shown: str, what: str) -> UnsafeModelError:
    return UnsafeModelError(
        f"{shown}: {what} is not part of Keras and could run code; {_WAY_OUT} use --allow-code to let Keras import "
        "it from an installed module"
    )


def _too_deep(where: str) -> UnsafeModelError:
    return UnsafeModelError(f"{where}: the configuration is nested deeper than {MAXIMUM_DEPTH} levels")
