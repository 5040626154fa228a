"""How long a test must run: the smallest effect that can be seen, fed by the tenant's own variance and volume."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from duecourse.science.evaluate.intervals import sequence_factor
from duecourse.science.evaluate.logged import FloatArray, IntArray

MOST_WEEKS = 520


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the variance of an outcome sits, in its squared unit.

    ``between`` payers and ``within`` a payer from decision to decision; ``explained`` is the share of ``between`` that
    is known before the test.
    """

    between: float
    within: float
    explained: float = 0.0


@dataclass(frozen=True, slots=True)
class Design:
    """A planned test: ``payers`` in it, ``per_week`` decisions of each a week, ``treated`` share drawn into the group.

    ``looks`` True pays for looking every day (always valid), False for one look at the end.
    """

    payers: int
    per_week: float
    treated: float = 0.5
    level: float = 0.95
    power: float = 0.80
    looks: bool = True


def spread_of(outcome: FloatArray, cluster: IntArray, before: FloatArray | None = None) -> Spread:
    """The spread of one's own past decisions: analysis of variance by payer; ``before`` (n,) a covariate of the payer.

    With one decision per payer everything counts as between. Raises ValueError for fewer than two payers.
    """
    _, inverse, counts = np.unique(cluster, return_inverse=True, return_counts=True)
    number, n = len(counts), len(outcome)
    if number < 2:
        raise ValueError("a spread needs at least two payers")
    means = np.bincount(inverse, weights=outcome) / counts
    within_sum = float(((outcome - means[inverse]) ** 2).sum())
    within = within_sum / (n - number) if n > number else 0.0
    between_mean = float((counts * (means - outcome.mean()) ** 2).sum()) / (number - 1)
    typical = (n - float((counts**2).sum()) / n) / (number - 1)
    between = max(0.0, (between_mean - within) / typical)
    explained = 0.0
    if before is not None and between > 0:
        of_payer = np.bincount(inverse, weights=before) / counts
        explained = min(1.0, max(0.0, float(np.corrcoef(of_payer, means)[0, 1]) ** 2)) if of_payer.std() > 0 else 0.0
    return Spread(between, within, explained)


def detectable_effect(spread: Spread, design: Design, weeks: float) -> float:
    """The smallest true difference that a test of ``weeks`` finds with the wanted power; inf without decisions.

    ``(reach + z_power) sd sqrt(1 / (payers share (1 - share)))`` with sd of a payer's mean over the test; reach is the
    normal quantile, or the confidence sequence's factor times sqrt(payers) when one may look every day.
    """
    decisions = design.per_week * weeks
    if decisions <= 0 or design.payers < 2:
        return math.inf
    variance = spread.between * (1 - spread.explained) + spread.within / decisions
    reach = (
        sequence_factor(design.payers, planned=design.payers, level=design.level) * math.sqrt(design.payers)
        if design.looks
        else float(stats.norm.ppf((1 + design.level) / 2))
    )
    needed = reach + float(stats.norm.ppf(design.power))
    return needed * math.sqrt(variance / (design.payers * design.treated * (1 - design.treated)))


def weeks_needed(spread: Spread, design: Design, effect: float) -> int | None:
    """Whole weeks until ``effect`` can be found; None when ten years would not do."""
    if detectable_effect(spread, design, MOST_WEEKS) > effect:
        return None
    low, high = 0, MOST_WEEKS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detectable_effect(spread, design, middle) <= effect else (middle, high)
    return high


def power_sentence(spread: Spread, design: Design, effect: float, unit: str) -> str:
    """For a credit manager: how long, or why never and what would be seen in a year. ``unit``: what effect counts."""
    weeks = weeks_needed(spread, design, effect)
    if weeks is None:
        year = detectable_effect(spread, design, 52)
        return (
            f"with {design.payers:,} payers this test can never show a difference of {effect:.2g} {unit}; "
            f"in a year it shows one of {year:.2g}"
        )
    return f"this test needs {weeks} week{'s' if weeks != 1 else ''} at your volume to show {effect:.2g} {unit}"
