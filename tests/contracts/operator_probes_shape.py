"""The second half of `operator_probes.CASES`: operators that move, reduce, pick or make values."""

from __future__ import annotations

import numpy as np
from one_operator import Body, Case, Operand
from operator_probes import CASES, data, integers, probe, scalar


def _corners(*pairs: tuple[int, int]) -> Operand:
    return Operand("int32", (len(pairs), 2), values=np.asarray(pairs), scales=())


@probe("RESHAPE")
def _reshape(t: str) -> Case:
    return Case(
        "RESHAPE", (data(t, 1, 2, 4), integers(1, 8)), (data(t, 1, 8),), ("ReshapeOptions", {"newShape": [1, 8]})
    )


@probe("SQUEEZE")
def _squeeze(t: str) -> Case:
    return Case("SQUEEZE", (data(t, 1, 1, 4),), (data(t, 1, 4),), ("SqueezeOptions", {"squeezeDims": [1]}))


@probe("EXPAND_DIMS")
def _expand(t: str) -> Case:
    return Case("EXPAND_DIMS", (data(t, 1, 4), scalar(1)), (data(t, 1, 1, 4),), ("ExpandDimsOptions", {}))


@probe("TRANSPOSE")
def _transpose(t: str) -> Case:
    return Case("TRANSPOSE", (data(t, 1, 2, 4), integers(0, 2, 1)), (data(t, 1, 4, 2),), ("TransposeOptions", {}))


@probe("PAD")
def _pad(t: str) -> Case:
    operands = (data(t, 1, 2, 2, 2), _corners((0, 0), (1, 1), (1, 1), (0, 0)))
    return Case("PAD", operands, (data(t, 1, 4, 4, 2),), ("PadOptions", {}))


@probe("PADV2")
def _pad_v2(t: str) -> Case:
    operands = (data(t, 1, 2, 2, 2), _corners((0, 0), (1, 1), (1, 1), (0, 0)), Operand(t, (1,), values=1.0))
    return Case("PADV2", operands, (data(t, 1, 4, 4, 2),), ("PadV2Options", {}))


@probe("MIRROR_PAD")
def _mirror_pad(t: str) -> Case:
    operands = (data(t, 1, 3, 3, 2), _corners((0, 0), (1, 1), (1, 1), (0, 0)))
    return Case("MIRROR_PAD", operands, (data(t, 1, 5, 5, 2),), ("MirrorPadOptions", {"mode": 0}))


@probe("SLICE")
def _slice(t: str) -> Case:
    return Case("SLICE", (data(t, 1, 4), integers(0, 1), integers(1, 2)), (data(t, 1, 2),), ("SliceOptions", {}))


@probe("STRIDED_SLICE")
def _strided_slice(t: str) -> Case:
    operands = (data(t, 1, 4), integers(0, 0), integers(1, 4), integers(1, 2))
    return Case("STRIDED_SLICE", operands, (data(t, 1, 2),), ("StridedSliceOptions", {}))


@probe("SPLIT")
def _split(t: str) -> Case:
    return Case("SPLIT", (scalar(1), data(t, 1, 4)), (data(t, 1, 2), data(t, 1, 2)), ("SplitOptions", {"numSplits": 2}))


@probe("SPLIT_V")
def _split_v(t: str) -> Case:
    operands = (data(t, 1, 4), integers(1, 3), scalar(1))
    return Case("SPLIT_V", operands, (data(t, 1, 1), data(t, 1, 3)), ("SplitVOptions", {"numSplits": 2}))


@probe("CONCATENATION")
def _concatenation(t: str) -> Case:
    return Case(
        "CONCATENATION", (data(t, 1, 2), data(t, 1, 3)), (data(t, 1, 5),), ("ConcatenationOptions", {"axis": 1})
    )


@probe("PACK")
def _pack(t: str) -> Case:
    return Case(
        "PACK", (data(t, 1, 3), data(t, 1, 3)), (data(t, 1, 2, 3),), ("PackOptions", {"valuesCount": 2, "axis": 1})
    )


@probe("UNPACK")
def _unpack(t: str) -> Case:
    return Case("UNPACK", (data(t, 1, 2, 3),), (data(t, 1, 3), data(t, 1, 3)), ("UnpackOptions", {"num": 2, "axis": 1}))


@probe("GATHER")
def _gather(t: str) -> Case:
    return Case("GATHER", (data(t, 4, 3), integers(2, 0)), (data(t, 2, 3),), ("GatherOptions", {"axis": 0}))


