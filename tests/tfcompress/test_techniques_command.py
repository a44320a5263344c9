"""What users rely on: every technique and every parameter is listed, from one file each, without TensorFlow."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tfcompress.techniques
from converters.errors import UsageError
from tfcompress import registry
from tfcompress.cli import group
from tfcompress.invariants import ZeroMask
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe, from_toml
from tfcompress.report import techniques
from tfcompress.task import Task
from tfcompress.training import Trainer

TOY = '''
"""A technique of a user."""

from typing import ClassVar, Literal

from pydantic import Field

from tfcompress.technique import Technique


class Round(Technique):
    """Rounds weights to a few bits.

    w = round(w 2^b) / 2^b. Source: the author's own thoughts.
    """

    makes: ClassVar = frozenset({"zeros"})

    bits: int | None = Field(4, ge=1, le=8, description="How many bits stay.")
    direction: Literal["up", "[bold]down"] = Field("up", description="Where halves go.")

    def apply(self, compressed, trainer):
        return compressed
'''


GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")


@contextlib.contextmanager
def put_in_place(name: str, text: str, folder: Path) -> Iterator[None]:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    places = tfcompress.techniques.__path__
    places.append(str(folder))
    registry.find.cache_clear()
    try:
        yield
    finally:
        places.remove(str(folder))
        registry.find.cache_clear()
        sys.modules.pop(f"tfcompress.techniques.{name}", None)


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[str]:
    with put_in_place("toy_rounding", TOY, tmp_path):
        yield "toy_rounding"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    group.main(args=["techniques", *arguments], standalone_mode=False)
    return capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["prune"], ["--json"]])
def test_it_starts_without_tensorflow(arguments: list[str]) -> None:
    code = (
        "import sys; from tfcompress.cli import main\n"
        f"main({['techniques', *arguments]!r})\n"
        "names = ('tensorflow', 'keras', 'tf_keras', 'tensorflow_model_optimization')\n"
        "print([name for name in names if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", registry.names())
def test_every_technique_explains_itself_and_each_parameter(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, name, "--json"))["techniques"][0]
    assert list(told) == ["name", "summary", "description", "makes", "keeps", "changes_shapes", "parameters"]
    assert told["name"] == name and len(told["summary"]) > 20
    for parameter in told["parameters"]:
        assert list(parameter) == ["name", "type", "default", "allowed", "description"]
        assert len(parameter["description"]) > 10, parameter
    for_people = printed(capsys, name)
    assert told["description"].partition("\n")[0] in for_people
    assert all(parameter["name"] in for_people for parameter in told["parameters"])


@pytest.mark.parametrize("name", registry.names())
def test_the_listed_defaults_make_a_step(name: str) -> None:
    parameters = techniques.describe([name])["techniques"][0]["parameters"]
    built = registry.find(name)(**{parameter["name"]: parameter["default"] for parameter in parameters})
    assert built == registry.find(name)()


def test_all_are_listed_with_all_their_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    everything = printed(capsys)
    listed = json.loads(printed(capsys, "--json"))["techniques"]
    assert [technique["name"] for technique in listed] == ["cluster", "prune", "qat"]
    for technique in listed:
        assert f"{technique['name']}  {technique['summary']}" in everything
        assert all(parameter["name"] in everything for parameter in technique["parameters"])


def test_one_file_is_one_technique(toy: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, toy, "--json"))["techniques"][0]
    assert told == {
        "name": toy,
        "summary": "Rounds weights to a few bits.",
        "description": "w = round(w 2^b) / 2^b. Source: the author's own thoughts.",
        "makes": ["zeros"],
        "keeps": [],
        "changes_shapes": False,
        "parameters": [
            {
                "name": "bits",
                "type": "whole number or none",
                "default": 4,
                "allowed": ">= 1, <= 8",
                "description": "How many bits stay.",
            },
            {
                "name": "direction",
                "type": "text",
                "default": "up",
                "allowed": '"up", "[bold]down"',
                "description": "Where halves go.",
            },
        ],
    }
    assert "[bold]down" in printed(capsys, toy)
    assert toy in printed(capsys)


def test_the_technique_of_the_guide_works_and_keeps_its_promise(tmp_path: Path) -> None:
    import tf_keras

    text = GUIDE.partition("```python\n")[2].partition("```")[0]
    with put_in_place("shrink", text, tmp_path):
        step = Recipe(steps=[{"technique": "prune"}, {"technique": "shrink", "epochs": 1}]).steps[1]
        layer = tf_keras.layers.Dense(3, name="dense")
        model = tf_keras.Sequential([tf_keras.Input((4,)), layer])
        weights = layer.kernel.numpy()
        mask = ZeroMask(np.arange(12).reshape(4, 3) % 2 == 0)
        random = np.random.default_rng(0)
        task = Task(random.normal(size=(20, 4)).astype(np.float32), random.integers(0, 3, 20))
        before = CompressedModel(model, {"dense/kernel": (mask,)})
        after = step.apply(before, Trainer(task))
    assert after.history[-1].technique == "shrink" and len(after.history[-1].epochs) == 1
    assert np.array_equal(layer.kernel.numpy(), weights)
    trained = after.model.get_layer("dense").kernel.numpy()
    assert not np.array_equal(trained, weights) and not trained[~mask.kept].any()


def test_the_recipe_of_the_guide_can_be_built() -> None:
    recipe = from_toml(GUIDE.partition("```toml\n")[2].partition("```")[0])
    assert [step.name for step in recipe.steps] == ["prune", "qat"] and recipe.runtime == "tflm"


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no technique 'prunne'; expected one of cluster, .*; did you mean prune\?"):
        group.main(args=["techniques", "prunne"], standalone_mode=False)
