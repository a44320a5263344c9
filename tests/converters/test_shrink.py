"""What users rely on: a shrunk file is smaller and computes the same, bit for bit, wherever it may run."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from every_runtime import outputs, same
from file_meaning import meaning
from packable_files import BOTH, EXTRAS, LITERT, branches, network, two_doors
from small_tflite import G, Op, Parts, T, build, model, pack, small_graph
from strict_flatbuffer import Checked

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from converters.shrink import shrink

ALL = BOTH | LITERT
LITERT_KERNELS = ("default", "builtin", "reference")
REAL = ["ic/pretrainedResnet_quant.tflite", "kws/kws_ref_model.tflite", "kws/kws_ref_model_float32.tflite"]
ENGINES: Any = ("litert", "tflm")

needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")


@pytest.fixture(scope="module")
def ran() -> dict[str, dict[str, Any]]:
    """What all files give before and after, on every runtime: one child process for all."""
    runs: dict[str, list[bytes]] = {
        "before": [make() for make in ALL.values()],
        **{engine: [shrink(FlatBuffer(make()), engine=engine).data for make in ALL.values()] for engine in ENGINES},
    }
    found = iter(outputs([data for files in runs.values() for data in files]))
    return {stage: {name: next(found) for name in ALL} for stage in runs}


def only(told: dict[str, Any], runtimes: tuple[str, ...]) -> dict[str, Any]:
    return {name: told[name] for name in runtimes if name in told}


@pytest.mark.parametrize("name", ALL)
def test_litert_computes_the_same_with_all_its_kernels(name: str, ran: dict[str, dict[str, Any]]) -> None:
    assert same(only(ran["litert"][name], LITERT_KERNELS), only(ran["before"][name], LITERT_KERNELS))


@needs_tflm
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("engine", ENGINES)
def test_tflm_computes_the_same(name: str, engine: str, ran: dict[str, dict[str, Any]]) -> None:
    assert same(only(ran[engine][name], ("tflm",)), only(ran["before"][name], ("tflm",)))


@pytest.mark.parametrize("name", BOTH)
def test_the_files_of_these_tests_tell_one_input_from_another(name: str, ran: dict[str, dict[str, Any]]) -> None:
    for found in only(ran["before"][name], LITERT_KERNELS).values():
        assert len({sample.tobytes() for sample in found[0]}) > 1


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_shrunk_file_says_the_same_and_is_smaller(name: str, engine: Any) -> None:
    before = ALL[name]()
    after = shrink(FlatBuffer(before), engine=engine)
    assert meaning(after.data, engine=engine) == meaning(before, engine=engine)
    assert len(after.data) < len(before)
    Checked(after.data)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("engine", ENGINES)
def test_shrinking_again_changes_nothing(name: str, engine: Any) -> None:
    once = shrink(FlatBuffer(ALL[name]()), engine=engine)
    twice = shrink(once, engine=engine)
    assert twice.data == once.data
    assert [list(names) for names in twice.names or ()] == [list(names) for names in once.names or ()]
    assert shrink(FlatBuffer(ALL[name]()), engine=engine).data == once.data


@pytest.mark.parametrize("name", ALL)
def test_for_tflm_a_file_is_at_least_as_small_as_for_litert(name: str) -> None:
    flatbuffer = FlatBuffer(ALL[name]())
    sizes = [len(shrink(flatbuffer, engine=engine).data) for engine in ENGINES]
    assert sizes[1] <= sizes[0]
    # One after the other leads to the same file as the second alone.
    assert shrink(shrink(flatbuffer, engine="litert"), engine="tflm").data == shrink(flatbuffer, engine="tflm").data


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("engine", ENGINES)
def test_real_files_say_the_same(name: str, engine: Any, real_data: Path) -> None:
    before = FlatBuffer.read(real_data / "mlperf_tiny" / name)
    after = shrink(before, engine=engine)
    assert meaning(after.data, engine=engine) == meaning(before.data, engine=engine)
    assert shrink(after, engine=engine).data == after.data
    layers = [operator.layer for operator in before.operators if engine == "litert" or operator.name != "RESHAPE"]
    assert [
        operator.layer for operator in after.operators if operator.name != "RESHAPE" or engine == "litert"
    ] == layers
    Checked(after.data)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_and_outputs_keep_their_names_in_the_file_itself(name: str, engine: Any) -> None:
    before = FlatBuffer(ALL[name]())
    bare = FlatBuffer(shrink(before, engine=engine).data)
    assert [port.name for port in bare.inputs] == [port.name for port in before.inputs]
    assert [port.name for port in bare.outputs] == [port.name for port in before.outputs]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_result_knows_every_name_that_the_file_lost(name: str, engine: Any) -> None:
    before = FlatBuffer(ALL[name]())
    after = shrink(before, engine=engine)
    for old, new in zip(before.graphs, after.graphs, strict=True):
        of_old, of_new = ({graph.tensors[one.outputs[0]].name: one for one in graph.operators} for graph in (old, new))
        assert of_new.keys() <= of_old.keys()
        for output, operator in of_new.items():
            kept = [old.tensors[index].name if index >= 0 else "" for index in of_old[output].inputs]
            now = [new.tensors[index].name if index >= 0 else "" for index in operator.inputs]
            assert now[1:] == kept[1 : len(now)]
            if operator.name != "FULLY_CONNECTED":
                assert now[:1] == kept[:1]
            # Where only inputs and outputs are left, no name tells a layer.
            assert operator.layer == of_old[output].layer or len(new.tensors) == len({*new.inputs, *new.outputs})
    bare = FlatBuffer(after.data)
    doors = {*bare.graphs[0].inputs, *bare.graphs[0].outputs}
    assert not any(tensor.name for tensor in bare.tensors if tensor.index not in doors)
    assert not any(tensor.name for graph in bare.graphs[1:] for tensor in graph.tensors)


def test_signatures_stay_for_litert_and_lead_to_the_same_tensors() -> None:
    before = FlatBuffer(build(network(), parts=EXTRAS))
    after = shrink(before, engine="litert")
    (one,), (other,) = before.signatures, after.signatures
    assert other.key == one.key == "serving_default"
    for side in ("inputs", "outputs"):
        names = {name: before.tensors[index].name for name, index in getattr(one, side).items()}
        assert {name: after.tensors[index].name for name, index in getattr(other, side).items()} == names
    assert not shrink(before, engine="tflm").signatures


@pytest.mark.parametrize("graph", [1, 2])
def test_a_signature_of_another_graph_leads_to_that_graph(graph: int) -> None:
    tree = model(*branches(), parts=EXTRAS)
    signature = tree.signatureDefs[0]
    signature.subgraphIndex = graph
    for side, index in (("inputs", 0), ("outputs", 2)):
        item = getattr(signature, side)[0]
        item.tensorIndex = index
        setattr(signature, side, [item])
    after = shrink(FlatBuffer(pack(tree)), engine="litert")
    (found,) = after.signatures
    assert found.graph == graph
    assert list(found.inputs.values()) == list(after.graphs[graph].inputs)
    assert list(found.outputs.values()) == list(after.graphs[graph].outputs)


# --- what goes and what stays ----------------------------------------------------------------------------------------


def test_metadata_that_a_runtime_or_library_reads_stay_for_litert_and_all_others_go() -> None:
    kept = {"reduced_precision_support": b"fp16accfp32", "TFLITE_METADATA": b"labels"}
    parts = Parts({**kept, "min_runtime_version": b"1.5.0", "CONVERSION_METADATA": b"x" * 50}, description="words")
    flatbuffer = FlatBuffer(build(small_graph(), parts=parts))
    assert shrink(flatbuffer, engine="litert").metadata == kept
    assert shrink(flatbuffer, engine="tflm").metadata == {}
    assert schema.ModelT.InitFromPackedBuf(shrink(flatbuffer, engine="litert").data, 0).description is None


@pytest.mark.parametrize("engine", ENGINES)
def test_tensors_and_buffers_that_nothing_refers_to_go(engine: Any) -> None:
    graph = two_doors()
    unread = [T(f"unread{number}", (100,), values=number) for number in range(3)]
    bloated = build(G([*graph.tensors, *unread], graph.operators, graph.inputs, graph.outputs), parts=EXTRAS)
    lean = shrink(FlatBuffer(bloated), engine=engine)
    assert lean.data == shrink(FlatBuffer(build(graph, parts=EXTRAS)), engine=engine).data
    assert [tensor.name for tensor in lean.tensors] == ["first", "second", "sum"]


def test_an_input_that_no_operator_reads_stays() -> None:
    tensors = [T(name, (1, 4), "float32") for name in ("x", "ignored", "y")]
    flatbuffer = FlatBuffer(build(G(tensors, [Op("RELU", ["x"], ["y"])], ["ignored", "x"], ["y"]), parts=EXTRAS))
    for engine in ENGINES:
        assert [port.name for port in shrink(flatbuffer, engine=engine).inputs] == ["ignored", "x"]


def test_a_tensor_that_is_input_and_output_at_once_stays_both() -> None:
    flatbuffer = FlatBuffer(build(G([T("x", (1, 4), "float32")], [], ["x"], ["x"]), parts=EXTRAS))
    for engine in ENGINES:
        after = shrink(flatbuffer, engine=engine)
        assert after.graphs[0].inputs == after.graphs[0].outputs == (0,)


def test_buffers_of_equal_content_are_one_even_under_different_types() -> None:
    raw = np.arange(64, dtype=np.int8).tobytes()
    tensors = [T("a", (64,), "int8", raw=raw), T("b", (16,), "int32", raw=raw), T("c", (64,), "int8", raw=raw)]
    after = shrink(FlatBuffer(build(G(tensors, [], [], ["a", "b", "c"]), parts=EXTRAS)), engine="litert")
    assert after.tensors[0].buffer == after.tensors[1].buffer == after.tensors[2].buffer
    assert after.constant(after.tensors[1]).tolist() == np.frombuffer(raw, "<i4").tolist()


def test_variables_keep_buffers_of_their_own() -> None:
    # A variable has no content; two of them must not become one tensor.
    tensors = [T("x", (1, 4)), T("state", (1, 4), variable=True), T("state2", (1, 4), variable=True), T("y", (1, 4))]
    operators = [Op("CUSTOM_STATEFUL", ["x", "state", "state2"], ["y"])]
    after = shrink(FlatBuffer(build(G(tensors, operators, ["x"], ["y"]), parts=EXTRAS)), engine="litert")
    assert [tensor.is_variable for tensor in after.tensors] == [False, True, True, False]


def test_a_shape_that_may_change_stays_so_for_litert() -> None:
    flatbuffer = FlatBuffer(LITERT["resizable"]())
    assert shrink(flatbuffer, engine="litert").inputs[0].shape_signature == (-1, 3)
    assert shrink(flatbuffer, engine="tflm").inputs[0].shape_signature == ()


def test_a_file_for_tflm_is_known_not_to_be_for_litert() -> None:
    after = shrink(FlatBuffer(BOTH["network"]()), engine="tflm")
    assert "shrunk for TFLM" in after.only_tflm
    assert not shrink(FlatBuffer(BOTH["network"]()), engine="litert").only_tflm


def test_a_float_file_for_tflm_is_known_as_well() -> None:
    tensors = [T("x", (1, 4, 4), "float32"), T("s", (2,), "int32", values=[2, 8]), T("r", (2, 8), "float32")]
    operators = [
        Op("RESHAPE", ["x", "s"], ["r"], ("ReshapeOptions", {"newShape": [2, 8]})),
        Op("TANH", ["r"], ["y"]),
    ]
    flatbuffer = FlatBuffer(build(G([*tensors, T("y", (2, 8), "float32")], operators, ["x"], ["y"])))
    assert not flatbuffer.only_tflm and not shrink(flatbuffer, engine="litert").only_tflm
    assert "shapes that RESHAPE makes" in shrink(flatbuffer, engine="tflm").only_tflm


def test_a_file_of_tflms_first_compression_is_refused_in_one_line() -> None:
    flatbuffer = FlatBuffer(build(small_graph(), parts=Parts({"COMPRESSION_METADATA": b"1234"})))
    with pytest.raises(ModelError, match="compressed by an older tool of TFLM") as caught:
        shrink(flatbuffer, engine="tflm")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_a_file_with_a_place_in_the_arena_for_every_tensor_is_refused(engine: Any) -> None:
    flatbuffer = FlatBuffer(build(small_graph(), parts=Parts({"OfflineMemoryAllocation": bytes(80)})))
    with pytest.raises(ModelError, match="has a memory plan made offline and cannot be edited"):
        shrink(flatbuffer, engine=engine)


def test_labels_behind_a_file_for_litert_are_not_lost() -> None:
    packed = io.BytesIO(build(small_graph(), parts=EXTRAS))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    flatbuffer = FlatBuffer(packed.getvalue())
    with pytest.raises(ModelError, match="has an archive behind it"):
        shrink(flatbuffer, engine="litert")
    assert b"labels.txt" not in shrink(flatbuffer, engine="tflm").data  # TFLM reads none


def test_a_file_that_gets_no_smaller_comes_back_as_it_is() -> None:
    after = shrink(FlatBuffer(BOTH["network"]()), engine="litert")
    assert shrink(after, engine="litert") is after


def test_operators_beyond_the_old_codes_and_custom_ones_keep_their_codes() -> None:
    names = ["RELU", "GELU", "MyOwn", "RELU", "BITCAST", "MyOther"]
    tensors = [T(f"t{number}", (1, 4), "float32") for number in range(len(names) + 1)]
    operators = [Op(name, [f"t{i}"], [f"t{i + 1}"], custom_options=b"own") for i, name in enumerate(names)]
    flatbuffer = FlatBuffer(build(G(tensors, operators, ["t0"], [f"t{len(names)}"]), parts=EXTRAS))
    for engine in ENGINES:
        after = shrink(flatbuffer, engine=engine)
        assert [operator.name for operator in after.operators] == names
        assert [operator.custom_options for operator in after.operators] == [b"own"] * len(names)
        Checked(after.data)
