"""The exact measures of predicted payment days: what a backtest, the gate and the accuracy tables all compute.

One case is one invoice seen from one landmark day c. ``paid_after`` y counts days from c to the payment; a method
gives a curve F(j) = P(paid on or before c + j), three quantiles, or a single day. Everything is capped at ``horizon``
(y, quantiles, the sum of the CRPS), and only cases observed for the whole horizon take part, so that no measure
depends on when somebody looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.pit import Uniformity, pit, uniformity
from duecourse.science.timing.ranking import Ranking, rank

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEVER = 1_000_000  # ``paid_after`` of an invoice that was not paid while it was observed
LEVELS = (0.1, 0.5, 0.9)
CASH_DAYS = (7, 14, 30)
LATE_LABELS = {"late": 0, "late_5": 5, "late_30": 30, "late_60": 59}  # days late > z; "late_60" is 60 days or more


@dataclass(frozen=True)
class Cases:
    """What is scored, one entry per case (n,); everything that came after the landmark is an outcome.

    ``paid_after``: days from the landmark to the payment, NEVER while unpaid. ``known_days``: how many days from the
    landmark on were observed. ``days_late``: landmark - due date. ``amount_minor``: open amount at the landmark.
    ``draw``: uniform numbers keyed by invoice, for the PIT.
    """

    paid_after: Days
    known_days: Days
    days_late: Days
    amount_minor: npt.NDArray[np.int64]
    draw: Floats

    @property
    def size(self) -> int:
        """Number of cases."""
        return int(self.paid_after.size)

    def take(self, which: Flags) -> Cases:
        """The cases that ``which`` (n,) marks."""
        return Cases(
            self.paid_after[which],
            self.known_days[which],
            self.days_late[which],
            self.amount_minor[which],
            self.draw[which],
        )


@dataclass(frozen=True)
class Curves:
    """A whole distribution per case: ``cdf`` (n, width), column j = P(paid on or before landmark + j)."""

    cdf: Floats

    def take(self, which: Flags) -> Curves:
        """The curves of the marked cases."""
        return Curves(self.cdf[which])


@dataclass(frozen=True)
class Quantiles:
    """Three days after the landmark per case (n, 3) at levels .1, .5, .9, not crossing; fractions allowed."""

    days: Floats

    def take(self, which: Flags) -> Quantiles:
        """The quantiles of the marked cases."""
        return Quantiles(self.days[which])


@dataclass(frozen=True)
class Points:
    """One day after the landmark per case (n,), fractions allowed; rounded to whole days where days are compared."""

    days: Floats

    def take(self, which: Flags) -> Points:
        """The points of the marked cases."""
        return Points(self.days[which])


Predicted: TypeAlias = Curves | Quantiles | Points


@dataclass(frozen=True, slots=True)
class Measures:
    """Every measure of one method on one set of cases; None where the method or the horizon does not allow it.

    Errors are in days, shares between 0 and 1. ``crps`` of a point is its MAE. ``cash_error`` maps days ahead to the
    relative error of the cash expected within them (open set only). ``ranking`` maps a label to its figures.
    """

    n: int
    horizon: int
    mae: float
    median_absolute_error: float
    rmse: float
    bias: float
    within_5: float
    within_2: float
    crps: float | None
    pinball: dict[str, float]
    coverage: float | None
    width: float | None
    uniformity: Uniformity | None
    ranking: dict[str, Ranking]
    cash_error: dict[str, float]


def measure(cases: Cases, predicted: Predicted, horizon: int, *, cash: bool) -> Measures | None:
    """All measures of ``predicted`` on the cases observed for ``horizon`` days; None where there is no such case.

    ``cash`` asks for the cash error, which is defined on the open book. Labels of lateness may look further than
    ``horizon``, case by case, as far as the case was observed.
    """
    ranking = {name: lateness_ranking(cases, predicted, beyond) for name, beyond in LATE_LABELS.items()}
    mature = cases.known_days >= horizon
    cases, predicted = cases.take(mature), predicted.take(mature)
    if cases.size == 0:
        return None
    y = np.minimum(cases.paid_after, horizon)
    quantiles = capped_quantiles(predicted, horizon)
    error = quantiles[:, 1] - y
    absolute = np.abs(error)
    banded = not isinstance(predicted, Points)
    cash_days = [days for days in CASH_DAYS if cash and days <= horizon]
    errors = {str(days): cash_error(cases, predicted, horizon, days) for days in cash_days}
    return Measures(
        n=cases.size,
        horizon=horizon,
        mae=float(absolute.mean()),
        median_absolute_error=float(np.median(absolute)),
        rmse=float(np.sqrt((error**2).mean())),
        bias=float(error.mean()),
        within_5=float((absolute <= 5).mean()),
        within_2=float((absolute <= 2).mean()),
        crps=None if isinstance(predicted, Quantiles) else float(crps_per_case(cases, predicted, horizon).mean()),
        pinball={f"{p:.1f}": pinball(y, quantiles[:, i], p) for i, p in enumerate(LEVELS) if banded or p == 0.5},
        coverage=float(((quantiles[:, 0] <= y) & (y <= quantiles[:, 2])).mean()) if banded else None,
        width=float((quantiles[:, 2] - quantiles[:, 0]).mean()) if banded else None,
        uniformity=uniformity(pit(predicted.cdf, cases.paid_after, cases.draw, horizon))
        if isinstance(predicted, Curves)
        else None,
        ranking=ranking,
        cash_error={days: error for days, error in errors.items() if error is not None},
    )


def capped_quantiles(predicted: Predicted, horizon: int) -> Days:
    """Whole days (n, 3) at levels .1, .5, .9, at most ``horizon``; the three are equal for a point."""
    if isinstance(predicted, Points):
        return np.repeat(_whole_days(predicted.days, horizon)[:, None], 3, axis=1)
    if isinstance(predicted, Quantiles):
        return _whole_days(predicted.days, horizon)
    curves = predicted.cdf[:, :horizon]
    result: Days = np.stack([quantile_days(curves, level) for level in LEVELS], axis=1)
    return result


def quantile_days(cdf: Floats, level: float) -> Days:
    """min{ j : F(j) >= level } of each row, the number of columns where there is none."""
    # Sums of probabilities carry float noise: a curve that reaches the level but for 1e-12 has reached it.
    reached = cdf >= level - 1e-12
    first = reached.argmax(axis=1)
    result: Days = np.where(reached.any(axis=1), first, cdf.shape[1]).astype(np.int64)
    return result


def crps_per_case(cases: Cases, predicted: Curves | Points, horizon: int) -> Floats:
    """Continuous ranked probability score of each case in days: sum over j < horizon of (F(j) - 1{y <= j})^2."""
    y = np.minimum(cases.paid_after, horizon)
    if isinstance(predicted, Points):
        return np.abs(_whole_days(predicted.days, horizon) - y).astype(np.float64)
    happened = np.arange(horizon) >= y[:, None]
    result: Floats = ((predicted.cdf[:, :horizon] - happened) ** 2).sum(axis=1)
    return result


def pinball(y: Days, quantile: Days, level: float) -> float:
    """Mean of max(p e, (p - 1) e), e = y - quantile, in days."""
    e = (y - quantile).astype(np.float64)
    return float(np.maximum(level * e, (level - 1.0) * e).mean())


def lateness_ranking(cases: Cases, predicted: Predicted, beyond: int) -> Ranking:
    """How well the score puts invoices that get more than ``beyond`` days late first."""
    return rank(*lateness(cases, predicted, beyond))


def lateness(cases: Cases, predicted: Predicted, beyond: int) -> tuple[Floats, Flags]:
    """Scores and labels "more than z = ``beyond`` days late" of the cases that are not yet beyond (d0 <= z).

    The label must be known: the case was observed for at least z - d0 + 1 days. The score is the probability S(z - d0)
    of a curve, the predicted days late of a point or of the middle quantile.
    """
    day = beyond - cases.days_late
    eligible = (day >= 0) & (day < cases.known_days)
    if isinstance(predicted, Curves):
        eligible &= day < predicted.cdf.shape[1]
        row = np.flatnonzero(eligible)
        score = 1.0 - predicted.cdf[row, day[row]]
    else:
        days = predicted.days if isinstance(predicted, Points) else predicted.days[:, 1]
        score = (days + cases.days_late)[eligible]
    return score, cases.paid_after[eligible] > day[eligible]


def cash_error(cases: Cases, predicted: Predicted, horizon: int, days: int) -> float | None:
    """abs(expected - received) / received within ``days`` days; None beyond the horizon or where nothing came in."""
    if days > horizon:
        return None
    amount = cases.amount_minor.astype(np.float64)
    received = float(amount[cases.paid_after < days].sum())
    if received <= 0.0:
        return None
    return abs(expected_cash(amount, predicted, horizon, days) - received) / received


def expected_cash(amount: Floats, predicted: Predicted, horizon: int, days: int) -> float:
    """Cash expected within ``days`` days: sum of amount x F(days - 1)."""
    return float(amount @ share_within(predicted, horizon, days))


def share_within(predicted: Predicted, horizon: int, days: int) -> Floats:
    """Share of each amount expected within ``days`` days, F(days - 1); a point counts wholly or not at all; (n,)."""
    if isinstance(predicted, Curves):
        return predicted.cdf[:, days - 1]
    return (capped_quantiles(predicted, horizon)[:, 1] < days).astype(np.float64)


def _whole_days(days: Floats, horizon: int) -> Days:
    result: Days = np.clip(np.rint(days), 0, horizon).astype(np.int64)
    return result
