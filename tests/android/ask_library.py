"""Which versions of which operators the demo app's TFLite library has, asked of the library itself.

    mvn -B -f android_demo verify            # makes the library loadable here (android_demo/tools/host_so)
    python tests/android/ask_library.py      # writes converters/android/operator_versions.toml anew

The library looks up every operator that a file lists before anything else, and names the first that it does not have:
a file that lists an operator in version 1, 2, 3, ... and uses none tells how far the library goes.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from ai_edge_litert import schema_py_generated as schema  # noqa: E402

from converters.android import operators  # noqa: E402
from converters.flatbuffer import objects  # noqa: E402

LIBRARY = ROOT / "android_demo" / "target" / "host_so" / "x86_64"
# The highest that any operator of the schema has is far below.
_MOST = 30
_NO_OPERATORS = frozenset({"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"})
_REFUSED = re.compile(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'")
_BEYOND = re.compile(r"Op builtin_code out of range: (\d+)")


def library() -> Path:
    """The AAR's own file, of which the loadable one is a copy."""
    version = operators.runtime().split()[-1]
    return ROOT / f"android_demo/target/aar/tensorflow-lite-{version}/jni/x86_64/libtensorflowlite_jni.so"


def versions() -> dict[str, tuple[int, int]]:
    """Operator -> its lowest and its highest version; those that the library does not have are missing."""
    names = {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if not name.startswith("_") and name not in _NO_OPERATORS
    }
    with tempfile.TemporaryDirectory() as folder:
        asked = {name: _taken(Path(folder) / "asked.tflite", number) for number, name in names.items()}
    return {name: (min(taken), max(taken)) for name, taken in sorted(asked.items()) if taken}


def _taken(file: Path, number: int) -> list[int]:
    taken: list[int] = []
    first = 1
    while first <= _MOST:
        file.write_bytes(_listing(number, first))
        said = _said(file)
        if _BEYOND.search(said):
            break
        refused = _REFUSED.search(said)
        assert refused is not None, f"operator {number} from version {first}: {said.strip()}"
        until = int(refused.group(2))
        taken += range(first, until)
        if taken:
            break
        first = until + 1
    return taken


def _listing(number: int, first: int) -> bytes:
    model = schema.ModelT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [schema.SubGraphT()]
    graph = model.subgraphs[0]
    tensor = schema.TensorT()
    tensor.name, tensor.shape = b"x", [1]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [tensor], [], [0], [0]
    model.operatorCodes = []
    for version in range(first, _MOST + 2):
        code = schema.OperatorCodeT()
        code.deprecatedBuiltinCode, code.builtinCode, code.version = min(number, 127), number, version
        model.operatorCodes.append(code)
    return objects.pack(model)


def _said(file: Path) -> str:
    words = [str(LIBRARY / "run_model"), str(LIBRARY / "libtensorflowlite_jni.so"), str(file), "1", "default"]
    environment = os.environ | {"LD_LIBRARY_PATH": str(LIBRARY)}
    asked = subprocess.run(words, env=environment, input=b"", capture_output=True, check=False, timeout=60)
    return asked.stderr.decode()


def main() -> None:
    """Writes the table."""
    digest, found = hashlib.sha256(library().read_bytes()).hexdigest(), versions()
    lines = [
        "# The versions of each operator that the demo app's library takes. Made by tests/android/ask_library.py, and",
        "# held to the library by tests/android/test_operator_versions.py.",
        "",
        f'runtime = "{operators.runtime()}"',
        'source = """',
        f"org.tensorflow:tensorflow-lite:{operators.runtime().split()[-1]} (Maven Central), "
        "jni/x86_64/libtensorflowlite_jni.so, \\",
        f"SHA-256 {digest}: \\",
        'files that list one operator in versions 1, 2, 3, ..., and which of them it refuses"""',
        "",
        "[highest]",
        *(f"{name} = {highest}" for name, (_, highest) in found.items()),
        "",
        "# Where that is not 1.",
        "[lowest]",
        *(f"{name} = {lowest}" for name, (lowest, _) in found.items() if lowest > 1),
    ]
    operators.FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
