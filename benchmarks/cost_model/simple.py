"""Simple predictors, beside which the cost model is judged; each sees what the cost model sees, and no more."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from benchmarks.cost_model.measurements import Latency, models

Predictor = Callable[[Latency, Sequence[Latency]], float]


def macs(latency: Latency) -> int:
    """Multiply-accumulates of the model that ran."""
    return sum(work.macs for work in models()[latency.model])


def same_kind_elsewhere(asked: Latency, elsewhere: Sequence[Latency]) -> float:
    """Median cycles of the model with the same runtime family and core; of the same family, core or any, for want."""
    return statistics.median(one.cycles for one in _kin(asked, [one for one in elsewhere if one.model == asked.model]))


def macs_elsewhere(asked: Latency, elsewhere: Sequence[Latency]) -> float:
    """Multiply-accumulates times the median cycles of one, of the same family and core."""
    return macs(asked) * statistics.median(one.cycles / macs(one) for one in _kin(asked, elsewhere))


def macs_anchored(asked: Latency, anchors: Sequence[Latency], elsewhere: Sequence[Latency]) -> float:
    """Multiply-accumulates times what one took the board's other models, as a geometric mean."""
    return macs(asked) * math.exp(statistics.fmean(math.log(one.cycles / macs(one)) for one in anchors))


def profile_anchored(asked: Latency, anchors: Sequence[Latency], elsewhere: Sequence[Latency]) -> float:
    """The runtime family's ratios between models, learnt elsewhere, scaled by the board's other models."""
    family = [one for one in elsewhere if one.system.family == asked.system.family] or list(elsewhere)

    def level(model: str) -> float:
        found = [math.log(one.cycles) for one in family if one.model == model]
        found = found or [math.log(one.cycles) for one in elsewhere if one.model == model]
        return statistics.median(found)

    scale = statistics.fmean(math.log(one.cycles) - level(one.model) for one in anchors)
    return math.exp(scale + level(asked.model))


def _kin(asked: Latency, found: Sequence[Latency]) -> Sequence[Latency]:
    """Those nearest to what is asked about: family and core, family, core, any."""
    core = [one for one in found if one.system.core == asked.system.core]
    family = [one for one in found if one.system.family == asked.system.family]
    both = [one for one in core if one.system.family == asked.system.family]
    return both or family or core or found
