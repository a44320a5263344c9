"""What users rely on: every technique and every parameter is listed, from one file each, without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tfcompress.techniques
from converters.errors import UsageError
from tfcompress import registry
from tfcompress.cli import group
from tfcompress.report import techniques

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


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "toy_rounding.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(tfcompress.techniques, "__path__", [*tfcompress.techniques.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "tfcompress.techniques.toy_rounding", raising=False)
    registry.find.cache_clear()
    yield "toy_rounding"
    registry.find.cache_clear()
    sys.modules.pop("tfcompress.techniques.toy_rounding", None)


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


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no technique 'prunne'; expected one of cluster, .*; did you mean prune\?"):
        group.main(args=["techniques", "prunne"], standalone_mode=False)
