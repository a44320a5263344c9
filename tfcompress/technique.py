"""What a technique is: one file in `tfcompress/techniques`, one class of frozen fields, one method.

    class Prune(Trained):
        '''First line: what it does, as `tfcompress techniques` shows it. ...'''

        makes: ClassVar = frozenset({"zeros"})
        keeps: ClassVar = frozenset({"zeros"})
        sparsity: float = Field(0.6, gt=0, lt=1, description="Share of the weights that become zero.")

        def apply(self, compressed, trainer): ...

The file name is its name in a recipe; the fields are its parameters there, checked when the recipe is built. No
TensorFlow is imported before `apply` or `plan` runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from converters.errors import DataError
from converters.spec import DType
from tfcompress import selection
from tfcompress.invariants import Array
from tfcompress.model import CompressedModel, Logs, Skipped, Step

if TYPE_CHECKING:
    from tfcompress.task import Task
    from tfcompress.training import Trainer


@dataclass(frozen=True)
class Foreseen:
    """A promise that a step is going to make. Only its kind is known; see `Technique.foresee`."""

    kind: str

    def project(self, weights: Array) -> Array:
        """The weights as they are."""
        return weights

    def holds(self, integers: Array) -> bool:
        """Always."""
        return True

    def describe(self) -> str:
        """For people."""
        return f"{self.kind} to come"

    def as_arrays(self) -> dict[str, Array]:
        """None: nobody keeps a plan."""
        return {}


class Parameters(BaseModel):
    """Frozen fields, checked when they are set; numbers are given as numbers, not as `true` or `"3"`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_lookalikes(cls, value: Any, asked: ValidationInfo) -> Any:
        kind = cls.model_fields[asked.field_name or ""].annotation
        takes_several = get_origin(kind) is tuple
        numbers = value if isinstance(value, (list, tuple)) else () if takes_several else (value,)
        if {int, float} & {kind, *get_args(kind)} and any(isinstance(one, (bool, str)) for one in numbers):
            raise ValueError("expected numbers" if takes_several else "expected a number")
        return value


class Technique(Parameters, ABC):
    """One step of a recipe: from a model to a smaller one, under every promise made before.

    Attributes:
        makes: kinds of promise that it adds: `zeros`, `codebook`, `ranges`.
        keeps: kinds of earlier promise that survive it; it cannot come after a step that made another one.
        changes_shapes: whether kernels change shape, which no earlier promise survives.
    """

    makes: ClassVar[frozenset[str]] = frozenset()
    keeps: ClassVar[frozenset[str]] = frozenset()
    changes_shapes: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name in a recipe: that of the file."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def dtypes(self) -> tuple[DType, ...]:
        """Types of file that can hold what it makes."""
        return ("int8", "int16x8") if self.makes & {"codebook", "ranges"} else get_args(DType)

    def fields(self) -> dict[str, Any]:
        """The parameters as a recipe writes them."""
        return self.model_dump(mode="json")

    @property
    def needs_validation(self) -> bool:
        """Whether it decides by the task's metric on validation data."""
        return False

    def check(self, model: Any, task: Task) -> None:
        """Refuses what cannot work on this model and data; asked before anything is trained.

        Args:
            model: the flat tf_keras model as it came: what earlier steps fold away is still there.
            task: its data.

        Raises:
            DataError: validation data are needed, and there are none with labels.
        """
        if self.needs_validation and (task.y_val is None or not task.count("val")):
            raise DataError(
                f"{self.name} with these parameters decides by the metric on validation data, and the data "
                f"({task.source or 'no source'}) has no validation samples with labels; give x_val and y_val, or "
                "change its parameters"
            )

    def plan(self, compressed: CompressedModel) -> tuple[Skipped, ...]:
        """What `apply` would leave as it is, and why, before anything is trained.

        Args:
            compressed: the model as it came, with promises of the kinds that earlier steps will have made
                (`foresee`), whose weights nobody knows yet.

        Raises:
            CompressionError: the parameters do not fit this model.
        """
        return ()

    def foresee(self, compressed: CompressedModel, skipped: Sequence[Skipped]) -> CompressedModel:
        """What later steps plan on: the same model, with the kinds of promise that `apply` will make of its kernels.

        Args:
            compressed: what this step was planned on.
            skipped: the answer of `plan`.
        """
        from converters.keras_models.kernels import kernels

        left = {one.layer for one in skipped}
        for kernel in kernels(compressed.model):
            for kind in sorted(self.makes) if kernel.layer not in left else ():
                compressed = compressed.promise(kernel.name, Foreseen(kind))
        return compressed

    @abstractmethod
    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        """A new model, plain Keras, that keeps every earlier promise; `compressed` and its model stay as they were.

        Args:
            compressed: the model so far.
            trainer: trains and scores; holds the data.

        Returns:
            the new model, with `self.record(...)` added to its history.
        """

    def record(
        self,
        *,
        epochs: Logs = (),
        skipped: tuple[Skipped, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Step:
        """What this step did, for the history; the pipeline adds the time."""
        return Step(self.name, self.fields(), epochs=epochs, skipped=skipped, notes=notes)


class Trained(Technique):
    """A technique that trains."""

    epochs: int = Field(default=1, ge=0, description="Passes over the training data.")
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        lt=10,
        description="Step size at the start, falling to 0 along a cosine. A Task's own optimizer object keeps its own.",
    )
    batch_size: int = Field(default=128, ge=1, description="Samples per training step.")
    freeze: tuple[str, ...] = Field(
        default=(), description="Layers that are not trained; names or patterns such as 'conv2d_*'."
    )
    distill: float = Field(
        default=0.0, ge=0, le=1, description="Share of the loss that asks for the outputs of the model as it came."
    )
    temperature: float = Field(
        default=2.0, gt=0, le=100, description="What logits are divided by where these outputs are compared."
    )

    def check(self, model: Any, task: Task) -> None:
        """See `Technique.check`.

        Raises:
            UsageError: a pattern of `freeze` that matches no layer, or nothing that can be distilled.
        """
        super().check(model, task)
        selection.check("freeze", self.freeze, (layer.name for layer in model.layers))
        if self.distill and self.epochs:
            from tfcompress.distillation import outputs_of

            outputs_of(task, model)