@probe("GATHER_ND")
def _gather_nd(t: str) -> Case:
    return Case("GATHER_ND", (data(t, 4, 3), integers(2, 0, shape=(2, 1))), (data(t, 2, 3),), ("GatherNdOptions", {}))


@probe("REVERSE_V2")
def _reverse(t: str) -> Case:
    return Case("REVERSE_V2", (data(t, 1, 4), integers(1)), (data(t, 1, 4),), ("ReverseV2Options", {}))


@probe("TILE")
def _tile(t: str) -> Case:
    return Case("TILE", (data(t, 1, 4), integers(1, 2)), (data(t, 1, 8),), ("TileOptions", {}))


@probe("BROADCAST_TO")
def _broadcast_to(t: str) -> Case:
    return Case(
        "BROADCAST_TO", (data(t, 1, 4), integers(2, 4)), (data(t, 2, 4),), ("BroadcastToOptions", {}), version=2
    )


@probe("BROADCAST_ARGS")
def _broadcast_args(t: str) -> Case:
    shapes = (Operand(t, (2,), values=(1, 4), scales=()), Operand(t, (2,), values=(2, 1), scales=()))
    return Case("BROADCAST_ARGS", shapes, (Operand(t, (2,), scales=()),))


@probe("FILL")
def _fill(t: str) -> Case:
    return Case("FILL", (integers(2, 3), data(t)), (data(t, 2, 3),), ("FillOptions", {}))


@probe("DYNAMIC_UPDATE_SLICE")
def _update_slice(t: str) -> Case:
    operands = (data(t, 1, 4), data(t, 1, 2), integers(0, 1))
    return Case("DYNAMIC_UPDATE_SLICE", operands, (data(t, 1, 4),), ("DynamicUpdateSliceOptions", {}))


@probe("SHAPE")
def _shape(t: str) -> Case:
    return Case("SHAPE", (data(t, 1, 4),), (data("int32", 2),), ("ShapeOptions", {"outType": 2}))


@probe("RANK")
def _rank(t: str) -> Case:
    return Case("RANK", (data(t, 1, 4),), (data("int32"),), ("RankOptions", {}))


@probe("ONE_HOT")
def _one_hot(t: str) -> Case:
    operands = (Operand("int32", (3,), low=0, high=3), scalar(4), Operand(t, (), values=1), Operand(t, (), values=0))
    return Case("ONE_HOT", operands, (data(t, 3, 4),), ("OneHotOptions", {"axis": -1}))


@probe("SCATTER_ND")
def _scatter(t: str) -> Case:
    return Case(
        "SCATTER_ND", (integers(0, 2, shape=(2, 1)), data(t, 2), integers(4)), (data(t, 4),), ("ScatterNdOptions", {})
    )


@probe("RANGE")
def _range(t: str) -> Case:
    ends = tuple(Operand(t, (), values=value) for value in (0, 3, 1))
    return Case("RANGE", ends, (data(t, 3),), ("RangeOptions", {}))


@probe("CUMSUM")
def _cumsum(t: str) -> Case:
    return Case("CUMSUM", (data(t, 1, 4, low=-0.5, high=0.5), scalar(1)), (data(t, 1, 4),), ("CumsumOptions", {}))


@probe("TOPK_V2")
def _top_k(t: str) -> Case:
    return Case("TOPK_V2", (data(t, 1, 4), scalar(2)), (data(t, 1, 2), data("int32", 1, 2)), ("TopKV2Options", {}))


@probe("SEGMENT_SUM")
def _segment_sum(t: str) -> Case:
    return Case("SEGMENT_SUM", (data(t, 3, 2), integers(0, 0, 1)), (data(t, 2, 2),), ("SegmentSumOptions", {}))


@probe("MATRIX_DIAG")
def _matrix_diag(t: str) -> Case:
    return Case("MATRIX_DIAG", (data(t, 1, 3),), (data(t, 1, 3, 3),), ("MatrixDiagOptions", {}))


@probe("REVERSE_SEQUENCE")
def _reverse_sequence(t: str) -> Case:
    options = ("ReverseSequenceOptions", {"seqDim": 1, "batchDim": 0})
    return Case("REVERSE_SEQUENCE", (data(t, 2, 3), integers(2, 3)), (data(t, 2, 3),), options)


@probe("WHERE")
def _where(t: str) -> Case:
    return Case("WHERE", (data(t, 4),), (data("int64", 4, 1),), ("WhereOptions", {}))


@probe("UNIQUE")
def _unique(t: str) -> Case:
    return Case("UNIQUE", (data(t, 4),), (data(t, 4), data("int32", 4)), ("UniqueOptions", {"idxOutType": 2}))


