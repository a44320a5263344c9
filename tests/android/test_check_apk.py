"""The look that the Maven build takes at its APK finds each fault it is there for."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from two_builds import DEMO, Pom

TARGET = DEMO / "target"
BUILT = TARGET / "app-debug.apk"
TOOLS = ["aapt2", "apksigner", "zipalign", "dexdump", "zip", "unzip", "keytool", "java"]
LIBRARY = "lib/arm64-v8a/libtensorflowlite_jni.so"
MAVEN = Path.home() / ".m2" / "repository"

pytestmark = [
    pytest.mark.skipif(not BUILT.is_file(), reason="no APK is built; run `make android`"),
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}"),
]


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True, capture_output=True)


def settings() -> dict[str, str]:
    """The variables that tools/steps.xml gives the script."""
    pom = Pom()
    names = {
        "PACKAGE": "package",
        "MIN_SDK": "min.sdk",
        "TARGET_SDK": "target.sdk",
        "VERSION_CODE": "version.code",
        "VERSION_NAME": "project.version",
        "ABIS": "abis",
        "TFLITE_VERSION": "tflite.version",
    }
    return {variable: pom.value(name) for variable, name in names.items()}


def complaint(apk: Path, **other: str) -> str:
    """What the script says of an APK; nothing where it is content."""
    environment = {**os.environ, **settings(), **other}
    script = DEMO / "tools" / "check_apk.sh"
    done = subprocess.run(["bash", script, apk], env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stderr == ""), done
    assert done.stderr.count("\n") <= 1, "one line"
    return done.stderr.strip()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "test.keystore"
    words = "-genkeypair -storepass android -keypass android -alias a -dname CN=Test -keyalg RSA -validity 2"
    run("keytool", *words.split(), "-storetype", "PKCS12", "-keystore", path)
    return path


Change = Callable[[Path], None]
Remake = Callable[..., Path]


@pytest.fixture
def remade(tmp_path: Path, key: Path) -> Remake:
    """Makes a copy of the APK with a change, aligned and signed again where that matters."""

    def remake(change: Change, *sign_options: str, sign: bool = True) -> Path:
        changed, aligned, signed = (tmp_path / f"{name}.apk" for name in ("changed", "aligned", "signed"))
        shutil.copy(TARGET / "unsigned.apk", changed)
        change(changed)
        run("zipalign", "-f", "-p", "4", changed, aligned)
        if not sign:
            return aligned
        run("apksigner", "sign", "--ks", key, "--ks-pass", "pass:android", *sign_options, "--out", signed, aligned)
        return signed

    return remake


def adding(name: str, content: bytes, how: int = zipfile.ZIP_STORED) -> Change:
    def change(apk: Path) -> None:
        with zipfile.ZipFile(apk, "a") as archive:
            archive.writestr(name, content, how)

    return change


def replacing(name: str, content: bytes) -> Change:
    def change(apk: Path) -> None:
        run("zip", "-q", "-d", apk, name)
        adding(name, content)(apk)

    return change


def with_manifest(old: str, new: str) -> Change:
    """Replaces words of the manifest and translates it anew with the app's own resources."""
    platform = Pom().value("android.all.version")
    jar = MAVEN / "org" / "robolectric" / "android-all" / platform / f"android-all-{platform}.jar"
    if not jar.is_file():
        pytest.skip("Maven's local repository is elsewhere")
    text = (TARGET / "AndroidManifest.xml").read_text("utf-8")
    assert old in text

    def change(apk: Path) -> None:
        manifest, linked, given = apk.with_suffix(".xml"), apk.with_suffix(".linked"), settings()
        manifest.write_text(text.replace(old, new), "utf-8")
        versions = ["--min-sdk-version", given["MIN_SDK"], "--target-sdk-version", given["TARGET_SDK"]]
        versions += ["--version-code", given["VERSION_CODE"], "--version-name", given["VERSION_NAME"]]
        resources = ["--auto-add-overlay", "-R", TARGET / "debug-res.zip", TARGET / "res.zip"]
        run("aapt2", "link", "-o", linked, "-I", jar, "--manifest", manifest, *versions, *resources)
        with zipfile.ZipFile(linked) as archive:
            replacing("AndroidManifest.xml", archive.read("AndroidManifest.xml"))(apk)

    return change


