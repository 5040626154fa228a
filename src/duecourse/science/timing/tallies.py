"""Counts behind the calibration pictures: coverage by group and horizon, and reliability of P(late)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.backtest_report import Calibration, GroupShare, HorizonShare, ReliabilityBin
from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.measures import LATE_LABELS, Curves, capped_quantiles, lateness
from duecourse.science.timing.pit import Pit, uniformity
from duecourse.science.timing.segments import behaviour_segments

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

COVERAGE_HORIZONS = (7, 14, 30, 60)
RELIABILITY_LABELS = ("late", "late_60")
BINS = 10
LARGE_SHARE, MEDIUM_SHARE = 0.5, 0.8  # of all that was billed: the customers that make the first half, and so on


@dataclass(frozen=True)
class Tally:
    """One curve method on the mature cases of one set; adding tallies up pools snapshots.

    ``groups``: kind -> label of each case. ``inside``: outcome between the 10 % and 90 % day. ``horizons``: days ->
    (cases, inside, sum of F, paid). ``bins``: label -> (BINS, 3) sums of cases, probabilities and occurrences.
    """

    pit: Pit
    groups: dict[str, TextArray]
    inside: BoolArray
    horizons: dict[int, tuple[int, int, float, int]]
    bins: dict[str, FloatArray]


def tally(case_set: CaseSet, curves: Curves, mature_pit: Pit, groups: dict[str, TextArray]) -> Tally:
    """The counts of ``curves`` on ``case_set``; ``groups`` and ``mature_pit`` are those of its mature cases."""
    mature = case_set.cases.known_days >= case_set.horizon
    cases, kept = case_set.cases.take(mature), curves.take(mature)
    low, _, high = capped_quantiles(kept, case_set.horizon).T
    y = np.minimum(cases.paid_after, case_set.horizon)
    horizons = {}
    for days in COVERAGE_HORIZONS:
        if days <= case_set.horizon:
            within = np.minimum(y, days)
            inside = (np.minimum(low, days) <= within) & (within <= np.minimum(high, days))
            expected = float(kept.cdf[:, days - 1].sum())
            horizons[days] = (cases.size, int(inside.sum()), expected, int((cases.paid_after < days).sum()))
    bins = {name: _binned(*lateness(case_set.cases, curves, LATE_LABELS[name])) for name in RELIABILITY_LABELS}
    return Tally(mature_pit, groups, (low <= y) & (y <= high), horizons, bins)


def _binned(probability: FloatArray, happened: BoolArray) -> FloatArray:
    place = np.clip((probability * BINS).astype(np.int64), 0, BINS - 1)
    weights = (np.ones(place.size), probability, happened.astype(np.float64))
    result: FloatArray = np.column_stack([np.bincount(place, weights=one, minlength=BINS) for one in weights])
    return result


def case_groups(case_set: CaseSet) -> dict[str, TextArray]:
    """Labels of every case: paid invoices of its customer before, behaviour segment and size at the snapshot."""
    facts, landmarks, day = case_set.facts, case_set.landmarks, case_set.frozen_day
    customer = facts.customer[landmarks.invoice]
    start, end = facts.history(customer, landmarks.known_day)
    paid = np.digitize(end - start, (1, 3, 10))
    return {
        "paid_before": np.array(["0", "1-2", "3-9", "10 or more"], dtype=object)[paid],
        "segment": behaviour_segments(facts, day).segment[customer],
        "customer_size": customer_sizes(facts, day)[customer],
    }


def customer_sizes(facts: Facts, day: int) -> TextArray:
    """Large / medium / small per customer of ``facts``, by what was billed to it before ``day``.

    Large are the biggest customers that together make half of it, medium the next that make 80 %, small all others.
    """
    seen = facts.visible_from <= day
    billed = np.bincount(facts.customer[seen], weights=facts.amount[seen], minlength=len(facts.customer_ids))
    order = np.argsort(-billed, kind="stable")
    share_before = (np.cumsum(billed[order]) - billed[order]) / max(float(billed.sum()), 1.0)
    result = np.full(billed.size, "small", dtype=object)
    result[order[(share_before < MEDIUM_SHARE) & (billed[order] > 0)]] = "medium"
    result[order[(share_before < LARGE_SHARE) & (billed[order] > 0)]] = "large"
    return result


def pooled(tallies: Sequence[Tally]) -> Calibration:
    """One ``Calibration`` of all the tallies of one method and set."""
    values = Pit(np.concatenate([one.pit.value for one in tallies]), np.concatenate([one.pit.paid for one in tallies]))
    inside = np.concatenate([one.inside for one in tallies])
    coverage = {
        kind: _group_shares(np.concatenate([one.groups[kind] for one in tallies]), inside) for kind in tallies[0].groups
    }
    by_horizon = []
    for days in COVERAGE_HORIZONS:
        parts = [one.horizons[days] for one in tallies if days in one.horizons]
        if parts:
            n, within, expected, paid = (sum(column) for column in zip(*parts, strict=True))
            by_horizon.append(HorizonShare(days, int(n), int(within), float(expected) / n, int(paid)))
    bins = {name: sum((one.bins[name] for one in tallies), np.zeros((BINS, 3))) for name in RELIABILITY_LABELS}
    return Calibration(
        n=int(inside.size),
        pit_histogram=uniformity(values).histogram,
        by_horizon=tuple(by_horizon),
        coverage=coverage,
        reliability={name: _reliability(sums) for name, sums in bins.items()},
    )


def _group_shares(labels: TextArray, inside: BoolArray) -> tuple[GroupShare, ...]:
    names, code = np.unique(labels.astype(str), return_inverse=True)
    n = np.bincount(code, minlength=names.size)
    within = np.bincount(code, weights=inside.astype(np.float64), minlength=names.size)
    return tuple(GroupShare(str(name), int(a), int(b)) for name, a, b in zip(names, n, within, strict=True))


def _reliability(sums: FloatArray) -> tuple[ReliabilityBin, ...]:
    return tuple(
        ReliabilityBin(place / BINS, (place + 1) / BINS, int(n), float(predicted / n), float(observed / n))
        for place, (n, predicted, observed) in enumerate(sums)
        if n > 0
    )
