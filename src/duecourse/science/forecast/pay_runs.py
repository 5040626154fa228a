"""On which days a payer runs its payments: those of its last quarter, half year or year, over again.

Whoever pays once a fortnight or at the end of the month pays all that is due by then, so the cash of a small book
comes in lumps and leaves whole weeks empty. A lag drawn for each invoice alone knows nothing of it, and the bands of
coming weeks came out too narrow (ADR 0037). Here each coming payment moves to the nearest day on which its payer is
expected to pay anything. The past is repeated in 13, 26 or 52 weeks: all keep the weekday and the end of the month, the
longer two the beat of fortnights as well. Which of them holds is open, so each draw takes its own for each payer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.forecast.issued import NOT_PAID, IssuedHistory
from duecourse.science.forecast.shocks import Floats, Integers

PERIODS_DAYS = (91, 182, 364)  # 13, 26 and 52 weeks: so much later a payer's payment days come again
REACH_DAYS = 15  # half a month: a payment moves no farther, or it stays
FEWEST_RUNS = 5  # payment days in the last half year: who pays less often has no beat to follow
HALF_YEAR_DAYS = 182
_FAR = 1 << 20


@dataclass(frozen=True)
class PayRuns:
    """``nearest[p, q, t]``: the day after ``as_of`` on which payer p pays what it would pay on day t, by period q.

    Shape (payers, periods, days + 15), as far as payments may move in from; a book that is too young for a period has
    no such layer, and without any layer nothing moves.
    """

    nearest: npt.NDArray[np.int32]

    def moved(self, paid: Integers, payer: Integers, chance: Floats, earliest: int) -> Integers:
        """``paid`` (n, draws) on the run days of ``payer`` (n,), the period chosen by ``chance`` in [0, 1).

        A payment later than the days looked at stays, and so does one that would move before day ``earliest``.
        """
        periods, days = self.nearest.shape[1:]
        if not periods:
            return paid
        inside = paid < days
        period = np.minimum((chance * periods).astype(np.int64), periods - 1)
        found = self.nearest[payer[:, None], period, np.where(inside, paid, 0)]
        result: Integers = np.where(inside & (found >= earliest), found, paid)
        return result


def pay_runs(history: IssuedHistory, payer: Integers, payers: int, days: int) -> PayRuns:
    """The run days of ``payers`` payers over the next ``days`` days; ``payer`` (n,) numbers those of ``history``."""
    paid = history.paid_day != NOT_PAID
    paid_day, who = history.paid_day[paid], payer[paid]
    oldest = int(paid_day.min()) if len(paid_day) else history.as_of
    ago = history.as_of - paid_day
    regular = _often_enough(ago, who, payers)[who]
    ago, who = ago[regular], who[regular]
    latest = days + REACH_DAYS
    known = [period for period in PERIODS_DAYS if history.as_of - period >= oldest]
    nearest = np.empty((payers, len(known), latest), dtype=np.int32)
    for layer, period in enumerate(known):
        last = ago <= period
        times = np.arange(0, 2 + latest // period)  # the past itself, then over again
        marked = (times[:, None] * period - ago[last]).ravel()
        nearest[:, layer] = _nearest_marked(marked, np.tile(who[last], len(times)), (payers, latest))
    return PayRuns(nearest)


def _often_enough(ago: Integers, who: Integers, payers: int) -> npt.NDArray[np.bool_]:
    """Which payers (payers,) have enough different payment days in the last half year."""
    recent = ago <= HALF_YEAR_DAYS
    runs = np.unique(np.column_stack([who[recent], ago[recent]]), axis=0)[:, 0]
    result: npt.NDArray[np.bool_] = np.bincount(runs, minlength=payers) >= FEWEST_RUNS
    return result


def _nearest_marked(marked: Integers, who: Integers, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
    """For each payer and day the nearest marked day within reach, the earlier of two; the day itself without one."""
    payers, days = shape
    place = np.arange(days + 2 * REACH_DAYS, dtype=np.int32)
    at = marked + REACH_DAYS
    inside = (at >= 0) & (at < len(place))
    is_marked = np.zeros((payers, len(place)), dtype=np.bool_)
    is_marked[who[inside], at[inside]] = True
    last = np.maximum.accumulate(np.where(is_marked, place, -_FAR), axis=1)
    following = np.minimum.accumulate(np.where(is_marked, place, _FAR)[:, ::-1], axis=1)[:, ::-1]
    closest = np.where(place - last <= following - place, last, following)
    closest = np.where((np.abs(closest - place) <= REACH_DAYS) & (closest >= REACH_DAYS), closest, place)
    result: npt.NDArray[np.int32] = (closest - REACH_DAYS)[:, REACH_DAYS : REACH_DAYS + days].astype(np.int32)
    return result
