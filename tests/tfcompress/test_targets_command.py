"""What users of `tfcompress targets` rely on: filters, one target in full with its sources, documented JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tfcompress import targets
from tfcompress.cli import group, main

DOCUMENTED = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
SECTION = DOCUMENTED.partition("## `tfcompress targets")[2].partition("\n## ")[0]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    group.main(args=["targets", *arguments], standalone_mode=False)
    return capsys.readouterr().out


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[str]:
    told = json.loads(printed(capsys, *arguments, "--json"))["targets"]
    names = {one["name"] for one in told}
    lines = printed(capsys, *arguments).splitlines()[1:-1]  # below the header, above the hint
    assert [line.split()[0] for line in lines] == [one["name"] for one in told]
    return names


def test_all_are_listed_as_a_table_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == set(targets.devices())
    row = next(line for line in printed(capsys).splitlines() if line.startswith("nucleo-l4r5zi "))
    assert row.split() == ["nucleo-l4r5zi", "cortex-m4", "120", "MHz", "2", "MiB", "640", "KiB", "tflm-cmsis-nn"]
    assert "ethos-u55-256" in printed(capsys)


def test_filters_keep_what_has_all_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    every = [targets.device(name) for name in targets.devices()]
    assert listed(capsys, "--kind", "phone") == {one.name for one in every if one.kind == "phone"}
    assert listed(capsys, "--core", "cortex-m4") == {one.name for one in every if one.core.name == "cortex-m4"}
    able = listed(capsys, "--runtime", "tflm")
    assert able == {one.name for one in every if "tflm" in (one.runtime, *one.also)} and "pixel-8" not in able
    large = listed(capsys, "--min-ram", "655360", "--core", "cortex-m4")
    assert "nucleo-l4r5zi" in large and "nucleo-l496zg" not in large
    assert listed(capsys, "--min-ram", "655361", "--core", "cortex-m4") < large
    # Nobody publishes the flash of this one: it has not enough for anything.
    assert "pcl-scepu02" not in listed(capsys, "--min-flash", "1")
    assert listed(capsys, "--kind", "phone", "--core", "cortex-m4") == set()


@pytest.mark.parametrize("name", targets.devices())
def test_one_in_full_has_every_number_with_its_source(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, device = printed(capsys, name), targets.device(name)
    for source in (*device.sources.values(), device.core.source, targets.runtime(device.runtime).source):
        assert f"source: {source}" in out
    for number in (device.flash_bytes, device.ram_bytes, device.ram_contiguous_bytes):
        assert number is None or f"{number:,} bytes" in out
    assert all(note in out for note in device.notes)


def test_one_with_another_runtime_and_a_users_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nucleo-l4r5zi:tflm  ST NUCLEO-L4R5ZI" in printed(capsys, "nucleo-l4r5zi:tflm")
    told = json.loads(printed(capsys, "nucleo-l4r5zi:tflm", "--json"))
    assert [one["name"] for one in told["targets"]] == ["nucleo-l4r5zi"]
    assert [one["name"] for one in told["runtimes"]] == ["tflm"]
    path = tmp_path / "mine.toml"
    text = 'name = "mine"\ntitle = "[bold]Mine"\nkind = "board"\nsoc = "x"\ncore = "cortex-m4"\nruntime = "tflm"\n'
    path.write_text(text + '[clock]\nhz = 64_000_000\nsource = "a :smile: sheet"\n', encoding="utf-8")
    out = printed(capsys, str(path))
    assert "mine  [bold]Mine (board, x)" in out and "source: a :smile: sheet" in out


def test_runtimes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, "--runtimes", "--json"))["runtimes"]
    assert [one["name"] for one in told] == list(targets.runtimes())
    assert told[0]["kernels"]["CONV_2D"] == list(targets.runtime(told[0]["name"]).kernels["CONV_2D"])
    out = printed(capsys, "--runtimes")
    assert all(
        re.search(rf"^{name}\b", out, re.M) and targets.runtime(name).source in out for name in targets.runtimes()
    )


def test_every_key_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, "corstone-300", "--json"))
    keys = set(told)
    for one in (*told["targets"], *told["runtimes"]):
        keys |= set(one)
        for section in ("core", "memory", "accelerator", "sources"):
            keys |= set(one.get(section) or ())
    keys |= set(json.loads(printed(capsys, "nucleo-l4r5zi", "--json"))["targets"][0]["power"])
    words = set(re.findall(r"[a-z0-9_]+", SECTION))
    assert len(keys) > 40 and keys <= words, keys - words


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nucleo-l4r5z"], 2, "unknown device 'nucleo-l4r5z' (did you mean 'nucleo-l4r5zi'?)"),
        (["./none.toml"], 1, "none.toml cannot be read"),
        (["--core", "cortex-m44"], 2, "unknown core 'cortex-m44' (did you mean 'cortex-m4'?)"),
        (["--runtime", "tflmm"], 2, "unknown runtime 'tflmm' (did you mean 'tflm'?)"),
        (["--min-ram", "0"], 2, "--min-ram"),
        (["--min-ram", "much"], 2, "--min-ram"),
        (["--kind", "toaster"], 2, "--kind"),
        (["nucleo-l4r5zi", "--min-ram", "1"], 2, "--min-ram filters the list of devices; leave it out."),
        (["--runtimes", "--core", "cortex-m4"], 2, "--core filters the list of devices; leave it out."),
        (["nucleo-l4r5zi", "--runtimes"], 2, "--runtimes lists all runtimes; leave NAME out."),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["targets", *arguments])
    out, error = capsys.readouterr()
    assert stopped.value.code == status and not out
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error


@pytest.mark.parametrize("arguments", [[], ["corstone-300"], ["--runtimes"], ["--json"], ["--help"]])
def test_it_starts_without_tensorflow_or_numpy(arguments: list[str]) -> None:
    code = (
        "import sys; from tfcompress.cli import main\n"
        f"try: main({['targets', *arguments]!r})\nexcept SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'pydantic') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
