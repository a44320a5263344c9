"""What users rely on: a Keras model's own answers, the reference for the file made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.child import Limits
from converters.errors import DataError, ModelError
from converters.runtimes import keras as keras_runtime

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(2, 130, 4)).astype(np.float32)


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def model(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Two inputs, two outputs: a - b, and three times a."""
    library = pytest.importorskip(request.param)
    a, b = library.Input((4,), name="a"), library.Input((4,), name="b")
    difference = library.layers.Subtract(name="difference")([a, b])
    triple = library.layers.Rescaling(3.0, name="triple")(a)
    yield library.Model([a, b], [difference, triple])


def test_outputs_come_in_order_with_names_and_a_version(model: Any) -> None:
    said = keras_runtime.predict(model, {"b": B, "a": A})
    np.testing.assert_allclose(said.outputs[0], A - B, atol=1e-6)
    np.testing.assert_allclose(said.outputs[1], 3 * A, atol=1e-5)
    assert said.names == ["difference", "triple"]
    assert said.runtime.split()[0] in ("Keras", "tf_keras")


def test_arrays_in_the_models_order_need_no_names(model: Any) -> None:
    np.testing.assert_allclose(keras_runtime.predict(model, [A, B]).outputs[0], A - B, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([A], "has 1 inputs and the model 2"),
        ({"a": A, "c": B}, r"names the inputs \['a', 'c'\]; the model's inputs are \['a', 'b'\]"),
        ([A, B[:, :3]], r"input 'b' has samples of shape \[3\]; the model takes samples of shape \[4\]"),
        ([A, B[:5]], "same number of samples"),
        ([A, np.full_like(B, np.nan)], "input 'b' holds NaN"),
    ],
)
def test_data_that_do_not_fit_are_refused(model: Any, given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        keras_runtime.predict(model, given)


def test_what_is_no_keras_model_is_refused() -> None:
    with pytest.raises(ModelError, match="a dict is no Keras model"):
        keras_runtime.predict({}, [A])


def test_time_and_memory_grow_with_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Limits] = []

    def note(*_: Any, limits: Limits, **__: Any) -> dict[str, Any]:
        given.append(limits)
        return {"outputs": [], "names": [], "runtime": ""}

    # To run into the limit itself would take an hour.
    monkeypatch.setattr(keras_runtime.child, "call", note)
    keras_runtime.run("model.keras", A)
    keras_runtime.run("model.keras", {"a": np.concatenate([A, A]), "b": np.concatenate([B, B])})
    keras_runtime.run("model.keras", A, limits=Limits(seconds=1.0))
    few, many, own = given
    assert few.seconds >= 3600
    assert many.seconds - few.seconds == 5 * len(A)
    assert many.memory_bytes - few.memory_bytes == 9 * A.nbytes
    assert own.seconds == 1


def test_a_saved_model_answers_in_its_child(real_data: Path) -> None:
    words = np.load(real_data / "mlperf_tiny" / "kws" / "kws01_test_inputs_int8.npz")
    x = (words["x"].astype(np.float32) - 83) * np.float32(0.5847029)
    said = keras_runtime.run(real_data / "mlperf_tiny" / "kws" / "kws_ref_model", x)
    assert float(np.mean(said.outputs[0].argmax(1) == words["y"])) == 0.913