for _name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"):

    def _reduce(t: str, name: str = _name) -> Case:
        operands = (data(t, 1, 2, 2, 3, low=-0.9, high=0.9), integers(1, 2))
        return Case(name, operands, (data(t, 1, 3),), ("ReducerOptions", {"keepDims": False}))

    CASES[_name] = _reduce

for _name in ("ARG_MAX", "ARG_MIN"):

    def _arg(t: str, name: str = _name) -> Case:
        table = "ArgMaxOptions" if name == "ARG_MAX" else "ArgMinOptions"
        return Case(name, (data(t, 1, 4), scalar(1)), (data("int32", 1),), (table, {"outputType": 2}))

    CASES[_name] = _arg


# --- control flow, and what few models hold ---------------------------------------------------------------------------


@probe("IF")
def _if(t: str) -> Case:
    """`t` is the type of the condition."""
    flow = (data(t, 1, low=1), data("float32", 1, 4))
    reshape = Case("RESHAPE", (flow[1], integers(1, 4)), (flow[1],), ("ReshapeOptions", {"newShape": [1, 4]}))
    body = Body(reshape, (), (0,), (2,))
    options = ("IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2})
    return Case("IF", flow, (data("float32", 1, 4),), options, bodies=(body, body))


@probe("WHILE")
def _while(t: str) -> Case:
    """Carries a value of type `t` and a flag, which is flipped once."""
    carried = (data(t, 1, 4), data("bool", 1, low=-2, high=-1))
    flip = Case("LOGICAL_NOT", carried[1:], carried[1:])  # tensors 0 and 1; the value passed along is tensor 2
    bodies = (Body(flip, carried[:1], (2, 0), (1,)), Body(flip, carried[:1], (2, 0), (2, 1)))
    return Case(
        "WHILE", carried, carried, ("WhileOptions", {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}), bodies=bodies
    )


@probe("SPARSE_TO_DENSE")
def _sparse_to_dense(t: str) -> Case:
    operands = (integers(0, 2), integers(4), Operand(t, (2,), values=1), Operand(t, (), values=0))
    return Case("SPARSE_TO_DENSE", operands, (data(t, 4),), ("SparseToDenseOptions", {}))


@probe("BUCKETIZE")
def _bucketize(t: str) -> Case:
    return Case(
        "BUCKETIZE", (data(t, 1, 4),), (data("int32", 1, 4),), ("BucketizeOptions", {"boundaries": [-1.0, 0.0, 1.0]})
    )


@probe("MATRIX_SET_DIAG")
def _matrix_set_diag(t: str) -> Case:
    return Case("MATRIX_SET_DIAG", (data(t, 1, 3, 3), data(t, 1, 3)), (data(t, 1, 3, 3),), ("MatrixSetDiagOptions", {}))


@probe("BITCAST")
def _bitcast(t: str) -> Case:
    return Case("BITCAST", (data(t, 1, 4),), (data(t, 1, 4),), ("BitcastOptions", {}))


@probe("CONV_3D_TRANSPOSE")
def _conv_3d_transpose(t: str) -> Case:
    steps = ("strideD", "strideW", "strideH", "dilationDFactor", "dilationWFactor", "dilationHFactor")
    options = ("Conv3DOptions", dict.fromkeys(steps, 1))
    operands = (integers(1, 3, 3, 3, 2), Operand(t, (1, 1, 1, 2, 2), values=0.5), data(t, 1, 3, 3, 3, 2))
    return Case("CONV_3D_TRANSPOSE", operands, (data(t, 1, 3, 3, 3, 2),), options)


for _name in ("UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_SUM"):

    def _segment(t: str, name: str = _name) -> Case:
        table = "UnsortedSegment" + name.rsplit("_", 1)[1].title() + "Options"
        return Case(name, (data(t, 3, 2), integers(0, 1, 0), scalar(2)), (data(t, 2, 2),), (table, {}))

    CASES[_name] = _segment


@probe("UNIDIRECTIONAL_SEQUENCE_RNN")
def _rnn(t: str) -> Case:
    operands = (data(t, 1, 3, 4), Operand(t, (2, 4), values=0.25), Operand(t, (2, 2), values=0.25),
                Operand(t, (2,), values=0.0), Operand(t, (1, 2), variable=True))  # fmt: skip
    options = ("SequenceRNNOptions", {"fusedActivationFunction": 4, "timeMajor": False})
    return Case("UNIDIRECTIONAL_SEQUENCE_RNN", operands, (data(t, 1, 3, 2),), options)
