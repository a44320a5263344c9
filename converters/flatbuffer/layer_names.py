"""Which Keras layer a tensor of a `.tflite` file came from, read from its name.

Files of this toolkit have names `layer/operation` (see `naming.py`). Files of other makers carry the scopes of the
traced graph: `model/layer/BiasAdd/ReadVariableOp/resource`, nested models as `model/inner/layer/operation`, several of
them joined by `;` where the converter fused operations. What Keras 3 appends to a scope (`conv1` traced a second time
becomes `conv1_1`) cannot be told from a layer's own name, and stays.
"""

from __future__ import annotations

import re
from functools import lru_cache

# What the converter and the SavedModel exporter invent; none of it names a layer.
_INVENTED = re.compile(
    r"(statefulpartitionedcall|partitionedcall|identity|arith\.constant|output|const|constant)[_\d]*"
    r"|tfl\.\w+|pseudo_\w*|\d*",
    re.IGNORECASE,
)
_TYPE_SUFFIX = re.compile(r"_(int8|uint8|int16)\Z")  # what quantization appends to inputs and outputs
_CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Scopes between a layer and the operation that TensorFlow adds. Words are compared as `_plain` leaves them.
_INNER_SCOPES = _words("""
    biasadd readvariableop resource batchnorm tensordot einsum convolution conv2d conv2d_transpose depthwise moments
    while body cond lstm_cell gru_cell simple_rnn_cell weights_quant act_quant fakequantwithminmaxvars
    fakequantwithminmaxvarsperchannel lastvaluequant movingavgquantize fusedbatchnormv matmul
""")
_READS = _words("readvariableop resource")

# A fused name lists several layers. The layer that computes is the one to name; an activation only if it is alone.
_COMPUTES = _words("""
    conv2d conv1d conv3d conv2dbackpropinput conv3dbackpropinputv conv_transpose conv2d_transpose convolution depthwise
    depthwiseconv2dnative matmul batchmatmul batchmatmulv biasadd tensordot einsum dense
""")
_FOLLOWS = _words("""
    relu elu selu leakyrelu sigmoid tanh softmax softplus gelu silu swish hardswish hard_sigmoid mul_1 add_1
    fusedbatchnorm fusedbatchnormv batchnorm readvariableop
""")
_BARE = _words("""
    add addv mul sub realdiv mean sum max min prod pad padv reshape transpose squeeze expanddims concat concatv pack
    stridedslice shape cast gather gatherv avgpool maxpool
""")


@lru_cache(maxsize=4096)
def layer_of(tensor_name: str) -> str:
    """The Keras layer that a tensor belongs to; empty where the name tells none.

    Of a fused name, the layer that computes (convolution, matrix product, bias) and is named most often wins: the
    converter also lists the activation and normalization it folded, and now and then a layer it merely shares with.
    """
    best: dict[str, tuple[int, int]] = {}
    for part in tensor_name.split(";"):
        layer, rank = _layer_and_rank(part)
        if layer:
            top, votes = best.get(layer, (rank, 0))
            best[layer] = max(rank, top), votes + 1
    # max() keeps the first of equals, and dicts keep the order of the name.
    return max(best, key=lambda layer: best[layer]) if best else ""


def _layer_and_rank(part: str) -> tuple[str, int]:
    """Layer of one part of a name, and how well it fits: 2 computes, 1 anything else, 0 only follows a layer."""
    segments = [segment for segment in part.split("/") if segment and not _CALL.fullmatch(segment)]
    if len(segments) < 2:
        name = _TYPE_SUFFIX.sub("", (segments or [""])[0].removeprefix("serving_default_").partition(":")[0])
        # Layers may have any name, but `Gelu` or `Mean` without a scope is what an operation is called.
        bare = name[:1].isupper() and _plain(name) in _COMPUTES | _FOLLOWS | _BARE
        return ("" if bare or _INVENTED.fullmatch(name) else name), 1
    *scopes, operation = segments
    words = [operation]
    while len(scopes) > 2 and _plain(scopes[-1]) in _INNER_SCOPES:
        words.append(scopes.pop())
    # Two scopes left are `model/layer`, or `layer/BiasAdd` where the model had no scope and a variable was read.
    while len(scopes) > 1 and _plain(words[-1]) in _READS and _plain(scopes[-1]) in _INNER_SCOPES:
        words.append(scopes.pop())
    plain = {_plain(word) for word in words} | {word.lower() for word in words}
    rank = 2 if plain & _COMPUTES else 0 if plain & _FOLLOWS else 1
    return scopes[-1], rank


def _plain(word: str) -> str:
    """The word in lower case without the number that makes a name unique (`MatMul1`, `einsum_2`)."""
    return word.rstrip("0123456789").rstrip("_").lower()
