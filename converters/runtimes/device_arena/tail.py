"""What TFLM keeps in the tail of its arena as long as the model lives, with the rules of a compiler.

The order of allocations is that of MicroAllocator::Create and StartModelAllocation (micro_allocator.cc),
MicroInterpreter::PrepareNodeAndRegistrationDataFromFlatbuffer and AllocateTensors (micro_interpreter.cc). Each takes
bytes downwards to a multiple of its alignment (SingleArenaBufferAllocator::AllocatePersistentBuffer). What the kernels
keep between, beside their structures in `structs.py`, is not known here, but of the same size on every processor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from converters.flatbuffer import FlatBuffer, Tensor
from converters.runtimes.device_arena import structs
from converters.runtimes.device_arena.layer import Layer, layers
from converters.runtimes.device_arena.layouts import Abi, Size, size_of
from converters.runtimes.device_arena.lifetimes import offline_offsets, tensor_bytes
from converters.runtimes.device_arena.planner import ALIGNMENT, ONLINE, aligned

_STATES = {"lut": "DecodeStateLut", "prune": "DecodeStatePrune", "huffman": "DecodeStateHuffman"}


@dataclass
class _Tail:
    """Bytes taken so far, from an end that is a multiple of 16."""

    abi: Abi
    taken: int = 0

    def take(self, size: int, alignment: int = ALIGNMENT) -> None:
        self.taken = aligned(self.taken + size, alignment)

    def struct(self, name: str, count: int = 1) -> None:
        one = sized(name, self.abi)
        self.take(one.bytes * count, one.alignment)


def tail_bytes(
    flatbuffer: FlatBuffer,
    abi: Abi,
    *,
    kernels: Sequence[int],
    scratches: int,
    recording: bool = False,
    ports: bool = True,
) -> int:
    """Bytes of the tail.

    Args:
        flatbuffer: the file.
        abi: the compiler's rules.
        kernels: bytes that the kernels keep, in the order in which they ask for them.
        scratches: number of scratch buffers that the kernels ask for.
        recording: whether the allocator is the one that counts (RecordingMicroAllocator), as in the Python package.
        ports: with what is kept for inputs and outputs, which comes after the plan was made.
    """
    tail = _Tail(abi)
    tail.struct("RecordingSingleArenaBufferAllocator" if recording else "SingleArenaBufferAllocator")
    tail.struct("GreedyMemoryPlanner")
    tail.struct("RecordingMicroAllocator" if recording else "MicroAllocator")
    tail.struct("MicroBuiltinDataAllocator")
    tail.struct("SubgraphAllocations", len(flatbuffer.graphs))
    for graph in flatbuffer.graphs:
        tail.struct("TfLiteEvalTensor", len(graph.tensors))
    for graph in flatbuffer.graphs:
        tail.struct("NodeAndRegistration", len(graph.operators))
    for layer in layers(flatbuffer):
        params = structs.PARAMETERS.get(layer.name)
        if params:
            tail.struct(params)
    for size in kernels:
        tail.take(size)
    if scratches:
        tail.struct("ScratchBufferHandle", scratches)
    for size in _variables(flatbuffer):
        tail.take(size)
    graph = flatbuffer.graphs[0]
    for numbers in (graph.inputs, graph.outputs) if ports else ():
        tail.take(abi.pointer * len(numbers))
        for number in numbers:
            _port(tail, graph.tensors[number])
    return tail.taken


def planning_bytes(flatbuffer: FlatBuffer, abi: Abi, scratches: int, buffers: int) -> int:
    """Bytes between head and tail that TFLM needs for a moment, to prepare a kernel or to plan, whichever is more.

    Args:
        flatbuffer: the file.
        abi: the compiler's rules.
        scratches: number of scratch buffers that the kernels ask for.
        buffers: number of buffers to plan.
    """
    # InitScratchBufferData, FinishPrepareNodeAllocations: room for kMaxScratchBuffersPerOp requests more
    requests = sized("ScratchBufferRequest", abi).bytes * (scratches + 12)
    preparing = max((_temporary(layer, abi) for layer in layers(flatbuffer)), default=0)
    # AllocationInfoBuilder::CreateAllocationInfo, and the arrays of GreedyMemoryPlanner::per_buffer_size: a
    # BufferRequirements of four integers, a ListEntry of three, and three integers
    tensors = sum(len(graph.tensors) for graph in flatbuffer.graphs)
    infos = abi.pointer * len(flatbuffer.graphs) + sized("AllocationInfo", abi).bytes * (tensors + scratches)
    per_buffer = (4 + 3 + 3) * 4
    return max(requests + preparing, aligned(requests + infos) + per_buffer * buffers)


def _temporary(layer: Layer, abi: Abi) -> int:
    """AllocateTempTfLiteTensor of all tensors of an operator at once: no kernel takes more."""
    tensors = [tensor for tensor in (*layer.inputs, *layer.outputs) if tensor is not None]
    quantization = sized("TfLiteAffineQuantization", abi).bytes
    arrays = sum(quantization + 4 * (1 + len(one.scales)) for one in tensors if len(one.scales))
    # Each begins at a multiple of a pointer's width, behind an array of words.
    return sized("TfLiteTensor", abi).bytes * len(tensors) + arrays + abi.pointer * len(tensors)


def kernel_sizes(flatbuffer: FlatBuffer, abi: Abi, kernels: str = "reference") -> list[int]:
    """Bytes of the structures that the kernels keep, in the order in which they ask for them.

    All Init functions run before the first Prepare (MicroInterpreterGraph::InitSubgraphs, PrepareSubgraphs).

    Args:
        flatbuffer: the file.
        abi: the compiler's rules.
        kernels: `reference`, `cmsis-nn` or `esp-nn`.
    """
    every = list(layers(flatbuffer))
    of_init = [sized(name, abi).bytes for layer in every if (name := _init_struct(layer, abi, kernels))]
    return of_init + [size for layer in every for size in _prepared(layer, abi)]


def is_known(layer: Layer) -> bool:
    """Whether the structures of the operator's kernel are known."""
    return layer.name in structs.KNOWN


