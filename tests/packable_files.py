"""Files that a conversion may end with, with all that shrinking leaves out and weights that are worth encoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from small_tflite import G, Op, Parts, T, build, model, pack, small_graph

CONV = ("Conv2DOptions", {"strideW": 1, "strideH": 1, "fusedActivationFunction": 1})
DEPTHWISE = ("DepthwiseConv2DOptions", {"strideW": 1, "strideH": 1, "depthMultiplier": 1})
FULL = ("FullyConnectedOptions", {"fusedActivationFunction": 0})
EXTRAS = Parts(
    {"min_runtime_version": b"1.5.0\0", "CONVERSION_METADATA": b"made by a test", "TFLITE_METADATA": b"labels"},
    "serving_default",
    "a description",
    unused=[b"nothing refers to this", b"nor to this"],
)


def skewed(shape: Sequence[int], seed: int, *, zeros: float = 0.6) -> np.ndarray:
    """int8 weights as pruned and clustered layers have them."""
    rng = np.random.default_rng(seed)
    values = rng.choice([-90, -40, -17, -5, 5, 17, 40, 90], shape)
    return np.where(rng.random(shape) < zeros, 0, values)


def network(seed: int = 0, *, width: int = 24, activation: str = "int8", per_channel: bool = True) -> G:
    """Convolution, depthwise convolution, reshape, dense: [1, 6, 6, 4] -> [1, 10]; few values saturate."""
    one = {"scales": (0.05,), "zero_points": (3,) if activation == "int8" else (0,)}
    bias = "int32" if activation == "int8" else "int64"

    def kernel(name: str, shape: tuple[int, ...], axis: int, units: int, number: int) -> list[T]:
        scales = [0.002 + 0.0001 * unit for unit in range(units)] if per_channel else [0.004]
        points = [0] * len(scales)
        weights = T(f"{name}/w", shape, values=skewed(shape, seed + number), scales=scales, axis=axis)
        biases = np.random.default_rng(seed + number).integers(-300, 300, units)
        own = [scale * 0.05 for scale in scales]
        return [weights, T(f"{name}/b", (units,), bias, values=biases, scales=own, zero_points=points)]

    flat = 36 * width
    dense = [
        T("dense/w", (10, flat), values=skewed((10, flat), seed + 3), scales=(0.001,)),
        T("dense/b", (10,), bias, values=np.arange(10) * 9, scales=(0.00005,)),
    ]
    tensors = [
        T("image", (1, 6, 6, 4), activation, **one),
        *kernel("conv", (width, 3, 3, 4), 0, width, 1),
        T("conv/out", (1, 6, 6, width), activation, **one),
        *kernel("depth", (1, 3, 3, width), 3, width, 2),
        T("depth/out", (1, 6, 6, width), activation, **one),
        T("flatten/shape", (2,), "int32", values=[1, flat]),
        T("flatten/out", (1, flat), activation, **one),
        *dense,
        T("scores", (1, 10), activation, **one),
    ]
    operators = [
        Op("CONV_2D", ["image", "conv/w", "conv/b"], ["conv/out"], CONV),
        Op("DEPTHWISE_CONV_2D", ["conv/out", "depth/w", "depth/b"], ["depth/out"], DEPTHWISE),
        Op("RESHAPE", ["depth/out", "flatten/shape"], ["flatten/out"], ("ReshapeOptions", {"newShape": [1, flat]})),
        Op("FULLY_CONNECTED", ["flatten/out", "dense/w", "dense/b"], ["scores"], FULL),
    ]
    return G(tensors, operators, ["image"], ["scores"])


def shared_weights() -> G:
    """Three dense layers with one weight and one bias between them, and a constant that is read twice by ADD."""
    scales = {"scales": (0.05,), "zero_points": (1,)}
    rows = skewed((64, 64), 5)
    tensors = [
        T("x", (1, 64), **scales),
        T("w", (64, 64), values=rows, scales=(0.02,)),
        T("w/same", (64, 64), values=rows, scales=(0.02,)),
        T("b", (64,), "int32", values=np.arange(64), scales=(0.001,)),
        *(T(f"h{number}", (1, 64), **scales) for number in range(3)),
        T("table", (1, 64), values=skewed((1, 64), 6), **scales),
        T("twice", (1, 64), **scales),
        T("y", (1, 64), **scales),
    ]
    operators = [
        Op("FULLY_CONNECTED", ["x", "w", "b"], ["h0"], FULL),
        Op("FULLY_CONNECTED", ["h0", "w", "b"], ["h1"], FULL),
        Op("FULLY_CONNECTED", ["h1", "w/same", "b"], ["h2"], FULL),
        Op("ADD", ["table", "table"], ["twice"], ("AddOptions", {})),
        Op("ADD", ["h2", "twice"], ["y"], ("AddOptions", {})),
    ]
    return G(tensors, operators, ["x"], ["y", "twice"])


def two_doors(dtype: str = "float32") -> G:
    """Two inputs and two outputs; an input goes straight out, and one tensor nobody reads."""
    tensors = [T(name, (1, 4), dtype) for name in ("first", "second", "sum", "nobody")]
    return G(tensors, [Op("ADD", ["first", "second"], ["sum"], ("AddOptions", {}))], ["first", "second"], ["sum"])


def branches() -> tuple[G, ...]:
    """IF between two graphs that scale float [1, 4] by different constants."""

    def body(name: str, factor: float) -> G:
        tensors = [T("in", (1, 4), "float32"), T("f", (1,), "float32", values=factor), T("out", (1, 4), "float32")]
        return G([*tensors, T("unused", (3,), "float32")], [Op("MUL", ["in", "f"], ["out"])], ["in"], ["out"], name)

    tensors = [T("c", (1,), "bool"), T("x", (1, 4), "float32"), T("y", (1, 4), "float32")]
    call = Op("IF", ["c", "x"], ["y"], ("IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2}))
    return G(tensors, [call], ["c", "x"], ["y"]), body("yes", 2.0), body("no", -3.0)


def loop() -> tuple[G, ...]:
    """WHILE the first number is below 9, add 2 to each."""
    carried = T("v", (1,), "float32")
    limit = [T("limit", (1,), "float32", values=9.0), T("go", (1,), "bool")]
    step = [T("step", (1,), "float32", values=2.0), T("next", (1,), "float32")]
    call = Op("WHILE", ["x"], ["y"], ("WhileOptions", {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}))
    return (
        G([T("x", (1,), "float32"), T("y", (1,), "float32")], [call], ["x"], ["y"]),
        G([carried, *limit], [Op("LESS", ["v", "limit"], ["go"])], ["v"], ["go"], "cond"),
        G([carried, *step], [Op("ADD", ["v", "step"], ["next"], ("AddOptions", {}))], ["v"], ["next"], "body"),
    )


def half_precision() -> G:
    """float16 weights behind DEQUANTIZE, and a constant that two such operators read."""
    values = np.random.default_rng(3).normal(size=(16, 16)).astype(np.float16)
    names = ("x", "w", "w/real", "h", "v", "v/real", "y")
    kinds = {"w": "float16", "v": "float16"}
    shapes = dict.fromkeys(("x", "h", "y"), (1, 16))
    tensors = [
        T(name, shapes.get(name, (16, 16)), kinds.get(name, "float32"), values=values if name in kinds else None)
        for name in names
    ]
    operators = [
        Op("DEQUANTIZE", ["w"], ["w/real"]),
        Op("FULLY_CONNECTED", ["x", "w/real", None], ["h"], FULL),
        Op("DEQUANTIZE", ["v"], ["v/real"]),
        Op("FULLY_CONNECTED", ["h", "v/real", None], ["y"], FULL),
    ]
    return G(tensors, operators, ["x"], ["y"])


def four_bits() -> G:
    """A dense layer of int4 weights."""
    raw = np.random.default_rng(4).integers(0, 256, 8 * 16 // 2, np.uint8).tobytes()
    tensors = [
        T("x", (1, 16), scales=(0.1,)),
        T("w", (8, 16), "int4", raw=raw, scales=(0.05,)),
        T("b", (8,), "int32", values=range(8), scales=(0.005,)),
        T("y", (1, 8), scales=(0.2,)),
    ]
    return G(tensors, [Op("FULLY_CONNECTED", ["x", "w", "b"], ["y"], FULL)], ["x"], ["y"])


def resizable() -> G:
    tensors = [T(name, (1, 3), "float32", signature=(-1, 3)) for name in ("x", "y")]
    return G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y"])


def sparse() -> bytes:
    """A dense layer whose float weights are stored sparsely (CSR); DENSIFY fills in the zeros."""
    tensors = [
        T("x", (1, 4), "float32"),
        T("w", (2, 4), "float32", raw=np.float32([1, 2, 3]).tobytes()),
        T("w/dense", (2, 4), "float32"),
        T("y", (1, 2), "float32"),
    ]
    operators = [Op("DENSIFY", ["w"], ["w/dense"]), Op("FULLY_CONNECTED", ["x", "w/dense", None], ["y"], FULL)]
    tree = model(G(tensors, operators, ["x"], ["y"]))
    sparsity = tree.subgraphs[0].tensors[1].sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder = [0, 1]
    rows, columns = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    rows.format, rows.denseSize = schema.DimensionType.DENSE, 2
    columns.format = schema.DimensionType.SPARSE_CSR
    for field, values in (("arraySegments", [0, 2, 3]), ("arrayIndices", [0, 3, 1])):
        vector = schema.Int32VectorT()
        vector.values = values
        setattr(columns, field, vector)
        setattr(columns, f"{field}Type", schema.SparseIndexVector.Int32Vector)
    sparsity.dimMetadata = [rows, columns]
    return pack(tree)


def strings() -> bytes:
    """A file that holds a tensor of strings; no operator reads it, an output gives it away."""
    raw = np.array([2, 16, 17, 19], np.int32).tobytes() + b"abc"
    tensors = [T("x", (1, 4), "float32"), T("words", (2,), "string", raw=raw), T("y", (1, 4), "float32")]
    return build(G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y", "words"]))


def with_observed_ranges(graph: G) -> bytes:
    """With minima and maxima, as older converters left them, ranks, and debug numbers."""
    tree = model(graph, parts=EXTRAS)
    for tensor in tree.subgraphs[0].tensors:
        tensor.hasRank = True
        if tensor.quantization is not None:
            tensor.quantization.min, tensor.quantization.max = [-1.5], [2.5]
    return pack(tree)


# Files that LiteRT and TFLM both run.
BOTH: dict[str, Callable[[], bytes]] = {
    "small int8": lambda: build(small_graph("int8"), parts=EXTRAS),
    "small float32": lambda: build(small_graph("float32"), parts=EXTRAS),
    "network": lambda: build(network(), parts=EXTRAS),
    "per tensor": lambda: build(network(1, per_channel=False), parts=EXTRAS),
    "int16x8": lambda: build(network(2, activation="int16"), parts=EXTRAS),
    "shared weights": lambda: build(shared_weights(), parts=EXTRAS),
    "two doors": lambda: build(two_doors(), parts=EXTRAS),
    "branches": lambda: build(*branches(), parts=EXTRAS),
    "loop": lambda: build(*loop(), parts=EXTRAS),
    "int4": lambda: build(four_bits(), parts=EXTRAS),
    "observed ranges": lambda: with_observed_ranges(network(3)),
}
# Files of LiteRT alone.
LITERT: dict[str, Callable[[], bytes]] = {
    "float16": lambda: build(half_precision(), parts=EXTRAS),
    "resizable": lambda: build(resizable(), parts=EXTRAS),
    "sparse": sparse,
    "strings": strings,
}
