"""No model file runs code, leaves its folder or explodes; what is refused is refused in one line, before any loader."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from crafted_files import DENSE, h5_file, keras_file, layer, refusal, sequential
from hypothesis import given, settings
from hypothesis import strategies as st

from converters import child
from converters.errors import CompressionError, FileError, ModelError
from converters.keras_models import safety
from converters.keras_models.safety import allowed_names, allowed_operators

# --- what a file is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "keras_3"),
    [
        ("keras3.keras", "keras3", True),
        ("tf_keras.keras", "tf_keras", False),
        ("keras3.h5", "h5", True),
        ("tf_keras.h5", "h5", False),
        ("old.h5", "h5", False),
        ("keras3_export", "saved_model", False),
        ("tf_keras_folder", "saved_model", False),
        ("plain", "saved_model", False),
        ("recurrent", "saved_model", False),
        ("tf1", "saved_model", False),
    ],
)
def test_every_format_that_either_keras_writes_passes_and_is_told_apart(
    samples: Path, name: str, kind: str, keras_3: bool
) -> None:
    found = safety.check(samples / name)
    assert (found.kind, found.is_keras_3) == (kind, keras_3)


def test_the_kind_comes_from_the_content_not_from_the_name(samples: Path, tmp_path: Path) -> None:
    for name, kind in (("keras3.keras", "keras3"), ("old.h5", "h5")):
        copy = tmp_path / f"{name}.tflite"
        copy.write_bytes((samples / name).read_bytes())
        assert safety.check(copy).kind == kind
    tflite = tmp_path / "model.keras"
    tflite.write_bytes(b"\x1c\0\0\0TFL3" + bytes(20))
    assert safety.check(tflite).kind == "tflite"


def test_checking_imports_neither_tensorflow_nor_keras(samples: Path) -> None:
    code = (
        "import sys; from converters.keras_models import safety\n"
        f"for name in ('keras3.keras', 'old.h5', 'tf_keras_folder'): safety.check({str(samples)!r} + '/' + name)\n"
        "print(sorted({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_real_models_pass(real_data: Path) -> None:
    folder = real_data / "mlperf_tiny"
    resnet = safety.check(folder / "ic" / "pretrainedResnet.h5")
    keywords = safety.check(folder / "kws" / "kws_ref_model")
    assert (resnet.kind, resnet.is_keras_3) == ("h5", False)
    assert (keywords.kind, keywords.layers_problem, keywords.signatures) == ("saved_model", "", ("serving_default",))
    assert safety.check(folder / "ic" / "pretrainedResnet.tflite").kind == "tflite"


def test_what_is_no_model_is_said_to_be_none(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.h5").touch()
    (tmp_path / "notes.keras").write_text("hello, this is text")
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    expected = {
        tmp_path / "missing.keras": "does not exist",
        tmp_path / "empty.h5": "is empty",
        tmp_path / "notes.keras": "is no model file",
        tmp_path / "folder": "has no saved_model.pb",
        tmp_path / "zip.keras": "has no config.json",
        samples / "only.weights.h5": "weights without a model",
        samples / "plain" / "saved_model.pb": "name its folder",
    }
    for path, words in expected.items():
        with pytest.raises((ModelError, FileError)) as caught:
            safety.check(path)
        assert words in str(caught.value)
        assert path.name in str(caught.value)


# --- names in the configuration -----------------------------------------------------------------------------------

LAMBDA = layer("Lambda", name="evil", function={"class_name": "__lambda__", "config": {"code": "4wAA"}})
HOSTILE_CONFIGS: dict[str, tuple[Any, str]] = {
    "lambda": (sequential(LAMBDA), "Lambda runs Python code"),
    "lambda inside a wrapper": (sequential(layer("TimeDistributed", name="t", layer=LAMBDA)), "Lambda"),
    "lambda in an old list of layers": ({"class_name": "Sequential", "config": [{"class_name": "Lambda"}]}, "Lambda"),
    "bare bytecode": (sequential(layer("Activation", activation={"class_name": "__lambda__", "config": {}})), "Python"),
    "function of os": (
        sequential(layer("Activation", activation={"class_name": "function", "config": "system", "module": "os"})),
        "'system'",
    ),
    "known function of a foreign module": (
        sequential(layer("Activation", activation={"class_name": "function", "config": "relu", "module": "evil"})),
        "'evil'",
    ),
    "class of a foreign module": (sequential(layer("Dense", "evil.layers", units=1)), "'evil.layers'"),
    "module that only starts like keras": (sequential(layer("Dense", "keras_evil")), "'keras_evil'"),
    "utility of keras": (sequential(layer("get_file", "keras.utils", fname="x")), "'get_file'"),
    "known class of a keras utility module": (sequential(layer("Dense", "keras.utils")), "'keras.utils'"),
    "registered class": (sequential(layer("Dense") | {"registered_name": "house>Dense"}), "'house>Dense'"),
    "python function behind a known name": (
        sequential(
            layer(
                "Activation",
                activation={
                    "class_name": "function",
                    "config": "celu",
                    "module": "builtins",
                    "registered_name": "eval",
                },
            )
        ),
        "'eval'",
    ),
    "own layer": (sequential(layer("MyLayer", "my.layers")), "'MyLayer'"),
    "file writer as a TensorFlow function": (
        sequential(layer("TFOpLambda", "tf_keras.src.layers.core.tf_op_layer", name="op", function="io.write_file")),
        "'io.write_file'",
    ),
    "python as a TensorFlow function": (
        {"class_name": "Functional", "config": {"layers": [layer("TFOpLambda", None, function="py_function")]}},
        "'py_function'",
    ),
    "method of a TensorFlow class": (sequential(layer("ClassMethod", None, symbol="io.gfile.GFile")), "'ClassMethod'"),
    "another SavedModel": (sequential(layer("TFSMLayer", name="s", filepath="/tmp/evil")), "loads another SavedModel"),
    "pickled torch module": (sequential(layer("TorchModuleWrapper", name="t", module="gASV")), "pickled"),
    "vocabulary file": (sequential(layer("StringLookup", name="l", vocabulary="/etc/passwd")), "/etc/passwd"),
    "own activation by name": (sequential(layer("Dense", activation="my_act")), "'my_act'"),
    "own initializer by name": (sequential(layer("Dense", kernel_initializer="get_file")), "'get_file'"),
    "type of a foreign module": (
        sequential({"class_name": "__typespec__", "spec_name": "TensorSpec", "module": "evil", "config": []}),
        "'evil'",
    ),
    "nested compile_config": (
        sequential(sequential(DENSE) | {"compile_config": {"loss": {"class_name": "function", "config": "evil"}}}),
        "'evil'",
    ),
}


@pytest.mark.parametrize("case", HOSTILE_CONFIGS)
def test_a_configuration_that_names_what_is_not_on_the_list_is_refused(case: str, tmp_path: Path) -> None:
    config, words = HOSTILE_CONFIGS[case]
    for path in (keras_file(tmp_path / "model.keras", config), h5_file(tmp_path / "model.h5", config)):
        assert words in refusal(path)
        assert safety.check(path, allow_code=True).path == path


def test_a_refused_layer_is_named_with_the_way_out(tmp_path: Path) -> None:
    message = refusal(keras_file(tmp_path / "model.keras", sequential(DENSE, LAMBDA)))
    assert "'evil'" in message
    assert "tfcompress.convert(model" in message
    assert "--allow-code" in message


def test_a_wrapper_of_tf_mot_is_refused_with_the_call_that_removes_it(tmp_path: Path) -> None:
    path = h5_file(tmp_path / "pruned.h5", sequential(layer("PruneLowMagnitude", None, layer=DENSE)))
    assert "strip_pruning" in refusal(path)


def test_a_loss_of_the_users_own_is_no_hindrance(tmp_path: Path) -> None:
    config = sequential(DENSE) | {"compile_config": {"loss": {"class_name": "function", "config": "own_loss"}}}
    assert safety.check(keras_file(tmp_path / "model.keras", config)).kind == "keras3"


def test_the_lists_hold_no_name_that_runs_code_or_opens_files() -> None:
    names = allowed_names.LAYERS | allowed_names.OPERATIONS | allowed_names.PARTS
    assert not names & {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "Map", "Scan", "Cond"}
    words = ("file", "py_func", "numpy_function", "load", "save", "print", "decode", "map_fn", "while", "rpc")
    assert not [name for name in allowed_names.TENSORFLOW_FUNCTIONS if any(word in name.lower() for word in words)]
    words = ("File", "PyFunc", "Dataset", "Print", "Rpc", "Remote", "Save", "Restore", "Reader", "Launch", "Dump")
    assert not [name for name in allowed_operators.OPERATORS if any(word in name for word in words)]


def test_every_layer_of_both_kerases_is_on_the_list_or_was_left_out_on_purpose(samples: Path) -> None:
    runs_code = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
    never_in_a_file = {"Layer", "Wrapper", "AbstractRNNCell", "InputSpec"}
    feature_columns = {"DenseFeatures"}
    names = set(json.loads((samples / "layers.json").read_text()))
    assert names - allowed_names.LAYERS == runs_code | never_in_a_file | feature_columns


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, json.dumps({"a": [[[]]]}).replace("[]", "[" * 150 + "]" * 150)]
)
def test_a_configuration_nested_too_deep_is_refused_also_with_allow_code(text: str, tmp_path: Path) -> None:
    for path in (
        keras_file(tmp_path / "model.keras", text),
        h5_file(tmp_path / "model.h5", text) if len(text) < 60_000 else None,
    ):
        if path:
            assert "nested" in refusal(path)
            assert "nested" in refusal(path, allow_code=True)


# --- SavedModel ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("writes_file", "'WriteFile'"),
        ("prints", "'PrintV2'"),
        ("python", "'EagerPyFunc'"),
        ("numpy", "'PyFunc'"),
        ("restores", "RestoreV2"),
        ("restores_elsewhere", "checkpoint of its own choice"),
        ("saves_when_called", "a signature or initializer depends on"),
    ],
)
def test_a_graph_that_reaches_files_or_python_is_refused_by_name(samples: Path, name: str, words: str) -> None:
    message = refusal(samples / name)
    assert words in message
    assert "--allow-code" in message
    assert safety.check(samples / name, allow_code=True).kind == "saved_model"


def test_a_lambda_in_the_metadata_of_a_savedmodel_keeps_its_layers_from_being_loaded(samples: Path) -> None:
    found = safety.check(samples / "lambda_folder")
    assert "Lambda" in found.layers_problem
    assert safety.check(samples / "lambda_folder", allow_code=True).layers_problem == ""


def test_a_link_that_leaves_the_savedmodel_is_refused(samples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes((samples / "plain" / "saved_model.pb").read_bytes())
    (folder / "variables" / "variables.index").symlink_to("/etc/passwd")
    assert "link" in refusal(folder)
    assert "link" in refusal(folder, allow_code=True)


def test_a_second_graph_file_is_refused(samples: Path, tmp_path: Path) -> None:
    for name in ("saved_model.pb", "saved_model.pbtxt"):
        (tmp_path / name).write_bytes((samples / "plain" / "saved_model.pb").read_bytes())
    assert "saved_model.pbtxt" in refusal(tmp_path)


# --- damaged files ------------------------------------------------------------------------------------------------

MAGICS = [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x1c\0\0\0TFL3", b"PK\x05\x06" + bytes(18)]


@settings(max_examples=100, deadline=None)
@given(magic=st.sampled_from(MAGICS[:2] + MAGICS[3:]), rest=st.binary(max_size=400))
def test_random_bytes_are_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, magic: bytes, rest: bytes) -> None:
    folder = tmp_path_factory.mktemp("random")
    for path in (folder / "model.keras", folder / "saved_model.pb"):
        path.write_bytes(magic + rest)
    if magic[4:] != b"TFL3":
        with pytest.raises(CompressionError):
            safety.check(folder / "model.keras")
    try:
        found = safety.check(folder)
    except CompressionError as error:
        assert "\n" not in str(error)
    else:
        assert found.kind == "saved_model"  # a few bytes may be a graph without nodes


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["class_name", "config", "module", "registered_name", "function", "name", "activation"])
                | st.text(),
                inner,
            )
        ),
        max_leaves=30,
    )
)
def test_any_json_is_a_configuration_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, config: Any) -> None:
    path = keras_file(tmp_path_factory.mktemp("json") / "model.keras", config)
    try:
        assert safety.check(path).kind == "keras3"
    except ModelError as error:
        assert "\n" not in str(error)


def test_damaged_copies_of_real_files_are_an_error_of_ours(samples: Path) -> None:
    names = ["keras3.keras", "tf_keras.h5", "tf_keras_folder", "plain"]
    outcomes = child.call("sample_files:check_damaged_here", str(samples), names, 150, what="checking damaged files")
    kinds = {outcome.partition(": ")[2] for outcome in outcomes}
    assert len(outcomes) == 600
    assert kinds <= {"ModelError", "UnsafeModelError", "FileError", "keras3", "tf_keras", "h5", "saved_model"}
    assert "ModelError" in kinds