def sized(name: str, abi: Abi) -> Size:
    """Bytes and alignment of one of TFLM's structures."""
    layout = structs.PACKAGE.get(name) if abi.package else None
    return size_of(layout or structs.LAYOUTS[name], abi)


def _init_struct(layer: Layer, abi: Abi, kernels: str) -> str:
    if layer.name in structs.INT8_ONLY or layer.name in structs.IN_PREPARE:
        return ""
    if layer.name == "ASSIGN_VARIABLE" and abi.package:
        return "assign_variable.cc:OpData"
    own = structs.USER_DATA[kernels].get(layer.name)
    return own or structs.USER_DATA["reference"].get(layer.name, "")


def _prepared(layer: Layer, abi: Abi) -> Iterator[int]:
    if layer.name == "TFLM_DECODE":
        # decode.cc (Prepare): an array of pointers, and a state each (decode_state.cc).
        yield abi.pointer * len(layer.outputs)
        for output in layer.outputs:
            yield sized(_STATES.get(output.encoding, "DecodeStateLut"), abi).bytes
    if layer.name in structs.IN_PREPARE or (layer.name in structs.INT8_ONLY and layer.outputs[0].dtype == "int8"):
        yield sized(structs.USER_DATA["reference"][layer.name], abi).bytes
    if layer.name == "BATCH_MATMUL":
        # batch_matmul.cc (AllocInitTransposeTensorFromTfLiteTensor)
        turned = int(bool(layer.option("adj_x"))) + int(not layer.option("adj_y"))
        yield from [sized("TfLiteEvalTensor", abi).bytes] * turned


def _variables(flatbuffer: FlatBuffer) -> Sequence[int]:
    """Tensors that keep their values, without those planned offline (MicroAllocator::AllocateVariables)."""
    offsets = offline_offsets(flatbuffer)
    return [
        tensor_bytes(tensor)
        for graph in flatbuffer.graphs
        for number, tensor in enumerate(graph.tensors)
        # The offsets of the first graph are looked up for every graph there.
        if tensor.is_variable and (not offsets or offsets[number] == ONLINE)
    ]


def _port(tail: _Tail, tensor: Tensor) -> None:
    """InitializeTfLiteTensorFromFlatbuffer: an input or output with its scales."""
    tail.struct("TfLiteTensor")
    if len(tensor.scales) and len(tensor.zero_points):
        tail.struct("TfLiteAffineQuantization")
        # TfLiteIntArray: its length, and a zero point for each scale
        tail.take(4 * (1 + len(tensor.scales)), 4)
