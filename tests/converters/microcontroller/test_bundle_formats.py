"""What a bundle holds for each build system, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from bundle_checks import MODELS, laid_out, made, relu
from small_tflite import G, Op, T, build, small_graph

import tfcompress.targets
from converters import folder
from converters.errors import CompressionError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.microcontroller import bundle, catalogue, operators

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
CPP = [f"model_small_{name}" for name in (
    "data.h", "data.cpp", "io.h", "vectors.h", "vectors.cpp", "model.h", "model.cpp", "ticks.h", "ticks.cpp",
    "selftest.h", "selftest.cpp",
)]  # fmt: skip
TREES = {
    "cmake": ("src", ["CMakeLists.txt", "CMakePresets.json", "cmake/arm-none-eabi.cmake", "qemu/mps2.ld",
                      "qemu/startup.cpp", "src/main.cpp"]),
    "arduino": ("model_small", ["model_small/model_small.ino"]),
    "platformio": ("src", ["platformio.ini", "CMakeLists.txt", "sdkconfig.defaults", "src/CMakeLists.txt",
                           "src/idf_component.yml", "src/main.cpp"]),
    "zephyr": ("src", ["CMakeLists.txt", "prj.conf", "src/main.cpp"]),
    "esp-idf": ("main", ["CMakeLists.txt", "sdkconfig.defaults", "main/CMakeLists.txt", "main/idf_component.yml",
                         "main/main.cpp"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def bundles() -> dict[str, bundle.Bundle]:
    # Dense weights with one scale, which every TFLM takes.
    return {name: made(build(small_graph("int8")), name) for name in catalogue.names()}


def test_there_is_a_tree_for_every_format() -> None:
    assert sorted(TREES) == catalogue.names()


@pytest.mark.parametrize("name", sorted(TREES))
def test_each_format_has_its_own_conventions(name: str, bundles: dict[str, bundle.Bundle]) -> None:
    where, own = TREES[name]
    expected = [f"{where}/{file}" for file in CPP] + own + ["README.md", "bundle.json"]
    files = bundles[name].files
    assert sorted(files) == sorted(expected)
    manifest = json.loads(files["bundle.json"])
    assert manifest["files"] == sorted(files) and manifest["format"] == name
    for path, content in files.items():
        text = content.decode("ascii")
        assert text.endswith("\n") and not text.endswith("\n\n"), path
        assert not re.search(r"[ \t]\n|\{\{|\{%|\n\n\n", text), path
        assert max(map(len, text.splitlines())) <= 240 if path == "README.md" else 121, path


def test_the_same_file_gives_the_same_bytes(bundles: dict[str, bundle.Bundle]) -> None:
    made.cache_clear()
    assert made(build(small_graph("int8")), "cmake").files == bundles["cmake"].files


def test_the_file_that_needs_tflm_is_as_reviewed(bundles: dict[str, bundle.Bundle]) -> None:
    text = bundles["cmake"].files["src/model_small_model.cpp"].decode()
    assert text == (GOLDEN / "bundle_model.cpp").read_text()
    assert text.count("resolver.Add") == len(bundles["cmake"].operators) == 4


def test_the_arena_is_what_was_measured_and_the_margin() -> None:
    data = build(small_graph("int8"))
    for margin in (0, 50):
        options = bundle.Options(count=1, margin_percent=margin)
        arena = bundle.make(FlatBuffer(data), "cmake", name="model_small", options=options).arena
        assert arena.given_bytes % 16 == 0
        assert 0 <= arena.given_bytes - arena.measured_bytes * (1 + margin / 100) < 17


def test_every_operator_that_tflm_runs_has_a_method() -> None:
    table = Path(tfcompress.targets.__file__).parent / "runtimes" / "tflm.toml"
    found = tomllib.loads(table.read_text())
    named = set(found["kernels"]) | set(found["kernels_from_source"])
    methods = operators.resolver_methods()
    assert named == set(methods["builtin"]) | set(methods["custom"])
    every = [*methods["builtin"].values(), *methods["custom"].values()]
    assert len(set(every)) == len(every) and all(re.fullmatch(r"Add[A-Z]\w+", name) for name in every)


def test_the_cmake_project_builds_without_tflm(bundles: dict[str, bundle.Bundle], tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    laid_out(bundles["cmake"], tmp_path)
    for command in (["cmake", "--preset", "host"], ["cmake", "--build", "--preset", "host"]):
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list(tmp_path.rglob("libmodel_small_data.a"))


def decoding(custom: str) -> bytes:
    """A file with a custom operator before a RELU."""
    tensors = [
        T("packed", (1, 16), "uint8", values=range(16)),
        T("table", (1, 16), "uint8", values=range(16)),
        T("x", (1, 8), "int8", scales=(0.1,)),
        T("w", (1, 8), "int8", scales=(0.1,)),
        T("y", (1, 8), "int8", scales=(0.1,)),
    ]
    steps = [Op(custom, ["packed", "table"], ["w"]), Op("RELU", ["x"], ["y"])]
    return build(G(tensors, steps, ["x"], ["y"]))


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(ModelError) as caught:
        bundle.check(FlatBuffer(data), catalogue.find(name))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_encoded_file_goes_only_where_tflm_has_decode() -> None:
    encoded = decoding("TFLM_DECODE")
    for name in catalogue.names():
        if catalogue.find(name).decode:
            assert bundle.check(FlatBuffer(encoded), catalogue.find(name)) == ("AddDecode", "AddRelu")
        else:
            assert "no TFLM for Arduino is known to have that operator; export a plain file" in refusal(encoded, name)
    assert [name for name in catalogue.names() if not catalogue.find(name).decode] == ["arduino"]


@pytest.mark.parametrize("custom", ["FlexErf", "ADD", "RELU", "", 'x"; system("ls'])
def test_a_custom_operator_that_tflm_lacks_is_refused_whatever_its_name(custom: str) -> None:
    # `RELU` as a custom code is no RELU.
    tree = decoding("TFLM_DECODE").replace(b"TFLM_DECODE", custom.encode().ljust(11, b"_")[:11])
    assert "is a custom operator that TFLM has no kernel for" in refusal(tree, "cmake")


def test_an_operator_that_tflm_lacks_is_refused() -> None:
    gelu = build(G([T("x", (1, 8), "float32"), T("y", (1, 8), "float32")], [Op("GELU", ["x"], ["y"])], ["x"], ["y"]))
    assert "operator 0 (GELU) is one that TFLM has no kernel for" in refusal(gelu, "cmake")


def test_an_operator_that_an_older_tflm_lacks_is_refused_there() -> None:
    tensors = [
        T("x", (1, 8), "int8", scales=(0.1,)),
        T("axis", (1,), "int32", values=[1]),
        T("y", (1,), "int8", scales=(0.1,)),
    ]
    data = build(G(tensors, [Op("REDUCE_MIN", ["x", "axis"], ["y"])], ["x"], ["y"]))
    assert "the file has operator REDUCE_MIN, which the TFLM known for Arduino" in refusal(data, "arduino")
    assert bundle.check(FlatBuffer(data), catalogue.find("cmake")) == ("AddReduceMin",)


def test_what_a_format_lacks_is_an_operator_and_every_statement_is_a_sentence() -> None:
    methods = operators.resolver_methods()
    for name in catalogue.names():
        chosen = catalogue.find(name)
        assert set(chosen.lacks) <= set(methods["builtin"]) | set(methods["custom"])
        assert all(text.endswith(".") for text in (chosen.tflm, chosen.tried, chosen.decode_since))


def test_dense_weights_per_channel_are_refused_where_tflm_would_compute_wrong_values() -> None:
    graph = small_graph("int8")
    kernel = next(tensor for tensor in graph.tensors if tensor.name == "dense/kernel")
    kernel.scales = (0.1, 0.2, 0.3, 0.4, 0.5)
    assert "--dense per-tensor" in refusal(build(graph), "arduino")
    assert bundle.check(FlatBuffer(build(graph)), catalogue.find("zephyr"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (bundle.Options(count=0), "0 vectors were asked for"),
        (bundle.Options(count=10**7), "ask for fewer"),
        (bundle.Options(margin_percent=-1), "expected 0 to 1000"),
    ],
)
def test_options_out_of_range_are_refused(options: bundle.Options, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        bundle.make(FlatBuffer(relu("int8")), "cmake", name="model_small", options=options)


# --- the folder -------------------------------------------------------------------------------------------------


def test_a_bundle_replaces_a_bundle_with_what_was_built_in_it_and_nothing_else(
    bundles: dict[str, bundle.Bundle], tmp_path: Path
) -> None:
    place = tmp_path / "firmware"
    folder.write(place, bundles["cmake"].files, bundle.FOLDER)
    with pytest.raises(CompressionError, match="--force"):
        folder.write(place, bundles["zephyr"].files, bundle.FOLDER)
    (place / "build").mkdir()
    (place / "build" / "firmware.elf").write_bytes(b"x")
    folder.write(place, bundles["zephyr"].files, bundle.FOLDER, force=True)
    assert {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()} == set(
        bundles["zephyr"].files
    )
    (place / "src" / "mine.cpp").write_text("int x;")
    with pytest.raises(CompressionError, match="holds src/mine.cpp, which is no part of a bundle"):
        folder.write(place, bundles["cmake"].files, bundle.FOLDER, force=True)
    assert (place / "prj.conf").exists() and (place / "src" / "mine.cpp").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["firmware"]


def test_the_models_of_these_tests_are_of_every_type_of_input() -> None:
    assert {FlatBuffer(make()).inputs[0].dtype for make in MODELS.values()} == set(MODELS)
