"""What readers of the evaluation rely on: boards were really left out, and its summaries are those of its records."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cost_model import counting, evaluate, simple
from benchmarks.cost_model.fit import on_a_processor
from benchmarks.cost_model.measurements import Latency, latencies, measured
from tfcompress.benchmark.estimate.cost_model.process import Z80

WAYS = ("unanchored", "anchored")
MLPERF = {"ad", "ic", "kws", "vww"}
Record = dict[str, Any]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    if not evaluate.RESULT.exists():
        pytest.skip(f"{evaluate.RESULT.name} is not there; python -m benchmarks.cost_model.evaluate makes it")
    told: dict[str, Any] = json.loads(evaluate.RESULT.read_text(encoding="utf-8"))
    return told


def used() -> list[Latency]:
    return [one for one in latencies() if on_a_processor(one)]


def by_board(records: list[Record], way: str, name: str) -> float:
    """Mean over boards of each board's mean, in per cent: written again, so that no board counts twice."""
    found: dict[str, list[float]] = {}
    for one in records:
        if name in one[way]:
            found.setdefault(one["board"], []).append(abs(one[way][name]))
    return 100 * statistics.fmean(statistics.fmean(errors) for errors in found.values())


def same(summary: dict[str, Any], records: list[Record]) -> None:
    """Asserts that a summary is that of these records."""
    assert summary["points"] == len(records) and summary["boards"] == len({one["board"] for one in records})
    for way in WAYS:
        found = [one for one in records if way in one]
        if not found:
            assert way not in summary
            continue
        told = summary[way]
        assert told["points"] == len(found)
        for key, name in (("error_percent", "error"), ("macs_only_percent", "macs_only"), ("simple_percent", "simple")):
            if any(name in one[way] for one in found):
                assert told[key] == pytest.approx(by_board(found, way, name), abs=0.06), (way, key)
            else:
                assert told[key] is None
        within = statistics.fmean(abs(one[way]["error"]) <= 0.1 for one in found)
        holds = statistics.fmean(abs(one[way]["score"]) <= Z80 for one in found)
        factor = statistics.median(math.exp(Z80 * one[way]["deviation"]) for one in found)
        assert told["within_10_percent"] == pytest.approx(within, abs=0.011)
        assert told["interval_holds"] == pytest.approx(holds, abs=0.011)
        assert told["interval_factor"] == pytest.approx(factor, abs=0.002)


def headline(records: list[Record]) -> list[Record]:
    return [one for one in records if one["complete"] and one["mlperf"]]


def test_every_latency_of_a_processor_was_predicted_once(result: dict[str, Any]) -> None:
    told = sorted((one["system"], one["model"], one["cycles"]) for one in result["records"])
    assert told == sorted((one.system.name, one.model, round(one.cycles)) for one in used())
    assert all("unanchored" in one for one in result["records"])


def test_every_summary_is_that_of_its_records(result: dict[str, Any]) -> None:
    records, chosen = result["records"], headline(result["records"])
    same(result["headline"], chosen)
    same(result["all"], records)
    assert set(result["boards"]) == {one["board"] for one in chosen} and len(result["boards"]) >= 8
    for board, summary in result["boards"].items():
        same(summary, [one for one in chosen if one["board"] == board])
    for family, summary in result["families"].items():
        same(summary, [one for one in chosen if one["family"] == family])
    opened = [one for one in chosen if one["family"].startswith(("tflm", "microtvm"))]
    same(result["open_runtimes"], opened)
    assert len(opened) >= 30
    for board, summary in result["others"].items():
        same(summary, [one for one in records if one["board"] == board and one not in chosen])


def test_the_headline_is_of_systems_that_ran_all_four_models_of_the_benchmark(result: dict[str, Any]) -> None:
    chosen = headline(result["records"])
    ran: dict[str, set[str]] = {}
    for one in chosen:
        ran.setdefault(one["system"], set()).add(one["model"])
    assert all(models == MLPERF for models in ran.values())
    complete = [one for one in used() if one.source.startswith("MLPerf")]
    names = {one.system.name for one in complete}
    full = {name for name in names if {one.model for one in complete if one.system.name == name} == MLPERF}
    assert set(ran) == full


