"""What a hostile file cannot do: break the C++, or bring code of its own into it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from bundle_checks import compile_host, laid_out, made
from small_tflite import G, Op, T, build

from converters.errors import UsageError
from converters.microcontroller import identifiers

HOSTILE = [
    'x"; int evil = 1; //',
    "a\nint evil = 1;",
    "a\r\nint evil = 1;",
    "*/ int evil = 1; /*",
    "ends with a backslash \\",
    "trigraph ??/",
    "{{ 7 * 7 }}{% raw %}",
    "int\u2028evil\u202e",
    "größe/日本語",
    "%s%n",
    "",
    "x" * 5000,
]


def hostile_model() -> bytes:
    """One RELU for each name, which its input has."""
    tensors = [T(name, (1, 8), "int8", scales=(0.05,)) for name in HOSTILE]
    results = [T(name + "!", (1, 8), "int8", scales=(0.05,)) for name in HOSTILE]
    steps = [Op("RELU", [name], [name + "!"]) for name in HOSTILE]
    return build(G([*tensors, *results], steps, HOSTILE, [tensor.name for tensor in results]))


def test_tensor_names_are_nothing_but_a_comment(tmp_path: Path) -> None:
    folder = laid_out(made(hostile_model()), tmp_path)
    text = (folder / "model_small_io.h").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("// ")]
    assert not any("evil" in line or "49" in line for line in lines)
    assert "using Input11" in text and "using Output11" in text
    (folder / "probe.cpp").write_text(
        '#include "model_small_io.h"\nint main() { return model_small::kInput11Elements == 8 ? 0 : 1; }\n'
    )
    sources = [folder / "probe.cpp", folder / "model_small_vectors.cpp", folder / "model_small_data.cpp"]
    compile_host(sources, tmp_path / "probe")
    subprocess.run([tmp_path / "probe"], check=True)


@pytest.mark.parametrize(
    ("stem", "namespace"),
    [
        ("Pretrained ResNet-8", "model_pretrained_resnet_8"),
        ("model_kws", "model_kws"),
        ("int", "model_int"),
        ("__init__", "model_init"),
        ("2024-digits.v3", "model_2024_digits_v3"),
        ("größe", "model_gr_e"),
        ("日本語", "model_unnamed"),
        ("", "model_unnamed"),
        ('x"; system("rm -rf")', "model_x_system_rm_rf"),
        ("../../etc/passwd", "model_etc_passwd"),
        ("x" * 500, "model_" + "x" * 42),
    ],
)
def test_any_file_name_becomes_a_namespace(stem: str, namespace: str) -> None:
    assert identifiers.namespace_of(stem) == namespace
    assert identifiers.checked_namespace(namespace) == namespace


@pytest.mark.parametrize(
    "name", ["int", "std", "Model_X", "a__b", "_a_b", "a_b_", "a-b", "a b", "9_x", "", "a_" * 30 + "b", "a_b\n"]
)
def test_names_that_are_no_safe_namespace_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a namespace"):
        identifiers.checked_namespace(name)


def test_two_bundles_live_in_one_firmware(tmp_path: Path) -> None:
    folders = []
    for name in ("model_one", "model_two"):
        (tmp_path / name).mkdir()
        folders.append(laid_out(made(hostile_model(), name=name), tmp_path / name))
    main = tmp_path / "main.cpp"
    includes = "".join(f'#include "{name}_{part}.h"\n' for name in ("model_one", "model_two") for part in
                       ("data", "io", "vectors", "model", "ticks", "selftest"))  # fmt: skip
    main.write_text(
        includes + "int main() { return &model_one::kModelData[0] == &model_two::kModelData[0] ? 1 : 0; }\n"
    )
    sources = [path for folder in folders for path in folder.glob("*.cpp") if not path.name.endswith(
        ("_model.cpp", "_selftest.cpp", "main.cpp"))]  # fmt: skip
    compile_host([main, *sources], tmp_path / "firmware", *(f"-I{folder}" for folder in folders))
    subprocess.run([tmp_path / "firmware"], check=True)


def test_comments_hold_no_letter_that_ends_them() -> None:
    for name in HOSTILE:
        assert re.fullmatch(r"[A-Za-z0-9_ .,:;()\[\]/-]{1,80}", identifiers.comment(name))
