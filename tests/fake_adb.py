"""A scripted stand-in for adb, a phone and the demo app; tests put it on PATH as `adb` (see `test_adb.py`).

The folder in FAKE_ADB is the phone: `scenario.json` says how it behaves, `sdcard` is its storage, `seen.json` what the
app was asked for. `adb shell` gives its line to a real shell, with this file as `am`, `pm`, `getprop`, `logcat` and
`pidof`, so that quoting is tried and not imitated.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PHONE = Path(os.environ["FAKE_ADB"])
SCENARIO = json.loads((PHONE / "scenario.json").read_text(encoding="utf-8"))
PACKAGE = "org.tfcompress.demo"
STORAGE = PHONE / "sdcard"
FOLDER = STORAGE / "Android/data" / PACKAGE / "files"
TOOLS = ("am", "pm", "getprop", "logcat", "pidof")


def main(words: list[str]) -> int:
    name = Path(sys.argv[0]).name
    with (PHONE / "calls.txt").open("a", encoding="utf-8") as log:
        log.write(json.dumps([name, *words]) + "\n")
    return TOOL[name](words) if name in TOOLS else adb(words)


def adb(words: list[str]) -> int:
    serial = None
    if words[0] == "-s":
        serial, words = words[1], words[2:]
    verb = " ".join(words)
    for mark in SCENARIO.get("hang", []):
        if mark in verb:
            time.sleep(60)
    if (killed := SCENARIO.get("killed")) and killed in verb:
        os.kill(os.getpid(), signal.SIGKILL)
    if (flood := SCENARIO.get("flood")) and flood in verb:
        while True:
            sys.stdout.write("x" * 65_536)
    if words[0] == "devices":
        print(SCENARIO.get("devices", "List of devices attached\nPHONE1\tdevice\n"))
        return SCENARIO.get("devices_status", 0)
    if (lost := SCENARIO.get("lost")) and lost in verb:
        if words[0] == "push":  # as adb 29.0.6 says it, on standard output
            print(f"adb: error: failed to get feature set: device '{serial}' not found")
        else:
            print(f"error: device '{serial}' not found", file=sys.stderr)
        return 1
    return push(words[1:]) if words[0] == "push" else shell(words[1:])


def push(words: list[str]) -> int:
    source, target = words
    if error := SCENARIO.get("push_error"):
        # As adb 29.0.6 says it, on standard output.
        print(f"adb: error: failed to copy '{source}' to '{target}': {error}\n{source}: 0 files pushed, 0 skipped.")
        return 1
    # The sync service takes the path as it is; no shell is between.
    (PHONE / target.removeprefix("/").replace("sdcard", str(STORAGE), 1)).write_bytes(Path(source).read_bytes())
    print(f"{source}: 1 file pushed, 0 skipped.")
    return 0


def shell(words: list[str]) -> int:
    line = " ".join(words).replace("/sdcard/", f"{STORAGE}/")  # joined, as adb joins them
    tools = PHONE / "bin"
    environment = {**os.environ, "PATH": f"{tools}:/usr/bin:/bin", "HOME": str(PHONE / "home")}
    return subprocess.run(["/bin/sh", "-c", line], env=environment, check=False).returncode


def am(words: list[str]) -> int:
    if words[0] == "force-stop":
        (PHONE / "stopped").touch()
        return 0
    print(f"Starting: Intent {{ cmp={PACKAGE}/.BenchmarkActivity (has extras) }}")
    if error := SCENARIO.get("start_error"):
        print(error)
        return SCENARIO.get("start_status", 0)
    extras: dict[str, str | int] = {}
    rest = words[3:]
    while rest:
        kind, key, value, *rest = rest
        extras[key] = int(value) if kind == "--ei" else value
    if SCENARIO.get("real_app"):
        ask(extras)
        return 0
    if not extras:
        if not SCENARIO.get("no_folder_ever"):
            FOLDER.mkdir(parents=True, exist_ok=True)
        return 0
    answer(extras)
    return 0


def ask(extras: dict[str, str | int]) -> None:
    """Leaves it to the app's own code, which looks into this folder: ComputerAsksTest of android_demo."""
    name = str(extras.get("id", "none"))
    temporary = PHONE / f"{name}.tmp"
    temporary.write_text(json.dumps(extras), encoding="utf-8")
    temporary.rename(PHONE / "asked" / f"{name}.json")


def answer(extras: dict[str, str | int]) -> None:
    """What the app does: it measures the file of that name in its own folder, and writes what it found."""
    model = (FOLDER / str(extras["model"])).read_bytes()
    seen = PHONE / "seen.json"
    before = json.loads(seen.read_text()) if seen.exists() else []
    seen.write_text(json.dumps([*before, {**extras, "sha256": hashlib.sha256(model).hexdigest()}]))
    if (reply := SCENARIO.get("reply")) is not None:
        text = reply.replace("@ID@", str(extras["id"])).replace("@THREADS@", str(extras["threads"]))
        temporary = FOLDER / f"result-{extras['id']}.json.tmp"
        temporary.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        temporary.rename(FOLDER / f"result-{extras['id']}.json")


def pm(words: list[str]) -> int:
    if SCENARIO.get("installed", True):
        print(f"package:/data/app/{words[1]}/base.apk")
        return 0
    return 1


def getprop(words: list[str]) -> int:
    known = {"ro.product.manufacturer": "Google", "ro.product.model": "Pixel 8", "ro.build.version.release": "14"}
    print(SCENARIO.get("properties", known).get(words[0], ""))
    return 0


def logcat(words: list[str]) -> int:
    seen = PHONE / "seen.json"
    run = json.loads(seen.read_text())[-1]["id"] if seen.exists() else ""
    print("--------- beginning of main")
    print(SCENARIO.get("log", "").replace("@ID@", run))
    return 0


def pidof(words: list[str]) -> int:
    """Alive for as many questions as the scenario says."""
    questions = sum('["pidof"' in line for line in (PHONE / "calls.txt").read_text().splitlines())
    return 0 if questions <= SCENARIO.get("alive", 1_000_000) else 1


TOOL = {"am": am, "pm": pm, "getprop": getprop, "logcat": logcat, "pidof": pidof}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