def test_an_error_and_a_score_are_of_the_same_belief(result: dict[str, Any]) -> None:
    """score = (truth - belief) / deviation, so that error = exp(-score * deviation) - 1."""
    for one in result["records"]:
        for way in WAYS:
            if way in one:
                told = one[way]
                expected = math.exp(-told["score"] * told["deviation"]) - 1
                assert told["error"] == pytest.approx(expected, abs=0.003 + 0.005 * abs(expected)), one


def test_what_is_anchored_has_another_model_of_the_same_system_and_nothing_else_is_not(result: dict[str, Any]) -> None:
    counts: dict[str, int] = {}
    for one in result["records"]:
        counts[one["system"]] = counts.get(one["system"], 0) + 1
    for one in result["records"]:
        assert ("anchored" in one) == (counts[one["system"]] > 1), one["system"]


def test_eighty_per_cent_intervals_hold_eighty_per_cent_of_what_was_left_out(result: dict[str, Any]) -> None:
    for way in WAYS:
        found = [one for one in result["records"] if way in one]
        assert 0.75 <= statistics.fmean(abs(one[way]["score"]) <= Z80 for one in found) <= 0.85, way


def test_the_cost_model_is_nearer_than_macs_alone_and_than_simple_predictors(result: dict[str, Any]) -> None:
    for way in WAYS:
        told = result["headline"][way]
        assert told["error_percent"] < told["simple_percent"] < told["macs_only_percent"]
    assert result["headline"]["unanchored"]["error_percent"] <= 18
    assert result["headline"]["anchored"]["error_percent"] <= 9


def test_simple_predictors_see_nothing_of_the_board_that_is_left_out(result: dict[str, Any]) -> None:
    """Computed again from the boards that are left, for some records of every board."""
    for board in sorted({one["board"] for one in result["records"]}):
        rest = [one for one in used() if one.system.board != board]
        own = {(one.system.name, one.model): one for one in used() if one.system.board == board}
        for record in [one for one in result["records"] if one["board"] == board][:3]:
            latency = own[record["system"], record["model"]]
            if "simple" in record["unanchored"]:
                told = simple.same_kind_elsewhere(latency, rest) / latency.cycles - 1
                assert record["unanchored"]["simple"] == pytest.approx(told, abs=1e-3), record
                told = simple.macs_elsewhere(latency, rest) / latency.cycles - 1
                assert record["unanchored"]["macs_only"] == pytest.approx(told, abs=1e-3), record


def test_a_board_that_is_left_out_is_predicted_as_the_result_says_from_the_others_alone(result: dict[str, Any]) -> None:
    """One board made anew, variances and all, with every other latency of it spoilt: nothing changes."""
    board = "nucleo-g0b1re"
    spoilt = [replace(one, cycles=one.cycles * 3) if one.system.board == board else one for one in used()]
    records = evaluate._board(board, spoilt, measured(spoilt, counting.counts()))
    before = [one for one in result["records"] if one["board"] == board]
    assert [one["model"] for one in records] == [one["model"] for one in before]
    for one, other in zip(records, before, strict=True):
        assert 3 * (one["unanchored"]["error"] + 1) == pytest.approx(other["unanchored"]["error"] + 1, rel=0.03)
        assert one["unanchored"]["deviation"] == pytest.approx(other["unanchored"]["deviation"], rel=0.03)


def test_boards_have_one_name_each_so_that_none_is_left_in_under_another(result: dict[str, Any]) -> None:
    """The names of MLPerf's systems say the board: any that share one are the same board here."""
    words = {"l4r5": "nucleo-l4r5zi", "h7a3": "nucleo-h7a3zi-q", "u575": "nucleo-u575zi-q", "f746": "disco-f746ng"}
    words |= {"g0b1": "nucleo-g0b1re", "nrf5340": "nrf5340-dk", "m467": "numaker-m467hj", "rx65n": "rx65n-cloud-kit"}
    seen = set()
    for one in used():
        for word, board in words.items():
            if word in one.system.name.lower():
                assert one.system.board == board, one.system.name
                seen.add(word)
    assert seen == set(words)
