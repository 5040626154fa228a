"""``ScoredSet``: one set of one snapshot with every method's measures and what the gate needs of each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.measures import Curves, Measures, Points, Predicted, crps_per_case, measure
from duecourse.science.timing.pit import Pit, pit
from duecourse.science.timing.tallies import Tally, case_groups, tally

FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]


@dataclass(frozen=True)
class ScoredSet:
    """Results of all methods on one ``CaseSet``; the arrays hold its mature cases only.

    ``crps``: method -> score of each case (methods that have one), ``tallies``: curve method -> counts, ``groups``:
    kind -> label of each case.
    """

    case_set: CaseSet
    measures: dict[str, Measures]
    crps: dict[str, FloatArray]
    tallies: dict[str, Tally]
    parent: TextArray
    groups: dict[str, TextArray]

    @property
    def mature_cases(self) -> int:
        """Number of cases that were observed for the whole horizon."""
        return int(self.parent.size)


def score_set(case_set: CaseSet, predicted: Mapping[str, Predicted]) -> ScoredSet:
    """Measures every method on the same rows of ``case_set``; empty where nothing is mature."""
    horizon = case_set.horizon
    mature = case_set.cases.known_days >= horizon if horizon else np.zeros(case_set.cases.size, dtype=bool)
    if not mature.any():
        return ScoredSet(case_set, {}, {}, {}, case_set.parent[:0], {})
    cases = case_set.cases.take(mature)
    groups = {kind: labels[mature] for kind, labels in case_groups(case_set).items()}
    measures: dict[str, Measures] = {}
    crps: dict[str, FloatArray] = {}
    tallies: dict[str, Tally] = {}
    for name, method in predicted.items():
        measured = measure(case_set.cases, method, horizon, cash=case_set.name == "open")
        if measured is None:
            continue
        measures[name] = measured
        if isinstance(method, Curves | Points):
            crps[name] = crps_per_case(cases, method.take(mature), horizon)
        if isinstance(method, Curves):
            values: Pit = pit(method.cdf[mature], cases.paid_after, cases.draw, horizon)
            tallies[name] = tally(case_set, method, values, groups)
    return ScoredSet(case_set, measures, crps, tallies, case_set.parent[mature], groups)
