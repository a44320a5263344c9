"""What contributors rely on: imports point one way, and light commands stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module may import modules of its own layer and of those below it. The first matching prefix counts.
LAYERS = [
    ["tfcompress.cli", "tfcompress.__main__"],
    ["tfcompress.demo", "tfcompress.compression", "tfcompress.search", "tfcompress.doctor", "tfcompress.report"],
    [
        "tfcompress.pipeline",
        "tfcompress.steps",
        "tfcompress.scorecard",
        "tfcompress.fingerprint",
        "tfcompress.result_folder",
    ],
    ["tfcompress.outcome", "tfcompress.proof", "tfcompress.twin"],
    ["tfcompress.conversion", "tfcompress.repacking", "tfcompress.export"],
    ["tfcompress.benchmark"],
    ["tfcompress.recipe"],
    ["tfcompress.registry"],
    ["tfcompress.techniques", "tfcompress.pruning", "tfcompress.clustering", "tfcompress.quantization"],
    ["tfcompress.evaluation"],
    [
        "tfcompress.technique",
        "tfcompress.training",
        "tfcompress.fitting",
        "tfcompress.distillation",
        "tfcompress.norms",
        "tfcompress.checkpoint",
        "tfcompress.compatibility",
    ],
    [
        "tfcompress.targets",
        "tfcompress.task",
        "tfcompress.metrics",
        "tfcompress.model",
        "tfcompress.invariants",
        "tfcompress.selection",
    ],
    ["tfcompress"],
    ["converters"],
]


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] in ("tfcompress", "converters")}


def layer(module: str) -> int:
    for index, prefixes in enumerate(LAYERS):
        if any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes):
            return index
    raise AssertionError(module)


EVERY_MODULE = [*modules("tfcompress"), *modules("converters")]


@pytest.mark.parametrize(("name", "path"), EVERY_MODULE, ids=[name for name, _ in EVERY_MODULE])
def test_imports_point_one_way(name: str, path: Path) -> None:
    # `tfcompress` itself re-exports the documented functions, and sees them only when they are asked for.
    upward = [] if name == "tfcompress" else sorted(other for other in imports(path) if layer(other) < layer(name))
    assert not upward, f"{name} imports {upward}, which stand above it"


@pytest.mark.parametrize(("name", "path"), EVERY_MODULE, ids=[name for name, _ in EVERY_MODULE])
def test_files_stay_under_400_lines_and_functions_under_40(name: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            start = node.body[1].lineno if documented and len(node.body) > 1 else node.body[0].lineno
            assert (node.end_lineno or 0) - start < 40, f"{name}.{node.name} is too long"


def test_environment_variables_are_set_for_children_only() -> None:
    def sets(node: ast.AST) -> bool:
        text = ast.unparse(node) if isinstance(node, ast.Call | ast.Assign | ast.AugAssign | ast.Delete) else ""
        if isinstance(node, ast.Call):
            changers = ("setdefault", "update", "pop", "clear", "popitem", "__setitem__")
            return text.startswith(("os.putenv", "os.unsetenv", *(f"os.environ.{name}(" for name in changers)))
        return text.startswith(("os.environ", "del os.environ"))

    setters = [name for name, path in EVERY_MODULE if any(map(sets, ast.walk(ast.parse(path.read_text()))))]
    # Importing TF-MOT sets one, which is put back there.
    assert setters == ["converters.keras_models.tf_mot"]


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["convert", "--help"],
        ["env"],
        ["inspect", "--help"],
        ["compress", "--help"],
        ["device-log", "--help"],
        ["targets"],
    ],
)
def test_light_commands_import_neither_tensorflow_nor_numpy(command: list[str]) -> None:
    code = (
        "import sys; from tfcompress.cli import main\n"
        f"try: main({command!r})\nexcept SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'rich.progress') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
