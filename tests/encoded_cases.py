"""Tensors of every kind that an encoding may get, and files in which TFLM decodes many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from small_tflite import G, Op, T, build

from converters.decode import Encoded, Layout, encodings
from converters.runtimes import tflm

DTYPES = ("int8", "int16", "int32", "int64", "float32")
HUFFMAN_DTYPES = ("int8", "int16")
SPREADS = ("one value", "zeros", "lowest", "extremes", "few", "mostly zero", "skewed", "flat", "zero points")


@dataclass(frozen=True, eq=False)
class Case:
    """Values, how they are laid out, and how they spread."""

    values: np.ndarray
    layout: Layout
    spread: str

    def __repr__(self) -> str:
        return f"Case({self.spread}, {self.layout})"


def filled(layout: Layout, spread: str, seed: int) -> Case:
    """A tensor of a layout, the same for the same seed."""
    rng = np.random.default_rng(seed)
    shape, count = layout.shape, layout.elements
    if layout.dtype == "float32":
        low, high, other = np.float32(-np.inf), np.float32(np.nan), np.float32(-0.0)
    else:
        low, high = np.iinfo(layout.dtype).min, np.iinfo(layout.dtype).max
        other = int(rng.integers(low, high, endpoint=True))
    zeros = np.zeros(count, layout.dtype)
    made = {
        "one value": lambda: np.full(count, other, layout.dtype),
        "zeros": lambda: zeros,
        "lowest": lambda: np.full(count, low, layout.dtype),
        "extremes": lambda: rng.choice(np.array([low, high, other], layout.dtype), count),
        "few": lambda: rng.choice(_flat(layout.dtype, int(rng.integers(2, 20)), rng), count),
        "mostly zero": lambda: np.where(rng.random(count) < 0.9, zeros, _flat(layout.dtype, count, rng)),
        "skewed": lambda: (rng.geometric(0.3, count) * rng.choice([-1, 1], count)).clip(-128, 127),
        "flat": lambda: _flat(layout.dtype, count, rng),
        "zero points": lambda: _near_zero_points(layout, rng),
    }[spread]()
    return Case(np.array(made, layout.dtype).reshape(shape), layout, spread)


def _flat(dtype: str, count: int, rng: np.random.Generator) -> np.ndarray:
    if dtype == "float32":  # any bits are values: infinities, NaN, -0.0
        return rng.integers(0, 1 << 32, count, np.uint32).view(np.float32)
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, count, dtype, endpoint=True)


def _near_zero_points(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    points = np.array(layout.zero_points or (0,))
    shape = np.ones(max(len(layout.shape), 1), int)
    shape[layout.axis] = len(points)
    whole = np.broadcast_to(points.reshape(shape), layout.shape or (1,)).reshape(-1)
    return np.where(rng.random(layout.elements) < 0.7, whole, rng.choice(points, layout.elements))


def layouts_of(dtype: str, shape: tuple[int, ...], points: Sequence[int] = (0,)) -> list[Layout]:
    """Per tensor without and with a scale, per channel, channels last; zero points other than 0 for int8 only."""
    if dtype != "int8":
        points = (0,)
    found = [Layout(dtype, shape), Layout(dtype, shape, (points[0],))]
    for axis in {0, len(shape) - 1} if shape else ():
        if shape[axis] > 1:
            own = tuple(points[index % len(points)] for index in range(shape[axis]))
            found.append(Layout(dtype, shape, own, shape[axis], axis))
    return found


@st.composite
def cases(draw: st.DrawFn, dtypes: Sequence[str] = DTYPES) -> Case:
    dtype = draw(st.sampled_from(dtypes))
    shape = tuple(draw(st.lists(st.integers(1, 7), max_size=5)))
    if draw(st.booleans()):
        shape = (*shape[:2], draw(st.integers(1, 90)))
    points = draw(st.lists(st.integers(-128, 127), min_size=1, max_size=4))
    layout = draw(st.sampled_from(layouts_of(dtype, shape, points)))
    return filled(layout, draw(st.sampled_from(SPREADS)), draw(st.integers(0, 2**32 - 1)))


def encoded(case: Case) -> dict[str, Encoded]:
    """Every form that the case has."""
    forms = {name: module.encode(case.values, case.layout) for name, module in encodings().items()}
    return {name: form for name, form in forms.items() if form is not None}


def decode_file(forms: Sequence[tuple[Encoded, Layout]]) -> bytes:
    """A file that has one DECODE operator for each form, and what they decode as its outputs."""
    tensors, operators, outputs = [T("x", (1, 4), scales=(1.0,)), T("y", (1, 4), scales=(1.0,))], [], []
    for number, (form, layout) in enumerate(forms):
        names = [f"{number}/{part}" for part in ("stream", "table", "values")]
        scales = [0.5] * layout.channels if layout.zero_points else ()
        tensors += [
            T(names[0], (len(form.stream),), "uint8", raw=form.stream),
            T(names[1], (len(form.table),), "uint8", raw=form.table),
            T(names[2], layout.shape, layout.dtype, scales=scales, zero_points=layout.zero_points, axis=layout.axis),
        ]
        operators.append(Op("TFLM_DECODE", names[:2], names[2:]))
        outputs.append(names[2])
    return build(G(tensors, [Op("RELU", ["x"], ["y"]), *operators], ["x"], [*outputs, "y"]))


def by_tflm(forms: Sequence[tuple[Encoded, Layout]]) -> list[np.ndarray]:
    """What TFLM decodes, all in one child process."""
    outputs = tflm.run(decode_file(forms), [np.ones((1, 1, 4), np.int8)], raw=True)
    return [array.reshape(layout.shape) for array, (_, layout) in zip(outputs, forms, strict=False)]
