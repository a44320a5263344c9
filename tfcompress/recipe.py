"""A recipe: the steps that make a model small, what the file shall be, and the seed. It reads and writes TOML.

    name = "deep"
    runtime = "litert"

    [[steps]]
    technique = "prune"
    sparsity = 0.6
    epochs = 6

    [[steps]]
    technique = "cluster"
    clusters = 16

    [conversion]
    dtype = "int8"

A recipe that cannot work is refused when it is built: an unknown technique or parameter, a value out of range, an
impossible order. The order follows from what each technique makes and keeps (`tfcompress.technique`), never from pairs.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SerializeAsAny, ValidationError, field_validator, model_validator

from converters.errors import FileError, UsageError
from converters.spec import ConversionSpec, DenseGranularity, DType, IoType, Quantizer
from tfcompress import registry
from tfcompress.targets import Runtime, Target
from tfcompress.targets.aim import aimed
from tfcompress.technique import Parameters, Technique


class Conversion(Parameters):
    """What the finished file shall be; see `tfcompress.convert`."""

    dtype: DType = "int8"
    io: IoType | None = None
    dense: DenseGranularity | None = None
    quantizer: Quantizer = "tflite"
    method: str = Field(default="minmax", description="How activation ranges are chosen that training left open.")
    samples: int = Field(default=200, ge=1, description="Training samples to calibrate on.")
    shrink: bool = Field(default=True, description="Leave out what the runtime does not read.")
    decode: str | None = Field(
        default=None, description="off, auto or one weight encoding; by default auto where the runtime decodes."
    )
    max_arena: int | None = Field(default=None, ge=1, description="Arena that encoded weights may take, in bytes.")


class Recipe(Parameters):
    """What to do with a model.

    Attributes:
        name: what to call it.
        description: one line.
        steps: techniques, in order.
        runtime: who will run the file: a runtime's name, or a TOML file; `litert` where there is no target either.
        target: the device that the file is for, in place of a runtime: a name, `device:runtime`, or a TOML file.
        conversion: what the file shall be.
        seed: of data order, random weights and draws.
    """

    name: str = "recipe"
    description: str = ""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    runtime: str | None = None
    target: str | None = None
    steps: tuple[SerializeAsAny[Technique], ...] = ()
    conversion: Conversion = Conversion()

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise UsageError(f"this recipe cannot work: {_sentence(error)}") from error

    @model_validator(mode="before")
    @classmethod
    def _name_who_runs_it(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or any(fields.get(name) is not None for name in ("runtime", "target")):
            return fields
        return {**fields, "runtime": "litert"}

    @field_validator("steps", mode="before")
    @classmethod
    def _find_techniques(cls, steps: Any) -> Any:
        if not isinstance(steps, (list, tuple)):
            return steps
        return tuple(_technique(step, number) for number, step in enumerate(steps, 1))

    @model_validator(mode="after")
    def _check_who_runs_it(self) -> Recipe:
        if self.runtime is not None and self.target is not None:
            raise UsageError(
                f"this recipe has runtime = {self.runtime!r} and target = {self.target!r}; a target says which runtime "
                'it has: leave one of them out, or write target = "device:runtime"'
            )
        return self

    @model_validator(mode="after")
    def _check_order(self) -> Recipe:
        made: dict[str, str] = {}
        for number, step in enumerate(self.steps, 1):
            lost = [kind for kind in made if step.changes_shapes or kind not in step.keeps]
            if lost:
                before = made[lost[0]]
                raise UsageError(
                    f"step {number} ({step.name}) would break the {lost[0]} that {before} made; "
                    f"put {step.name} before {before}"
                    if step.name != before
                    else f"step {number} repeats {step.name}, which would break its own {lost[0]}; leave one out"
                )
            made |= dict.fromkeys(sorted(step.makes), step.name)
        return self

    def spec(self) -> ConversionSpec:
        """What the file must be.

        Raises:
            UsageError: there is no such runtime or target, it runs no such file, or a step makes files of another type.
            FileError: the TOML file of a runtime or device cannot be used.
        """
        asked = self.conversion
        for step in self.steps:
            if asked.dtype not in step.dtypes:
                raise UsageError(
                    f"{step.name} with these parameters is for {' and '.join(step.dtypes)} files, and dtype in "
                    f"[conversion] is {asked.dtype}; change one of them, or leave {step.name} out"
                )
        return self.place()[0].spec(**asked.model_dump(exclude={"method", "samples"}))

    def place(self) -> tuple[Runtime, Target | None]:
        """What runs the file, and the device if the recipe names one.

        Raises:
            UsageError: there is no such runtime or target, or both were set in a copy.
            FileError: a TOML file cannot be used.
        """
        return aimed(self.runtime, self.target)

    def runs_on(self, *, runtime: str | None, target: str | None) -> Recipe:
        """The same recipe for another runtime or target; for its own where neither is given."""
        if runtime is None and target is None:
            return self
        return self.model_copy(update={"runtime": runtime, "target": target})

    def to_toml(self) -> str:
        """The recipe as a TOML text, every parameter written out; `from_toml` gives an equal recipe."""
        import tomlkit

        told = self.model_dump(mode="json", exclude_none=True)
        steps = told.pop("steps")
        conversion = told.pop("conversion")
        document = tomlkit.document()
        document.update(told)
        tables = tomlkit.aot()
        for step, fields in zip(self.steps, steps, strict=True):
            tables.append(tomlkit.item({"technique": step.name, **fields}))
        document["steps"] = tables
        document["conversion"] = conversion
        return tomlkit.dumps(document)


def from_toml(text: str, *, name: str = "recipe") -> Recipe:
    """Reads a recipe.

    Raises:
        UsageError: no TOML, or a recipe that cannot work; the message names the key.
    """
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the recipe {name} is not TOML: {error}; compare it with a packaged one") from error
    return Recipe(**{"name": name, **fields})


def load(name_or_path: str | Path) -> Recipe:
    """A packaged recipe by name, or the user's own by the path of its TOML file.

    Raises:
        FileError: no such file, or it is not readable.
        UsageError: no such packaged recipe, or a recipe that cannot work.
    """
    if not isinstance(name_or_path, (str, Path)):
        raise UsageError(
            f"a recipe of type {type(name_or_path).__name__} came; expected a packaged one's name, the path of a .toml "
            "file, or a Recipe, such as Recipe(steps=[...])"
        )
    text = str(name_or_path)
    if text in packaged():
        resource = importlib.resources.files("tfcompress.recipes") / f"{text}.toml"
        return from_toml(resource.read_text(encoding="utf-8"), name=text)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        raise UsageError(f"there is no recipe {text!r}; expected one of {', '.join(packaged())}, or a .toml file")
    try:
        return from_toml(path.read_text(encoding="utf-8"), name=path.stem)
    except UnicodeDecodeError as error:
        raise UsageError(f"the recipe {path} is not text; expected TOML") from error
    except OSError as error:
        known = ", ".join(packaged())
        raise FileError(f"the recipe {path} cannot be read: {error.strerror}; packaged ones are {known}") from error


def packaged() -> tuple[str, ...]:
    """Names of the recipes that come with the package, sorted."""
    entries = importlib.resources.files("tfcompress.recipes").iterdir()
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")))


def _technique(step: Any, number: int) -> Technique:
    if isinstance(step, Technique):
        return step
    if not isinstance(step, Mapping) or not isinstance(step.get("technique"), str):
        raise UsageError(f'step {number} names no technique; write technique = "prune" or another, see `techniques`')
    fields = {key: value for key, value in step.items() if key != "technique"}
    found = registry.find(step["technique"])
    try:
        return found(**fields)
    except ValidationError as error:
        raise UsageError(f"step {number} ({step['technique']}): {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """The first complaint of pydantic in a line: what came, what was expected."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the values"
    if first["type"] == "extra_forbidden":
        return f"{place} is not a parameter; docs/recipes.md and `tfcompress techniques` list those there are"
    message = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] == "missing":
        return f"{place} is missing; set it"
    if first["type"] in ("value_error", "assertion_error") and not first["loc"]:
        return message.removeprefix("value error, ")
    if first["type"] == "tuple_type":
        message = "write [[steps]]" if first["loc"] == ("steps",) else 'expected a list, such as ["a", "b"]'
    message = message.replace("tuple", "list").replace(" after validation", "")
    return f"{place} is {first['input']!r}; {message.removeprefix('value error, ')}"
