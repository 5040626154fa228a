"""``ScoredSet``: one set of one snapshot with every method's measures and what the gate needs of each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.calibration import calibration_segments
from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.measures import (
    CASH_DAYS,
    Curves,
    Measures,
    Points,
    Predicted,
    crps_per_case,
    measure,
    share_within,
)
from duecourse.science.timing.pit import Pit, pit
from duecourse.science.timing.survival import brier_score
from duecourse.science.timing.tallies import COVERAGE_HORIZONS, Tally, case_groups, tally

FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

MODEL, OWN_HISTORY = "model", "customer_empirical"


@dataclass(frozen=True)
class CaseCash:
    """Cash within so many days, case by case in minor units.

    ``received``: what came; ``gap``: method -> expected less received.
    """

    received: FloatArray
    gap: dict[str, FloatArray]


@dataclass(frozen=True)
class ScoredSet:
    """Results of all methods on one ``CaseSet``; the arrays hold its mature cases only.

    ``crps``: method -> score of each case (methods that have one), ``cash``: days ahead -> the open book's cash where
    any came, ``tallies``: curve method -> counts, ``groups``:
    kind -> label of each case, ``segments``: its segment of recalibration, ``curves``: the model's curves where they
    were asked to be kept. ``brier`` (method -> days -> score) is over all cases, mature or not.
    """

    case_set: CaseSet
    measures: dict[str, Measures]
    crps: dict[str, FloatArray]
    cash: dict[str, CaseCash]
    tallies: dict[str, Tally]
    parent: TextArray
    groups: dict[str, TextArray]
    segments: TextArray
    curves: FloatArray | None
    brier: dict[str, dict[str, float]]

    @property
    def mature_cases(self) -> int:
        """Number of cases that were observed for the whole horizon."""
        return int(self.parent.size)


def score_set(case_set: CaseSet, predicted: Mapping[str, Predicted], *, keep_curves: bool = False) -> ScoredSet:
    """Measures every method on the same rows of ``case_set``; only Brier scores where nothing is mature."""
    horizon = case_set.horizon
    mature = case_set.cases.known_days >= horizon if horizon else np.zeros(case_set.cases.size, dtype=bool)
    cases = case_set.cases.take(mature)
    groups = {kind: labels[mature] for kind, labels in case_groups(case_set).items()}
    measures: dict[str, Measures] = {}
    crps: dict[str, FloatArray] = {}
    tallies: dict[str, Tally] = {}
    for name, method in predicted.items():
        measured = measure(case_set.cases, method, horizon, cash=case_set.name == "open") if cases.size else None
        if measured is None:
            continue
        measures[name] = measured
        if isinstance(method, Curves | Points):
            crps[name] = crps_per_case(cases, method.take(mature), horizon)
        if isinstance(method, Curves):
            values: Pit = pit(method.cdf[mature], cases.paid_after, cases.draw, horizon)
            tallies[name] = tally(case_set, method, values, groups)
    model = predicted.get(MODEL)
    return ScoredSet(
        case_set=case_set,
        measures=measures,
        crps=crps,
        cash=_cash(case_set, predicted, mature) if measures else {},
        tallies=tallies,
        parent=case_set.parent[mature],
        groups=groups,
        segments=calibration_segments(case_set.facts, case_set.landmarks)[mature],
        curves=model.cdf[mature, :horizon] if keep_curves and isinstance(model, Curves) else None,
        brier={name: _brier(case_set, method) for name, method in predicted.items() if isinstance(method, Curves)},
    )


def _cash(case_set: CaseSet, predicted: Mapping[str, Predicted], mature: npt.NDArray[np.bool_]) -> dict[str, CaseCash]:
    if case_set.name != "open":
        return {}
    cases = case_set.cases.take(mature)
    amount = cases.amount_minor.astype(np.float64)
    cash: dict[str, CaseCash] = {}
    for days in (days for days in CASH_DAYS if days <= case_set.horizon):
        received = amount * (cases.paid_after < days)
        if received.sum() > 0:
            gap = {
                name: amount * share_within(method.take(mature), case_set.horizon, days) - received
                for name, method in predicted.items()
            }
            cash[str(days)] = CaseCash(received, gap)
    return cash


def _brier(case_set: CaseSet, curves: Curves) -> dict[str, float]:
    scores = {str(days): brier_score(case_set.cases, curves, days) for days in COVERAGE_HORIZONS}
    return {days: score for days, score in scores.items() if score is not None}
