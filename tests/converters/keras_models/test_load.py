"""Each model file is loaded by the Keras that wrote it, and no refused file gets to run its code."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import child
from converters.errors import ModelError
from converters.keras_models import load, safety
from converters.keras_models.tracing import InputSpec

# name, allow_code, need_layers -> the outcome, all in one child process
CASES = [
    ("keras3.keras", False, True),
    ("keras3.h5", False, True),
    ("tf_keras.keras", False, True),
    ("tf_keras.h5", False, True),
    ("old.h5", False, True),
    ("tf_keras_folder", False, True),
    ("tf_keras_folder", False, False),
    ("keras3_export", False, True),
    ("plain", False, True),
    ("recurrent", False, True),
    ("recurrent", False, False),
    ("tf1", False, True),
    ("random", False, True),
    ("cut_variables", False, True),
    ("own_layer.keras", False, True),
    ("own_layer.keras", True, True),
    ("misnamed.model", False, True),
    ("lambda2.keras", False, True),
    ("lambda2.h5", False, True),
    ("lambda3.keras", False, True),
    ("lambda_folder", False, True),
    ("writes_file", False, True),
    ("prints", False, True),
    ("python", False, True),
    ("restores_elsewhere", False, True),
    ("saves_when_called", False, True),
    # From here on the canaries may sing.
    ("lambda2.keras", True, True),
    ("lambda2.h5", True, True),
    ("lambda3.keras", True, True),
    ("lambda_folder", True, True),
    ("writes_file", True, True),
    ("prints", True, True),
]


REAL_CASES = [
    ("ic/pretrainedResnet.h5", False, True),
    ("kws/kws_ref_model", False, True),
    ("kws/kws_ref_model", False, False),
]


@pytest.fixture(scope="module")
def outcomes(samples: Path, request: pytest.FixtureRequest) -> dict[tuple[str, bool, bool], dict[str, Any]]:
    (samples / "misnamed.model").write_bytes((samples / "tf_keras.h5").read_bytes())
    cases = {case: list(case) for case in CASES}
    # One child for all, since TensorFlow takes seconds to start; the real models come along where they are.
    with contextlib.suppress(pytest.skip.Exception):
        folder = request.getfixturevalue("real_data") / "mlperf_tiny"
        cases = {case: [str(folder / case[0]), *case[1:]] for case in REAL_CASES} | cases
    found = child.call("sample_files:load_all_here", str(samples), list(cases.values()), what="loading the samples")
    return dict(zip(cases, found, strict=True))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("keras3.keras", "keras"),
        ("keras3.h5", "keras"),
        ("tf_keras.keras", "tf_keras"),
        ("tf_keras.h5", "tf_keras"),
        ("old.h5", "tf_keras"),
        ("tf_keras_folder", "tf_keras"),
        ("keras3_export", "graph"),
        ("plain", "graph"),
        ("recurrent", "tf_keras"),
        ("tf1", "graph"),
        ("misnamed.model", "tf_keras"),
    ],
)
def test_each_format_is_loaded_by_the_keras_that_wrote_it(outcomes: Any, name: str, kind: str) -> None:
    outcome = outcomes[name, False, True]
    assert outcome["message"] == ""
    assert outcome["kind"] == kind
    assert all(np.isfinite(output).all() for output in outcome["outputs"].values())


def test_copies_of_one_model_in_different_formats_compute_the_same(outcomes: Any) -> None:
    one = outcomes["tf_keras.keras", False, True]["outputs"][""]
    for case in (("tf_keras.h5", False, True), ("misnamed.model", False, True), ("tf_keras_folder", False, True)):
        np.testing.assert_array_equal(outcomes[case]["outputs"][""], one)
    (graph,) = outcomes["tf_keras_folder", False, False]["outputs"].values()
    np.testing.assert_allclose(graph, one, rtol=1e-6)
    (loops,) = outcomes["recurrent", False, False]["outputs"].values()
    np.testing.assert_allclose(loops, outcomes["recurrent", False, True]["outputs"][""], rtol=1e-5)
    (exported,) = outcomes["keras3_export", False, True]["outputs"].values()
    np.testing.assert_allclose(exported, outcomes["keras3.keras", False, True]["outputs"][""], rtol=1e-6)


def test_a_savedmodels_layers_are_left_alone_where_a_graph_is_enough(outcomes: Any) -> None:
    assert outcomes["tf_keras_folder", False, False]["kind"] == "graph"


@pytest.mark.parametrize(
    "name",
    [
        "lambda2.keras",
        "lambda2.h5",
        "lambda3.keras",
        "writes_file",
        "prints",
        "python",
        "restores_elsewhere",
        "saves_when_called",
    ],
)
def test_a_file_with_code_is_refused_and_its_canary_never_appears(outcomes: Any, name: str) -> None:
    outcome = outcomes[name, False, True]
    assert outcome["error"] == "UnsafeModelError"
    assert "\n" not in outcome["message"]
    assert not outcome["canary"]


@pytest.mark.parametrize(
    "name", ["lambda2.keras", "lambda2.h5", "lambda3.keras", "lambda_folder", "writes_file", "prints"]
)
def test_with_allow_code_the_same_file_loads_and_its_canary_appears(outcomes: Any, name: str) -> None:
    outcome = outcomes[name, True, True]
    assert outcome["message"] == ""
    assert outcome["canary"]


def test_a_savedmodel_with_a_lambda_in_its_metadata_gives_its_graph_and_no_canary(outcomes: Any) -> None:
    outcome = outcomes["lambda_folder", False, True]
    assert outcome["kind"] == "graph"
    assert not outcome["canary"]


def test_a_layer_that_keras_does_not_have_is_an_error_of_one_line_with_a_way_out(outcomes: Any) -> None:
    for allow_code, error in ((False, "UnsafeModelError"), (True, "ModelError")):
        outcome = outcomes["own_layer.keras", allow_code, True]
        assert outcome["error"] == error
        assert "Doubling" in outcome["message"]
        assert "tfcompress.convert(model, ...)" in outcome["message"]


def test_a_graph_that_changes_its_own_state_is_refused_with_the_operator(outcomes: Any) -> None:
    outcome = outcomes["random", False, True]
    assert outcome["error"] == "ModelError"
    assert "keeps state while it computes" in outcome["message"]
    assert "RngReadAndSkip" in outcome["message"]


def test_a_savedmodel_with_cut_variables_is_an_error_of_one_line(outcomes: Any) -> None:
    outcome = outcomes["cut_variables", False, True]
    assert outcome["error"] == "ModelError"
    assert "cannot load the graph" in outcome["message"]


def test_steps_that_need_layers_refuse_a_graph_with_the_reason() -> None:
    graph = load.LoadedSavedModel(
        Path("model"), "serving_default", (InputSpec("x", (3,), "float32"),), ("y",), dict, "it has only a graph"
    )
    with pytest.raises(
        ModelError, match=r"pruning needs Keras layers, and model gives none: it has only a graph; save"
    ):
        load.require_layers(graph, "pruning")


def test_a_tflite_file_is_no_model_to_load() -> None:
    with pytest.raises(ModelError, match="is a .tflite file already"):
        load.load(safety.ModelFile(Path("model.tflite"), "tflite"))


def test_the_real_models_load_with_their_layers(real_data: Path, outcomes: Any) -> None:
    resnet, layers, graph = (outcomes[case] for case in REAL_CASES)
    assert (resnet["kind"], layers["kind"], graph["kind"]) == ("tf_keras", "tf_keras", "graph")
    assert resnet["outputs"][""].shape == (1, 10)
    (from_graph,) = graph["outputs"].values()
    np.testing.assert_allclose(from_graph, layers["outputs"][""], atol=1e-5)
