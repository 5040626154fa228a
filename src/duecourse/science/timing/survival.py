"""Kaplan-Meier: how many would still be there if nobody had stopped looking, and the Brier score weighted with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.measures import Cases, Curves

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SMALLEST_WEIGHT = 0.05  # where fewer than 5 % are still observed, a weighted average rests on too few cases


@dataclass(frozen=True)
class StepCurve:
    """A right-continuous curve that starts at 1 and falls at ``at`` (rising) to ``level``."""

    at: FloatArray
    level: FloatArray

    def __call__(self, where: FloatArray) -> FloatArray:
        """The curve's value at each point, shape of ``where``."""
        result: FloatArray = np.concatenate([[1.0], self.level])[np.searchsorted(self.at, where, side="right")]
        return result


def kaplan_meier(value: FloatArray, happened: BoolArray) -> StepCurve:
    """Share still beyond each value, from ``value`` (n,) where it ``happened`` and lower bounds where it did not.

    Kaplan and Meier 1958. At equal values what happened counts before what is only bounded.
    """
    at, place = np.unique(value, return_inverse=True)
    events = np.bincount(place, weights=happened.astype(np.float64), minlength=at.size)
    there = value.size - np.concatenate([[0.0], np.cumsum(np.bincount(place, minlength=at.size))[:-1]])
    return StepCurve(at.astype(np.float64), np.cumprod(1.0 - events / there))


def brier_score(cases: Cases, curves: Curves, days: int) -> float | None:
    """Brier score of "paid within ``days`` days" over all cases, the unobserved ones made up for by weights.

    ``BS(t) = 1/n sum[ S(t)^2 1{y <= t, seen} / G(y) + (1 - S(t))^2 1{y > t, seen} / G(t) ]`` with t = days - 1 and G(t)
    the Kaplan-Meier share of cases that are observed beyond day t (Graf, Schmoor, Sauerbrei and Schumacher 1999). Days
    0..known_days-1 of a case are observed, so the textbook's G(y-) is the share with known_days > y. None where
    G(t) <= .05 or there is no case.
    """
    t = days - 1
    if cases.size == 0 or t >= curves.cdf.shape[1]:
        return None
    seen_paid = cases.paid_after < cases.known_days
    observed = kaplan_meier(np.where(seen_paid, cases.paid_after, cases.known_days).astype(np.float64), ~seen_paid)
    beyond = float(observed(np.array([float(t)]))[0])
    if beyond <= SMALLEST_WEIGHT:
        return None
    unpaid = 1.0 - curves.cdf[:, t]
    paid = seen_paid & (cases.paid_after <= t)
    waiting = (cases.paid_after > t) & (cases.known_days > t)
    weight_paid = observed(cases.paid_after[paid].astype(np.float64))
    total = (unpaid[paid] ** 2 / weight_paid).sum() + ((1.0 - unpaid[waiting]) ** 2).sum() / beyond
    return float(total / cases.size)
