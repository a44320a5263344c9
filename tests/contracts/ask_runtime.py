"""Runs every probe in one runtime and prints, as one JSON line each, whether the kernel took it and what came out.

    python ask_runtime.py tflm|litert < names and types, as JSON pairs, one per line

Probes run in forked workers: a kernel that kills its process is one answer, and the next worker goes on after it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import operator_probes_shape  # noqa: F401  (fills CASES)
from one_operator import Case, build
from operator_probes import CASES, SPECIAL

Answer = dict[str, Any]
Runner = Callable[[Case, bytes], list[np.ndarray]]


def in_tflm() -> Runner:
    """A function that runs a case in TFLM."""
    from tflite_micro import runtime

    def run(case: Case, model: bytes) -> list[np.ndarray]:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 17)
        for index, feed in enumerate(case.feeds()):
            interpreter.set_input(feed, index)
        interpreter.invoke()
        return [np.array(interpreter.get_output(index)) for index in range(len(case.outputs))]

    return run


def in_litert() -> Runner:
    """A function that runs a case in LiteRT's own kernels, without a delegate."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES

    def run(case: Case, model: bytes) -> list[np.ndarray]:
        interpreter = Interpreter(
            model_content=model, experimental_op_resolver_type=resolver, num_threads=1
        )
        interpreter.allocate_tensors()
        for detail, feed in zip(interpreter.get_input_details(), case.feeds(), strict=True):
            interpreter.set_tensor(detail["index"], feed)
        interpreter.invoke()
        return [np.array(interpreter.get_tensor(detail["index"])) for detail in interpreter.get_output_details()]

    return run


def answer(run: Runner, name: str, dtype: str) -> Answer:
    """What became of one probe."""
    case = (CASES | SPECIAL)[name](dtype)
    model = build(case)
    try:
        outputs = run(case, model)
    except (RuntimeError, ValueError) as error:
        return {"name": name, "dtype": dtype, "ok": False, "why": str(error)[:300]}
    real = [operand.decode(stored).ravel().tolist() for operand, stored in zip(case.outputs, outputs, strict=True)]
    return {"name": name, "dtype": dtype, "ok": True, "outputs": real}


def main() -> None:
    """Answers all questions of standard input."""
    questions = [json.loads(line) for line in sys.stdin]
    run = {"tflm": in_tflm, "litert": in_litert}[sys.argv[1]]()
    done = 0
    while done < len(questions):
        read_end, write_end = os.pipe()
        worker = os.fork()
        if worker == 0:
            with open(write_end, "w", buffering=1) as replies:
                for name, dtype in questions[done:]:
                    replies.write(json.dumps(answer(run, name, dtype)) + "\n")
            os._exit(0)
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
            why = f"died of signal {-code}"
            sys.stdout.write(json.dumps({"name": name, "dtype": dtype, "ok": False, "why": why}) + "\n")
            done += 1
        sys.stdout.flush()


if __name__ == "__main__":
    main()
