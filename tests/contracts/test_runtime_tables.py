"""The tables of `targets/runtimes/*.toml` are what the installed runtimes do, in both directions, for every operator.

Each operator is run with each type as a file of its own (`operator_probes`), about a thousand files per runtime.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

import pytest
from ask_runtime import Answer, ask, close, every_question, proven_kernels, works
from one_operator import TYPES, build
from operator_probes import CASES, SPECIAL

from converters.flatbuffer import FlatBuffer
from converters.spec import ConversionSpec
from converters.verify import certify
from tfcompress.targets import Runtime, runtime

Answers = dict[tuple[str, str], Answer]

WHEELS = {"tflm": ("tflite_micro", "tflite-micro"), "litert": ("ai_edge_litert", "ai-edge-litert")}
# Their own data type tells nothing: `certify` only asks whether they are listed.
LISTED_ONLY = ("IF", "WHILE")


@pytest.fixture(scope="module")
def answers_of() -> dict[str, Answers]:
    return {}


def said_by(name: str, answers_of: dict[str, Answers]) -> Answers:
    module, wheel = WHEELS[name]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{wheel} has no wheel for this platform")
    if name not in answers_of:
        answers_of[name] = ask(name, every_question())
    return answers_of[name]


@pytest.mark.parametrize("name", WHEELS)
def test_the_table_was_proven_with_the_installed_version(name: str, answers_of: dict[str, Answers]) -> None:
    said_by(name, answers_of)
    installed = importlib.metadata.version(WHEELS[name][1])
    assert runtime(name).version == installed, f"run ask_runtime.py {name} --table and bring {name}.toml up to date"


@pytest.mark.parametrize("operator", CASES)
@pytest.mark.parametrize("name", WHEELS)
def test_the_table_lists_exactly_the_types_that_the_kernel_runs(
    name: str, operator: str, answers_of: dict[str, Answers]
) -> None:
    proven = proven_kernels(said_by(name, answers_of))
    listed = runtime(name).kernels.get(operator, ())
    assert set(listed) & set(TYPES) == set(proven.get(operator, ()))


@pytest.mark.parametrize("name", WHEELS)
def test_no_probe_kills_the_runtime(name: str, answers_of: dict[str, Answers]) -> None:
    dead = [pair for pair, answer in said_by(name, answers_of).items() if "signal" in answer.get("why", "")]
    assert not dead


def test_both_runtimes_compute_the_same_where_both_have_a_kernel(answers_of: dict[str, Answers]) -> None:
    ours, theirs = said_by("tflm", answers_of), said_by("litert", answers_of)
    both = [pair for pair in ours if works(ours[pair]) and works(theirs[pair])]
    makers = CASES | SPECIAL
    apart = []
    for name, dtype in both:
        pairs = zip(ours[name, dtype]["outputs"], theirs[name, dtype]["outputs"], strict=True)
        operands = makers[name](dtype).outputs
        if not all(close(operand, *pair) for operand, pair in zip(operands, pairs, strict=True)):
            apart.append((name, dtype))
    assert len(both) > 250
    assert not apart


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("name", WHEELS)
def test_per_channel_dense_computes_right(name: str, dtype: str, answers_of: dict[str, Answers]) -> None:
    """Wrong without an error in TFLM before September 2024: tflite-micro#2602."""
    assert works(said_by(name, answers_of)["FULLY_CONNECTED per channel", dtype])


@pytest.mark.parametrize("operator", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
@pytest.mark.parametrize("name", WHEELS)
def test_int4_weights_run_where_the_table_says_so(name: str, operator: str, answers_of: dict[str, Answers]) -> None:
    answer = said_by(name, answers_of)[f"{operator} with int4 weights", "int8"]
    assert answer["ok"] == (operator in runtime(name).int4_weights)


@pytest.mark.parametrize("name", WHEELS)
def test_the_dtypes_of_files_are_what_the_kernels_allow(name: str, answers_of: dict[str, Answers]) -> None:
    answers, facts = said_by(name, answers_of), runtime(name)
    dynamic = [answers[f"{operator} with int8 weights", "float32"]["ok"] for operator in ("CONV_2D", "FULLY_CONNECTED")]
    assert dynamic == ["dynamic" in facts.dtypes] * 2
    assert answers["DEQUANTIZE", "float16"]["ok"] == ("float16" in facts.dtypes)
    for dtype, activation in (("int8", "int8"), ("int16x8", "int16"), ("float32", "float32")):
        assert answers["CONV_2D", activation]["ok"] == (dtype in facts.dtypes)


@pytest.mark.parametrize(
    ("source", "target"), [("float32", "int8"), ("float32", "int16"), ("uint8", "int8"), ("int8", "uint8")]
)
@pytest.mark.parametrize("name", WHEELS)
def test_the_conversions_at_a_files_doors_run(
    name: str, source: str, target: str, answers_of: dict[str, Answers]
) -> None:
    assert works(said_by(name, answers_of)[f"QUANTIZE to {target}", source])


@pytest.mark.parametrize("name", WHEELS)
def test_the_certificate_looks_operators_up_as_the_table_means_it(name: str) -> None:
    facts = runtime(name)
    spec = facts.spec(dtype="float32")
    wrong = [
        (operator, dtype)
        for operator in CASES
        if operator not in LISTED_ONLY
        for dtype in TYPES
        if _refused(operator, dtype, spec) is not _unlisted(operator, dtype, facts)
    ]
    assert not wrong


def _refused(operator: str, dtype: str, spec: ConversionSpec) -> bool:
    file = FlatBuffer(build(CASES[operator](dtype)))
    return any("has no kernel" in fault.problem for fault in certify(file, spec).faults)


def _unlisted(operator: str, dtype: str, facts: Runtime) -> bool:
    return dtype not in facts.kernels.get(operator, ())
