"""The certificate: what it lets pass, and whom it blames for what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_tflite import G, Op, T, build, model, pack, small_file, small_graph

from converters.errors import CertificateError
from converters.flatbuffer import FlatBuffer
from converters.spec import ConversionSpec
from converters.verify import Fault, certify, verify

INT8 = ConversionSpec()
KERNELS = dict.fromkeys(("CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"), ("int8", "float32"))
SCALE = (0.1,)


def faults(data: bytes, spec: ConversionSpec = INT8, **options: Any) -> tuple[Fault, ...]:
    return certify(FlatBuffer(data), spec, **options).faults


def chain(*operators: tuple[str, str], dtypes: tuple[str, ...]) -> bytes:
    """Operators in a row: (name, layer) between tensors of these types."""
    names = ["x", *(f"{layer}/out{index}" for index, (_, layer) in enumerate(operators))]
    tensors = [
        T(name, (1, 4), dtype, scales=() if dtype == "float32" else SCALE)
        for name, dtype in zip(names, dtypes, strict=True)
    ]
    made = [Op(name, [names[index]], [names[index + 1]]) for index, (name, _) in enumerate(operators)]
    return build(G(tensors, made, [names[0]], [names[-1]]))


# --- good files ---------------------------------------------------------------------------------------------------


def test_an_integer_file_passes_with_kernels_for_every_operator() -> None:
    spec = ConversionSpec(runtime="tflm", kernels=KERNELS)
    certificate = verify(FlatBuffer(small_file()), spec)
    assert certificate.ok
    assert certificate.notes == ()


def test_a_float_file_passes_as_float32() -> None:
    assert verify(FlatBuffer(small_file("float32")), ConversionSpec(dtype="float32")).ok


def test_float_at_the_door_passes_only_if_it_was_asked_for() -> None:
    data = chain(
        ("QUANTIZE", "x"), ("RELU", "act"), ("DEQUANTIZE", "act"), dtypes=("float32", "int8", "int8", "float32")
    )
    assert faults(data, ConversionSpec(io="float32")) == ()
    assert [fault.problem for fault in faults(data)] == [
        "is the model's input in float32, not int8",
        "is the model's output in float32, not int8",
    ]


def test_unsigned_bytes_at_the_door_pass_if_they_were_asked_for() -> None:
    data = chain(("QUANTIZE", "x"), ("RELU", "act"), ("QUANTIZE", "act"), dtypes=("uint8", "int8", "int8", "uint8"))
    assert faults(data, ConversionSpec(io="uint8")) == ()
    assert [fault.problem for fault in faults(data)] == [
        "is the model's input in uint8, not int8",
        "is the model's output in uint8, not int8",
    ]


def test_token_numbers_stay_integers_without_a_scale_and_are_noted() -> None:
    tensors = [
        T("ids", (1, 3), "int32"),
        T("embedding/table", (9, 4), values=1, scales=SCALE),
        T("embedding/out", (1, 3, 4), scales=SCALE),
    ]
    data = build(G(tensors, [Op("GATHER", ["embedding/table", "ids"], ["embedding/out"])], ["ids"], ["embedding/out"]))
    certificate = certify(FlatBuffer(data), INT8)
    assert certificate.ok
    assert "input 'ids' holds int32 numbers, which are not quantized" in certificate.notes


def test_a_file_without_a_named_runtime_says_that_kernels_were_not_checked() -> None:
    assert "no runtime was named" in certify(FlatBuffer(small_file()), INT8).notes[0]


# --- bad files, and who is blamed -----------------------------------------------------------------------------------


def test_a_float_operator_in_an_integer_file_is_blamed_and_not_the_conversions_around_it() -> None:
    data = chain(
        ("RELU", "act"),
        ("DEQUANTIZE", "gelu_1"),
        ("GELU", "gelu_1"),
        ("QUANTIZE", "gelu_1"),
        dtypes=("int8", "int8", "float32", "float32", "int8"),
    )
    (fault,) = faults(data)
    assert (fault.operator, fault.layer) == ("GELU 2", "gelu_1")
    assert "float32" in fault.problem
    assert "--dtype float16" in fault.fix


def test_float_that_only_conversions_touch_is_found_too() -> None:
    data = chain(("DEQUANTIZE", "a"), ("QUANTIZE", "b"), dtypes=("int8", "float32", "int8"))
    assert [fault.operator for fault in faults(data)] == ["DEQUANTIZE 0"]


def test_a_tensorflow_operator_is_named_with_its_layer_and_a_way_out() -> None:
    data = chain(
        ("DEQUANTIZE", "g"), ("FlexErf", "gelu"), ("QUANTIZE", "g"), dtypes=("int8", "float32", "float32", "int8")
    )
    (fault,) = faults(data)
    assert (fault.operator, fault.layer) == ("FlexErf 1", "gelu")
    assert "tanh approximation" in fault.fix


def test_a_float_operator_inside_a_branch_is_found() -> None:
    condition = T("c", (), "bool", values=True)
    call = Op("IF", ["c", "x"], ["y"], ("IfOptions", {"thenSubgraphIndex": 1, "elseSubgraphIndex": 1}))
    main = G([T("x", (1, 4), scales=SCALE), condition, T("y", (1, 4), scales=SCALE)], [call], ["x"], ["y"])
    inside = [T("x", (1, 4), scales=SCALE), T("dense/f", (1, 4), "float32"), T("y", (1, 4), scales=SCALE)]
    steps = [Op("DEQUANTIZE", ["x"], ["dense/f"]), Op("QUANTIZE", ["dense/f"], ["y"])]
    branch = G(inside, steps, ["x"], ["y"], "then")
    assert [fault.operator for fault in faults(build(main, branch))] == ["DEQUANTIZE 0"]


def test_a_missing_kernel_is_named_with_the_types_that_exist() -> None:
    kernels = KERNELS | {"SOFTMAX": ("float32",)}
    del kernels["RESHAPE"]
    spec = ConversionSpec(runtime="tflm", kernels=kernels)
    reshape, softmax = faults(small_file(), spec)
    assert (reshape.operator, reshape.layer) == ("RESHAPE 1", "flatten")
    assert reshape.problem == "has no kernel in tflm"
    assert softmax.problem == "has no kernel for int8 in tflm"
    assert "float32" in softmax.fix


@pytest.mark.parametrize(
    ("operator", "inputs", "dtype"),
    [
        ("SPLIT", ["axis", "x"], "int8"),
        ("TRANSPOSE_CONV", ["axis", "w", "x"], "int8"),
        ("ARG_MAX", ["x", "axis"], "int8"),
        ("DEQUANTIZE", ["x"], "int8"),
    ],
)
def test_the_kernel_is_chosen_by_the_type_of_the_data(operator: str, inputs: list[str], dtype: str) -> None:
    tensors = [
        T("axis", (1,), "int32", values=0),
        T("w", (1, 1, 1, 4), values=1, scales=SCALE),
        T("x", (1, 4), scales=SCALE),
        T(
            "y",
            (1, 4),
            "int64" if operator == "ARG_MAX" else "float32" if operator == "DEQUANTIZE" else "int8",
            scales=SCALE,
        ),
    ]
    data = build(G(tensors, [Op(operator, inputs, ["y"])], ["x"], ["y"]))
    spec = ConversionSpec(io="float32" if operator == "DEQUANTIZE" else None, kernels={operator: (dtype,)})
    assert not [fault for fault in faults(data, spec) if "kernel" in fault.problem]
    other = replace(spec, kernels={operator: ("int32", "int64", "float32")})
    assert [fault.problem for fault in faults(data, other) if "kernel" in fault.problem] == [
        "has no kernel for int8 in the runtime"
    ]


def test_a_custom_operator_that_the_runtime_has_is_no_fault() -> None:
    data = chain(("TFLM_DECODE", "w"), dtypes=("int8", "int8"))
    assert [fault.operator for fault in faults(data)] == ["TFLM_DECODE 0"]
    assert faults(data, ConversionSpec(kernels={"TFLM_DECODE": ("int8",)})) == ()


def spoil(change: Callable[[Any], None]) -> bytes:
    tree = model(small_graph())
    change(tree.subgraphs[0].tensors)
    return pack(tree)


def without_scale(tensors: Any) -> None:
    tensors[3].quantization = None


def bad_scale(tensors: Any) -> None:
    tensors[3].quantization.scale = [float("nan")]


def few_scales(tensors: Any) -> None:
    tensors[1].quantization.scale = [0.1, 0.2]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (without_scale, "without a scale"),
        (bad_scale, "not a positive number"),
        (few_scales, "has 2 scales for 'conv/kernel', which has 3 channels"),
    ],
)
def test_a_tensor_without_a_usable_scale_is_blamed_on_its_layer(change: Callable[[Any], None], problem: str) -> None:
    (fault,) = faults(spoil(change))
    assert (fault.operator, fault.layer) == ("CONV_2D 0", "conv")
    assert problem in fault.problem


def test_an_open_batch_is_a_fault() -> None:
    graph = small_graph()
    graph.tensors[0].signature = (-1, 4, 4, 2)
    (fault,) = faults(build(graph))
    assert (fault.tensor, fault.fix) == ("image", "convert with a fixed batch of 1")


def test_dense_weights_per_channel_are_a_fault_where_one_scale_was_asked_for() -> None:
    graph = small_graph()
    graph.tensors[6].scales = (0.1,) * 5
    assert faults(build(graph)) == ()
    (fault,) = faults(build(graph), ConversionSpec(dense="per-tensor"))
    assert (fault.operator, fault.layer, fault.tensor) == ("FULLY_CONNECTED 2", "dense", "dense/kernel")


def test_each_kind_of_file_is_told_from_the_others() -> None:
    made = {"int8": small_file(), "int16x8": sixteen_bit(), "float16": half(), "dynamic": hybrid()}
    made["float32"] = dense_file("float32")
    for dtype in made:
        for name, data in made.items():
            spec = ConversionSpec(dtype=dtype)  # type: ignore[arg-type]
            assert (faults(data, spec) == ()) == (name == dtype), f"the {name} file asked to be {dtype}"


def sixteen_bit() -> bytes:
    graph = small_graph()
    for tensor in graph.tensors:
        if tensor.dtype == "int8" and tensor.values is None:
            tensor.dtype, tensor.zero_points = "int16", (0,)
        elif tensor.dtype == "int32" and tensor.scales:
            tensor.dtype = "int64"
    return build(graph)


def dense_file(weight: str, *, restored: bool = False) -> bytes:
    """A fully connected operator on floats, large enough for the converter to compress its weight."""
    values = np.ones((32, 64), weight)
    scales = SCALE if weight == "int8" else ()
    tensors = [
        T("x", (1, 64), "float32"),
        T("dense/w", (32, 64), weight, values=values, scales=scales),
        T("dense/restored", (32, 64), "float32"),
        T("dense/y", (1, 32), "float32"),
    ]
    operators = [Op("DEQUANTIZE", ["dense/w"], ["dense/restored"])] if restored else []
    operators.append(Op("FULLY_CONNECTED", ["x", "dense/restored" if restored else "dense/w", None], ["dense/y"]))
    return build(G(tensors, operators, ["x"], ["dense/y"]))


def half() -> bytes:
    return dense_file("float16", restored=True)


def hybrid() -> bytes:
    return dense_file("int8")


def test_an_integer_file_with_float_doors_is_no_float16_file() -> None:
    graph = small_graph()
    tensors = [*graph.tensors, T("in", (1, 4, 4, 2), "float32"), T("out", (1, 5), "float32")]
    operators = [Op("QUANTIZE", ["in"], ["image"]), *graph.operators, Op("DEQUANTIZE", ["probabilities"], ["out"])]
    data = build(G(tensors, operators, ["in"], ["out"]))
    assert faults(data, ConversionSpec(io="float32")) == ()
    for dtype in ("float16", "dynamic", "float32"):
        spec = ConversionSpec(dtype=dtype)  # type: ignore[arg-type]
        assert "computes in int8, not float32" in {fault.problem for fault in faults(data, spec)}


# --- promises about weights, and the message --------------------------------------------------------------------


def test_extra_checks_see_the_stored_integers() -> None:
    seen: list[np.ndarray] = []

    def holds(values: np.ndarray) -> bool:
        seen.append(values)
        return bool(np.abs(values).max() <= 9)

    assert faults(small_file(), checks=[("conv/kernel", holds)]) == ()
    assert (seen[0].dtype, seen[0].shape) == (np.int8, (3, 3, 2, 3))  # as Keras keeps it: HWIO


def test_a_broken_promise_and_a_missing_weight_are_named() -> None:
    checks = [("conv/kernel", lambda values: False), ("gone/kernel", lambda values: True)]
    broken, gone = faults(small_file(), checks=checks)
    assert (broken.tensor, broken.layer) == ("conv/kernel", "conv")
    assert (gone.layer, gone.problem) == ("gone", "is not a kernel of this file")


def test_the_error_is_one_line_with_three_faults_and_a_count_of_the_rest() -> None:
    with pytest.raises(CertificateError) as caught:
        verify(FlatBuffer(small_file("float32")), INT8)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("the file is not the int8 file that was asked for: CONV_2D 0 in layer 'conv' works on")
    assert message.count(" | ") == 3
    assert message.endswith("and 3 more")
    assert len(caught.value.details.splitlines()) == 6


def test_the_published_integer_files_pass_but_for_their_open_batch(real_data: Path) -> None:
    for name in (
        "ic/pretrainedResnet_quant.tflite",
        "ic/pretrainedResnet_large_int8.tflite",
        "kws/kws_ref_model.tflite",
    ):
        (fault,) = certify(FlatBuffer.read(real_data / "mlperf_tiny" / name), INT8).faults
        assert "open shape" in fault.problem
