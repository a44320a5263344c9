"""The demo app's two builds make the same app, and the app asks for no more than it says."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from two_builds import DEMO, Gradle, Pom

ANDROID = "{http://schemas.android.com/apk/res/android}"
SOURCES = DEMO / "app" / "src"


def manifest(build: str) -> ET.Element:
    return ET.parse(SOURCES / build / "AndroidManifest.xml").getroot()


@pytest.mark.parametrize(
    ("gradle", "maven"),
    [
        ("namespace", "package"),
        ("applicationId", "package"),
        ("minSdk", "min.sdk"),
        ("targetSdk", "target.sdk"),
        ("compileSdk", "target.sdk"),
        ("versionCode", "version.code"),
        ("versionName", "project.version"),
    ],
)
def test_both_builds_name_the_app_and_its_android_versions_alike(gradle: str, maven: str) -> None:
    assert Gradle().value(gradle) == Pom().value(maven)


def test_both_builds_ship_libraries_for_the_same_processors() -> None:
    assert sorted(Gradle().value("abiFilters").split(", ")) == sorted(Pom().value("abis").split())


@pytest.mark.parametrize("option", ["sourceCompatibility", "targetCompatibility"])
def test_both_builds_compile_the_same_java(option: str) -> None:
    level = Pom().value("java.level")

    assert Gradle().value(option) == f"JavaVersion.VERSION_1_{level}"


def test_both_builds_ship_the_same_tensorflow_lite() -> None:
    # Maven copies the archive; its classes' own archive comes with it in Gradle.
    assert Gradle().libraries("implementation") == {f"org.tensorflow:tensorflow-lite:{Pom().value('tflite.version')}"}


def test_both_builds_test_with_the_same_libraries() -> None:
    platform = f"org.robolectric:android-all:{Pom().value('android.all.version')}"

    assert Gradle().libraries("testImplementation") == Pom().libraries("test") | {platform}


def test_the_platform_that_maven_compiles_against_is_gradles_compile_sdk() -> None:
    version_of = {"34": "14", "35": "15"}

    assert Pom().value("android.all.version").startswith(version_of[Gradle().value("compileSdk")] + "-")


def test_models_are_stored_uncompressed_by_both_builds() -> None:
    assert Gradle().value("noCompress") == "tflite"
    assert re.search(r"-0 \.tflite\b", (DEMO / "tools" / "apk.sh").read_text(encoding="utf-8"))


def test_gradles_versions_are_pinned() -> None:
    plugin = re.search(r"id 'com\.android\.application' version '([^']+)'", (DEMO / "build.gradle").read_text("utf-8"))
    wrapper = (DEMO / "gradle" / "wrapper" / "gradle-wrapper.properties").read_text("utf-8")

    # The plugin's release notes: 8.7 needs Gradle 8.9.
    assert plugin is not None and plugin[1].startswith("8.7.")
    assert "gradle-8.9-bin.zip" in wrapper
    assert re.search(r"^distributionSha256Sum=[0-9a-f]{64}$", wrapper, re.MULTILINE)


@pytest.mark.parametrize("build", ["main", "debug"])
def test_nothing_leaves_the_phone(build: str) -> None:
    permissions = {asked.get(f"{ANDROID}name") for asked in manifest(build).iter("uses-permission")}

    assert not {name for name in permissions if re.search("INTERNET|NETWORK|WIFI|BLUETOOTH|LOCATION", name or "")}


def test_a_backup_takes_no_models_from_the_phone() -> None:
    application = manifest("main").find("application")

    assert application is not None
    assert application.get(f"{ANDROID}allowBackup") == "false"


def test_what_other_apps_may_open_is_only_the_start_screen() -> None:
    exported = {
        component.get(f"{ANDROID}name")
        for component in manifest("main").iter()
        if component.get(f"{ANDROID}exported") == "true"
    }

    assert exported == {".MainActivity"}


OF_THE_DEBUG_BUILD = re.compile(r"\bBenchmarkActivity\b|\bdemo\.wire\b")


def of_the_debug_build(folder: Path, ending: str) -> list[str]:
    """The files in a folder that need what only the debug build has."""
    files = sorted(folder.rglob(f"*{ending}"))
    return [path.name for path in files if OF_THE_DEBUG_BUILD.search(path.read_text("utf-8"))]


def test_the_release_build_cannot_be_asked_by_wire() -> None:
    assert "BenchmarkActivity.java" in of_the_debug_build(SOURCES / "debug" / "java", ".java")

    assert not of_the_debug_build(SOURCES / "main" / "java", ".java")
    assert not of_the_debug_build(SOURCES / "main", "AndroidManifest.xml")


def test_gradle_can_compile_the_tests_of_both_builds() -> None:
    # src/test is compiled against the release build too.
    needing_debug = of_the_debug_build(SOURCES / "test", ".java")

    assert not needing_debug, "move them to src/testDebug"


def test_no_key_and_nothing_built_is_kept_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "android_demo"], cwd=DEMO.parent, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")

    unwanted = re.compile(r"\.(keystore|jks|p12|apk|aar|jar|class|dex|so)$|/target/|/build/")

    assert not [path for path in listed.stdout.splitlines() if unwanted.search(path)]
