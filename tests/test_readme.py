"""What readers rely on: the README's numbers are those that were measured, and its files and commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tfcompress.cli import group

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_equal_the_measured_results() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "readme_tables.py"), "--check"]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:docs|benchmarks)/[\w./]+|CONTRIBUTING\.md)`", README))))
def test_named_files_exist(name: str) -> None:
    assert (ROOT / name).exists()


def test_named_commands_exist_and_every_command_is_documented() -> None:
    context = click.Context(group)
    commands = set(group.list_commands(context))
    named = set(re.findall(r"^tfcompress ([\w-]+)", README, re.MULTILINE))
    assert named and named <= commands
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert all(f"tfcompress {name}" in changes for name in commands)


def test_the_readme_opens_with_the_two_commands() -> None:
    assert re.findall(r"^make (\w+)", README, re.MULTILINE)[:2] == ["demo", "test"]