def test_the_apk_that_was_built_is_as_promised() -> None:
    assert complaint(BUILT) == ""


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PACKAGE", "org.other", "does not show package org.other"),
        ("VERSION_NAME", "9.9", "does not show package"),
        ("VERSION_CODE", "9", "does not show package"),
        ("MIN_SDK", "27", "does not show minSdkVersion 27"),
        ("TARGET_SDK", "35", "does not show targetSdkVersion 35"),
        ("ABIS", "arm64-v8a", "expected 'arm64-v8a'"),
    ],
)
def test_another_version_than_the_builds_is_seen(variable: str, value: str, said: str) -> None:
    assert said in complaint(BUILT, **{variable: value})


def test_an_apk_without_a_signature_is_seen() -> None:
    assert "apksigner does not verify it" in complaint(TARGET / "aligned.apk")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--v2-signing-enabled=false", "--v3-signing-enabled=false", "--min-sdk-version=23"],
            "apksigner does not verify",
        ),
        (["--v2-signing-enabled=false"], "not signed with APK Signature Scheme v2"),
    ],
)
def test_a_signature_that_some_phones_do_not_take_is_seen(remade: Remake, options: list[str], said: str) -> None:
    assert said in complaint(remade(lambda _: None, *options))


def test_an_apk_that_is_not_aligned_is_seen() -> None:
    assert "zipalign" in complaint(TARGET / "unsigned.apk")


def test_an_apk_that_is_too_big_is_seen(remade: Remake) -> None:
    assert "stay under 15000000" in complaint(remade(adding("assets/big.bin", os.urandom(6_000_000)), sign=False))


@pytest.mark.parametrize("name", ["assets/models/packed/model.tflite", "lib/x86_64/libpacked.so"])
def test_a_compressed_model_or_library_is_seen(remade: Remake, name: str) -> None:
    apk = remade(adding(name, bytes(5000), zipfile.ZIP_DEFLATED), sign=False)

    assert f"{name} is compressed" in complaint(apk)


def test_another_library_than_tensorflow_lites_is_seen(remade: Remake) -> None:
    assert f"{LIBRARY} differs from the one in" in complaint(remade(replacing(LIBRARY, b"\x7fELF")))
    assert "is not a library of" in complaint(remade(adding("lib/arm64-v8a/libother.so", b"\x7fELF")))


def test_assets_other_than_the_sources_are_seen(remade: Remake) -> None:
    assert "assets/stale.txt is not as" in complaint(remade(adding("assets/stale.txt", b"of an earlier build")))


def test_a_key_is_seen(remade: Remake) -> None:
    assert "debug.keystore may be a signing key" in complaint(remade(adding("debug.keystore", b"secret")))


def test_classes_for_tests_are_seen(remade: Remake, tmp_path: Path) -> None:
    pom = Pom()
    junit = MAVEN / "junit" / "junit" / pom.value("junit.version") / f"junit-{pom.value('junit.version')}.jar"
    r8 = MAVEN / "com" / "android" / "tools" / "r8" / pom.value("r8.version") / f"r8-{pom.value('r8.version')}.jar"
    if not (junit.is_file() and r8.is_file()):
        pytest.skip("Maven's local repository is elsewhere")
    with zipfile.ZipFile(junit) as archive:
        archive.extract("org/junit/Test.class", tmp_path)
    found = tmp_path / "org" / "junit" / "Test.class"
    run("java", "-cp", r8, "com.android.tools.r8.D8", "--min-api", "26", "--output", tmp_path, found)

    apk = remade(adding("classes2.dex", (tmp_path / "classes.dex").read_bytes(), zipfile.ZIP_DEFLATED))

    assert "contains org.junit.Test" in complaint(apk)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("android.permission.RECORD_AUDIO", "android.permission.INTERNET", "asks for android.permission.INTERNET"),
        (
            'android:name="android.hardware.camera"',
            'android:name="android.hardware.nfc"',
            "without android.hardware.camera",
        ),
        (
            'android:name=".MainActivity"',
            'android:name=".Missing"',
            "org.tfcompress.demo.Missing, but there is no such",
        ),
        ("android.intent.category.LAUNCHER", "android.intent.category.INFO", "does not show an activity to start"),
        ('android:label="@string/app_name"', "", "does not show a label"),
    ],
)
def test_a_manifest_that_breaks_a_promise_is_seen(remade: Remake, old: str, new: str, said: str) -> None:
    assert said in complaint(remade(with_manifest(old, new)))
