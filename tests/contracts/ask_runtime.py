"""Asks a runtime which types its kernels take, by running one-operator files in it.

    python tests/contracts/ask_runtime.py tflm --table      the [kernels] of tfcompress/targets/runtimes/tflm.toml

Probes run in forked workers: a kernel that kills its process is one answer, and the next worker goes on after it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import operator_probes_shape  # noqa: F401  (fills CASES)
from one_operator import TYPES, Case, Operand, build
from operator_probes import CASES, SPECIAL

Answer = dict[str, Any]
Runner = Callable[[bytes, list[np.ndarray], int], list[np.ndarray]]

# Their float form computes something else: it truncates, takes any bits for flags, or quantizes on the fly.
NO_FLOAT_TWIN = ("CAST", "MEAN", "LOGICAL_AND", "LOGICAL_OR", *(name for name in SPECIAL if " with int" in name))

# Kernels that check no type and read others as if they were these (past the end of the data, some of them); the types
# they are made for, by their sources: logical_common.cc in TFLM; fake_quant.cc and matrix_diag.cc in LiteRT.
_DIAGONAL = tuple(dtype for dtype in TYPES if dtype not in ("bool", "float16"))
MADE_FOR = {
    "LOGICAL_AND": ("bool",),
    "LOGICAL_OR": ("bool",),
    "FAKE_QUANT": ("float32",),
    "MATRIX_DIAG": _DIAGONAL,
    "MATRIX_SET_DIAG": _DIAGONAL,
}


# --- asking ---------------------------------------------------------------------------------------------------------


def ask(runtime: str, questions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    """What a runtime ("tflm" or "litert") says to each pair of a case's name and an activation type."""
    lines = "\n".join(json.dumps(question) for question in questions)
    command = [sys.executable, str(Path(__file__).resolve()), runtime]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"the probes themselves failed: {done.stderr[-2000:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {(answer["name"], answer["dtype"]): answer for answer in answers}


def every_question() -> list[tuple[str, str]]:
    """All operators with all types, then the special cases."""
    special = [(name, dtype) for name in SPECIAL for dtype in ("float32", "int8", "int16", "uint8")]
    return [(name, dtype) for name in CASES for dtype in MADE_FOR.get(name, TYPES)] + special


def proven_kernels(answers: dict[tuple[str, str], Answer]) -> dict[str, tuple[str, ...]]:
    """Operator -> types that its kernel takes and computes as the float kernel does; operators without any left out."""
    found = {name: tuple(dtype for dtype in MADE_FOR.get(name, TYPES) if works(answers[name, dtype])) for name in CASES}
    return {name: types for name, types in sorted(found.items()) if types}


def works(answer: Answer) -> bool:
    """Whether the kernel ran, and did not contradict the float kernel."""
    return bool(answer["ok"] and answer.get("faithful", True))


def close(operand: Operand, got: list[float], wanted: list[float]) -> bool:
    """Whether real values agree within two steps of the operand's scale and 1 % of the largest value."""
    step = max(operand.quantization()[0], default=0.0)
    bound = 2.01 * step + 0.01 * max(map(abs, wanted), default=0.0)
    return len(got) == len(wanted) and all(abs(one - other) <= bound for one, other in zip(got, wanted, strict=True))


# --- answering ------------------------------------------------------------------------------------------------------


def in_tflm() -> Runner:
    """A function that runs a file in TFLM."""
    from tflite_micro import runtime

    def run(model: bytes, feeds: list[np.ndarray], outputs: int) -> list[np.ndarray]:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 17)
        for index, feed in enumerate(feeds):
            interpreter.set_input(feed, index)
        interpreter.invoke()
        return [np.array(interpreter.get_output(index)) for index in range(outputs)]

    return run


def in_litert() -> Runner:
    """A function that runs a file in LiteRT's own kernels, without a delegate."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES

    def run(model: bytes, feeds: list[np.ndarray], outputs: int) -> list[np.ndarray]:
        interpreter = Interpreter(model_content=model, experimental_op_resolver_type=resolver, num_threads=1)
        interpreter.allocate_tensors()
        for detail, feed in zip(interpreter.get_input_details(), feeds, strict=True):
            interpreter.set_tensor(detail["index"], feed)
        interpreter.invoke()
        return [np.array(interpreter.get_tensor(detail["index"])) for detail in interpreter.get_output_details()]

    return run


def answer(run: Runner, name: str, dtype: str) -> Answer:
    """What became of one probe; beside it whether the float kernel makes the same of the same numbers."""
    makers = CASES | SPECIAL
    case = makers[name](dtype)
    feeds = case.feeds()
    reply: Answer = {"name": name, "dtype": dtype}
    try:
        outputs = run(build(case), feeds, len(case.outputs))
    except (RuntimeError, ValueError) as error:
        return reply | {"ok": False, "why": str(error)[:300]}
    reply |= {"ok": True, "outputs": _real(case, outputs)}
    if dtype == "float32" or name in NO_FLOAT_TWIN:
        return reply
    twin = makers[name]("float32")
    numbers = [to.encode(of.decode(feed)) for to, of, feed in zip(twin.fed(), case.fed(), feeds, strict=True)]
    # A type may have a kernel where float has none: then there is no second opinion.
    with contextlib.suppress(RuntimeError, ValueError):
        wanted = _real(twin, run(build(twin), numbers, len(twin.outputs)))
        reply["faithful"] = all(map(close, case.outputs, reply["outputs"], wanted))
    return reply


def _real(case: Case, outputs: list[np.ndarray]) -> list[list[float]]:
    return [operand.decode(stored).ravel().tolist() for operand, stored in zip(case.outputs, outputs, strict=True)]


def answer_all(runtime: str, questions: list[tuple[str, str]]) -> None:
    """Prints one JSON line for each question."""
    run = {"tflm": in_tflm, "litert": in_litert}[runtime]()
    done = 0
    while done < len(questions):
        read_end, write_end = os.pipe()
        worker = os.fork()
        if worker == 0:
            _work(write_end, run, questions[done:])
        os.close(write_end)
        with open(read_end) as replies:
            for line in replies:
                sys.stdout.write(line)
                done += 1
        _, status = os.waitpid(worker, 0)
        if done < len(questions):
            name, dtype = questions[done]
            code = os.waitstatus_to_exitcode(status)
            if code >= 0:
                raise SystemExit(f"the probe {name} of {dtype} is itself wrong")
            sys.stdout.write(json.dumps({"name": name, "dtype": dtype, "ok": False, "why": f"signal {-code}"}) + "\n")
            done += 1
        sys.stdout.flush()


def _work(write_end: int, run: Runner, questions: list[tuple[str, str]]) -> None:
    status = 1
    try:
        with open(write_end, "w", buffering=1) as replies:
            for name, dtype in questions:
                replies.write(json.dumps(answer(run, name, dtype)) + "\n")
        status = 0
    finally:  # never back into the parent's code
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Answers the questions of standard input, or prints a table."""
    if sys.argv[2:] == ["--table"]:
        for name, types in proven_kernels(ask(sys.argv[1], every_question())).items():
            print(f"{name} = {json.dumps(types)}")
    else:
        answer_all(sys.argv[1], [tuple(json.loads(line)) for line in sys.stdin])


if __name__ == "__main__":
    main()
