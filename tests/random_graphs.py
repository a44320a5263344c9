"""Small graphs at random, of operators that LiteRT and TFLM both have: convolutions, matrix products, sums, reshapes.

Weights are skewed, shared and repeated now and then, scales per channel differ or not, constants are read by several
operators or given away as outputs, and some tensors nobody reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from packable_files import CONV, DEPTHWISE, FULL
from small_tflite import G, Op, Parts, T, build

STEPS = (
    "conv",
    "conv",
    "depthwise",
    "dense",
    "dense",
    "reshape",
    "relu",
    "add",
    "add constant",
    "mul constant",
    "pool",
)
DTYPES = ("int8", "int8", "int8", "float32", "int16")


@dataclass
class _Maker:
    """A graph in the making; `now` is the tensor that the next operator reads."""

    dtype: str
    rng: np.random.Generator
    tensors: list[T] = field(default_factory=list)
    operators: list[Op] = field(default_factory=list)
    now: T = field(init=False)
    biases: list[T] = field(default_factory=list)
    weights: list[T] = field(default_factory=list)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def activation(self, shape: tuple[int, ...]) -> T:
        point = int(self.rng.integers(-5, 6)) if self.dtype == "int8" else 0
        scales = () if self.dtype == "float32" else (0.05,)
        return self.keep(T(f"layer{len(self.tensors)}/out", shape, self.dtype, scales=scales, zero_points=(point,)))

    def keep(self, tensor: T) -> T:
        self.tensors.append(tensor)
        return tensor

    def weight(self, shape: tuple[int, ...], axis: int, *, per_channel: bool = True) -> T:
        usable = [one for one in self.weights if tuple(one.shape) == shape and one.axis == axis]
        if usable and self.chance(0.4):
            return usable[0]
        values = self.rng.choice([-70, -30, -8, 8, 30, 70], shape)
        values = np.where(self.rng.random(shape) < self.rng.choice([0.0, 0.5, 0.95, 1.0]), 0, values)
        if self.chance(0.3):
            values = np.full(shape, int(self.rng.choice([0, 1, -128])))
        units, uneven = shape[axis] if per_channel else 1, self.chance(0.6)
        scales = [0.01 + (0.001 * unit if uneven else 0) for unit in range(units)]
        name = f"layer{len(self.tensors)}/w"
        if self.dtype == "float32":
            tensor = T(name, shape, "float32", values=values / 64)
        else:
            tensor = T(name, shape, "int8", values=values, scales=scales, axis=axis if units > 1 else 0)
        self.weights.append(tensor)
        return self.keep(tensor)

    def bias(self, units: int, weight: T, *, optional: bool = False) -> str | None:
        if optional and self.chance(0.3):
            return None
        dtype = {"int8": "int32", "int16": "int64", "float32": "float32"}[self.dtype]
        scales = [scale * 0.05 for scale in weight.scales]
        usable = [one for one in self.biases if tuple(one.shape) == (units,) and list(one.scales) == scales]
        if usable and self.chance(0.5):
            return usable[0].name
        values = np.zeros(units) if self.chance(0.3) else self.rng.integers(-300, 300, units)
        tensor = T(f"layer{len(self.tensors)}/b", (units,), dtype, values=values, scales=scales)
        self.biases.append(tensor)
        return self.keep(tensor).name

    def read(self, name: str, inputs: list[str | None], out: T, options: object = None) -> None:
        self.operators.append(Op(name, inputs, [out.name], options))  # type: ignore[arg-type]
        self.now = out


def _step(made: _Maker, step: str) -> None:
    shape, name = tuple(made.now.shape), made.now.name
    is_image = len(shape) == 4
    if step == "conv" and is_image:
        units, size = int(made.rng.choice([2, 8, 24])), int(made.rng.choice([1, 3]))
        weight = made.weight((units, size, size, shape[3]), 0)
        bias = made.bias(units, weight)
        made.read("CONV_2D", [name, weight.name, bias], made.activation((*shape[:3], units)), CONV)
    elif step == "depthwise" and is_image:
        weight = made.weight((1, 3, 3, shape[3]), 3, per_channel=shape[3] > 1)
        bias = made.bias(shape[3], weight)
        made.read("DEPTHWISE_CONV_2D", [name, weight.name, bias], made.activation(shape), DEPTHWISE)
    elif step == "pool" and is_image and min(shape[1:3]) > 1:
        out = made.activation((1, shape[1] // 2, shape[2] // 2, shape[3]))
        out.zero_points = made.now.zero_points
        options = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2, "padding": 1}
        made.read("MAX_POOL_2D", [name], out, ("Pool2DOptions", options))
    elif step == "dense":
        units, depth = int(made.rng.choice([5, 16, 48])), int(np.prod(shape[1:]))
        if is_image:
            _step(made, "reshape")
        weight = made.weight((units, depth), 0, per_channel=False)
        bias = made.bias(units, weight, optional=True)
        made.read("FULLY_CONNECTED", [made.now.name, weight.name, bias], made.activation((1, units)), FULL)
    elif step == "reshape":
        flat = (1, int(np.prod(shape[1:])))
        out = made.activation(flat)
        out.zero_points = made.now.zero_points
        options = ("ReshapeOptions", {"newShape": list(flat)})
        target = made.keep(T(f"{out.name}/shape", (2,), "int32", values=flat)).name if made.chance(0.6) else None
        made.read("RESHAPE", [name, target] if target else [name], out, options)
    elif step == "relu":
        out = made.activation(shape)
        made.read("RELU", [name], out)
    elif step == "add":
        others = [one for one in made.tensors if one.values is None and tuple(one.shape) == shape]
        other = others[int(made.rng.integers(len(others)))].name
        made.read("ADD", [name, other], made.activation(shape), ("AddOptions", {"potScaleInt16": False}))
    elif step.endswith("constant"):
        values = made.rng.choice([-9, 0, 0, 0, 5, 60], shape)
        constant = T(f"layer{len(made.tensors)}/c", shape, made.dtype, values=values, scales=made.now.scales)
        made.keep(constant)
        kind = step.split()[0].upper()
        options = (f"{kind.capitalize()}Options", {"fusedActivationFunction": 0})
        made.read(kind, [name, constant.name], made.activation(shape), options)


def random_graph(seed: int) -> G:
    """One graph; equal seeds give equal graphs."""
    rng = np.random.default_rng(seed)
    made = _Maker(str(rng.choice(DTYPES)), rng)
    made.now = made.activation((1, 4, 4, int(rng.integers(1, 4))) if rng.random() < 0.7 else (1, 12))
    first = made.now
    first.name = "x"
    for _ in range(int(rng.integers(1, 8))):
        _step(made, str(rng.choice(STEPS)))
    if not made.operators:
        _step(made, "relu")
    outputs = [made.now.name]
    computed = [operator.outputs[0] for operator in made.operators]
    if made.chance(0.4) and len(computed) > 1:
        outputs.append(computed[int(rng.integers(len(computed) - 1))])
    constants = [tensor.name for tensor in made.weights]
    if made.chance(0.2) and constants:
        outputs.append(constants[int(rng.integers(len(constants)))])
    for number in range(int(rng.integers(0, 3))):
        made.keep(T(f"nobody{number}", (7,), values=number if made.chance(0.5) else None))
    return G(made.tensors, made.operators, ["x"], outputs)


def random_file(seed: int) -> bytes:
    """Its file, with metadata and a signature now and then."""
    rng = np.random.default_rng(seed + 1)
    parts = Parts(
        {"min_runtime_version": b"1.5.0\0"} if rng.random() < 0.5 else {},
        "serving_default" if rng.random() < 0.5 else None,
        unused=[b"nothing refers to this"] if rng.random() < 0.3 else [],
    )
    return build(random_graph(seed), parts=parts)
