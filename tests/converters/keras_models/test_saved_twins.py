"""What users rely on: a twin that the bridge made can be saved, passes the safety check, and loads again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from converters.errors import UnsafeModelError
from converters.keras_models import load, safety
from converters.keras_models.bridge import to_keras, to_tf_keras

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def build(activation: str) -> keras.Model:
    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, activation=activation, name="hidden")(inputs)
    return keras.Model(inputs, keras.ops.sin(hidden) * 2 + keras.ops.relu6(hidden))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build("hard_silu")


# tf_keras cannot read registered functions from its own .h5 files, so that one has an activation that it knows itself.
@pytest.mark.parametrize(("suffix", "activation"), [("keras", "hard_silu"), ("h5", "relu")])
def test_a_saved_twin_loads_in_a_new_process_with_equal_outputs(tmp_path: Path, suffix: str, activation: str) -> None:
    model, path = build(activation), tmp_path / f"twin.{suffix}"
    to_tf_keras(model).save(path)
    np.save(tmp_path / "x.npy", X)
    code = (
        "import sys; import numpy as np; from pathlib import Path\n"
        "from converters.keras_models import load, safety\n"
        f"model = load.load(safety.check(Path({str(path)!r})))\n"
        f"np.save({str(tmp_path / 'y.npy')!r}, model(np.load({str(tmp_path / 'x.npy')!r})))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(X), rtol=1e-5, atol=1e-6)


def test_a_model_led_back_to_keras_3_loads_again(model: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "back.keras"
    to_keras(to_tf_keras(model)).save(path)
    np.testing.assert_allclose(load.load(safety.check(path))(X), model(X), rtol=1e-5, atol=1e-6)


def test_our_name_does_not_open_the_door_to_other_modules() -> None:
    from converters.keras_models.safety import configuration

    config = {"class_name": "Operator", "module": "os", "registered_name": "tfcompress>Operator", "config": {}}
    with pytest.raises(UnsafeModelError, match="module 'os'"):
        configuration.check_config(config, "here")
    config |= {"module": "converters.keras_models.bridge.operators", "config": {"operation": "__class__"}}
    with pytest.raises(UnsafeModelError, match="operation '__class__'"):
        configuration.check_config(config, "here")
