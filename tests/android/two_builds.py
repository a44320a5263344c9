"""What pom.xml and the Gradle files say, read from the files themselves."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "android_demo"
_POM = "{http://maven.apache.org/POM/4.0.0}"


class Pom:
    """The Maven build: its properties, filled in, and its libraries."""

    def __init__(self, path: Path = DEMO / "pom.xml") -> None:
        self._root = ET.parse(path).getroot()
        self.properties = {child.tag.removeprefix(_POM): child.text or "" for child in self._child("properties")}
        self.properties["project.version"] = self._child("version").text or ""

    def value(self, name: str) -> str:
        """A property with the properties that it names filled in."""
        return self._filled(self.properties[name])

    def libraries(self, scope: str) -> set[str]:
        """`group:name:version[:classifier]` of every dependency of that scope."""
        found = set()
        for library in self._child("dependencies"):
            fields = {child.tag.removeprefix(_POM): self._filled(child.text or "") for child in library}
            if fields["scope"] == scope:
                names = [fields["groupId"], fields["artifactId"], fields["version"], fields.get("classifier", "")]
                found.add(":".join(name for name in names if name))
        return found

    def _child(self, name: str) -> ET.Element:
        child = self._root.find(_POM + name)
        assert child is not None, f"pom.xml has no <{name}>"
        return child

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda match: self.properties.get(match[1], match[0]), text)


class Gradle:
    """The Gradle build: app/build.gradle without its comments."""

    def __init__(self, path: Path = DEMO / "app" / "build.gradle") -> None:
        self._text = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)

    def value(self, name: str) -> str:
        """What stands after a name, without quotes: `minSdk 26` and `minSdk = 26` are 26. It must stand there once."""
        found = re.findall(rf"^\s*{re.escape(name)}[ =]+(.+)$", self._text, flags=re.MULTILINE)
        assert len(found) == 1, f"{name} stands {len(found)} times in build.gradle"
        return found[0].replace("'", "").strip()

    def libraries(self, scope: str) -> set[str]:
        """`group:name:version[:classifier]` of every library of that scope."""
        return set(re.findall(rf"^\s*{scope} '([^']+)'", self._text, flags=re.MULTILINE))
