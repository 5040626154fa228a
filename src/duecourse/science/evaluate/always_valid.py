"""A test that may be looked at every day: two groups of payers, adjusted for what was known before, with guardrails.

Units are payers (clusters) drawn into the treated group with a known share. Outcomes are cut at their 95 % quantile
and adjusted by covariates from before the test (CUPED, Deng, Xu, Kohavi and Walker 2013); the interval is the
asymptotic confidence sequence, which holds at all looks together. Harms are cut at that quantile of those they befell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from duecourse.science.evaluate.intervals import FIRST_LOOK_CLUSTERS, Interval, sequence_factor
from duecourse.science.evaluate.logged import FloatArray

WINSOR = 0.95
GUARDRAILS = (
    "opt_outs", "complaints", "disputes_raised", "contacts_per_account", "order_volume_lost", "collector_minutes",
    "promises_broken", "days_late",
)  # fmt: skip


@dataclass(frozen=True)
class Groups:
    """One row per payer whose outcome is complete, in the order of completion.

    ``treated`` (n,) bool, ``outcome`` (n,), ``before`` (n, d) covariates from before the test (d may be 0), ``share``
    the probability with which each payer was drawn into the treated group. Raises ValueError for anything else.
    """

    treated: np.ndarray
    outcome: FloatArray
    before: FloatArray
    share: float

    def __post_init__(self) -> None:
        if not len(self.treated) == len(self.outcome) == len(self.before) or self.before.ndim != 2:
            raise ValueError("treated, outcome and before need one row per payer")
        if not 0 < self.share < 1:
            raise ValueError(f"the share of the treated group lies between 0 and 1, got {self.share}")
        if not (np.isfinite(self.outcome).all() and np.isfinite(self.before).all()):
            raise ValueError("outcomes and covariates must be finite numbers")

    def first(self, number: int) -> Groups:
        """The first ``number`` payers: the test as it stood when they were complete."""
        return Groups(self.treated[:number], self.outcome[:number], self.before[:number], self.share)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a running test: ``difference`` treated minus others with the always-valid interval.

    ``fixed`` is the interval that is right only for a single look planned in advance. ``explained`` is the share of the
    outcome's variance that the covariates took away. Before 100 payers the always-valid interval is infinite.
    """

    payers: int
    difference: Interval
    fixed: Interval
    explained: float

    @property
    def decided(self) -> bool:
        """True when 0 is outside the always-valid interval."""
        return not self.difference.holds(0.0)


def winsorised(values: FloatArray, share: float = WINSOR) -> FloatArray:
    """``values`` with everything above their ``share`` quantile set to it: one huge invoice must not decide."""
    if not len(values):
        return values
    cut: FloatArray = np.minimum(values, np.quantile(values, share, method="higher"))
    return cut


def cut_harm(values: FloatArray, share: float = WINSOR) -> FloatArray:
    """``values`` cut at the ``share`` quantile of those above 0, so that a harm that befalls few is not cut away."""
    above = values[values > 0]
    if not above.size:
        return values
    cut: FloatArray = np.minimum(values, np.quantile(above, share, method="higher"))
    return cut


def look(groups: Groups, *, planned: int, level: float = 0.95, winsor: bool = True, pooled: bool = False) -> Look:
    """The test as it stands. ``planned`` payers decide where the interval is tightest.

    The difference is the mean of ``(T/share - (1-T)/(1-share)) * adjusted outcome``, adjusted by the covariates and
    centred, which has mean 0 without an effect whatever the covariates are. ``pooled``: the spread is at least that of
    two groups that are alike, since a small group in which a rare thing never happened seems to have none.
    """
    number = len(groups.outcome)
    outcome = winsorised(groups.outcome) if winsor else groups.outcome
    if number < 2:
        nothing = Interval(0.0, -math.inf, math.inf)
        return Look(number, nothing, nothing, 0.0)
    adjusted, explained = cuped(outcome, groups.before)
    treated = groups.treated.astype(bool)
    signed = np.where(treated, 1 / groups.share, -1 / (1 - groups.share)) * adjusted
    mean, spread = float(signed.mean()), float(signed.std(ddof=1))
    if pooled:
        alike = float(adjusted.std(ddof=1)) * math.sqrt(1 / groups.share + 1 / (1 - groups.share))
        spread = max(spread, alike)
    error = spread / math.sqrt(number)
    fixed = float(stats.norm.ppf((1 + level) / 2)) * error
    reach = spread * sequence_factor(number, planned=planned, level=level)
    reach = reach if number >= FIRST_LOOK_CLUSTERS else math.inf
    return Look(
        number, Interval(mean, mean - reach, mean + reach, error), Interval(mean, mean - fixed, mean + fixed, error),
        explained,
    )  # fmt: skip


def cuped(outcome: FloatArray, before: FloatArray) -> tuple[FloatArray, float]:
    """The outcome minus what the covariates explain, centred at 0, and the share of variance they explain."""
    centred = outcome - outcome.mean()
    total = float(centred @ centred)
    if before.shape[1] == 0 or total <= 0:
        return centred, 0.0
    known = before - before.mean(axis=0)
    slopes, *_ = np.linalg.lstsq(known, centred, rcond=None)
    left: FloatArray = centred - known @ slopes
    return left, 1 - float(left @ left) / total


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One harm that stops a test by itself: treated minus others, worse is higher.

    ``lower_bound`` is one-sided and always valid; ``crossed`` when it exceeds the tolerated worsening.
    """

    name: str
    difference: float
    lower_bound: float
    tolerated: float

    @property
    def crossed(self) -> bool:
        """True when the harm is surely larger than tolerated."""
        return self.lower_bound > self.tolerated


def guardrails(
    harms: Mapping[str, Groups], *, planned: int, tolerated: Mapping[str, float] | None = None, level: float = 0.95
) -> tuple[Guardrail, ...]:
    """Each harm (a name of ``GUARDRAILS``, higher is worse) judged one-sided at every look.

    Guardrails guard, they do not prove: none of them crossing is no evidence of safety on few payers. Raises ValueError
    for a name that does not exist.
    """
    unknown = sorted(set(harms) - set(GUARDRAILS))
    if unknown:
        raise ValueError(f"no such guardrail: {', '.join(unknown)}; there are {', '.join(GUARDRAILS)}")
    allowed = tolerated or {}
    found = []
    for name in GUARDRAILS:
        if name in harms:
            # One side at 1 - alpha is the lower end of two sides at 1 - 2 alpha.
            harm = replace(harms[name], outcome=cut_harm(harms[name].outcome))
            seen = look(harm, planned=planned, level=2 * level - 1, winsor=False, pooled=True)
            found.append(Guardrail(name, seen.difference.estimate, seen.difference.low, allowed.get(name, 0.0)))
    return tuple(found)
