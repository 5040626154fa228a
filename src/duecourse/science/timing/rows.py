"""Person-period rows: which days of which landmarks are at risk, and on which one the invoice was paid.

45 single days from the landmark, then bins of seven days. Nobody pays on a non-paying weekday: such days have no rows,
and a payment that falls on one counts on the invoice's previous paying day (the next one if there is none).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import weekday
from duecourse.core.ids import uniform
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.landmarks import Landmarks

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_DAY_STEP = np.uint64(0x9E3779B97F4A7C15)  # an odd constant keeps (invoice, day) pairs apart


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows sorted by (landmark, day): position in the landmarks, first day after the landmark, days covered, label.

    Each row without a payment stands for ``unpaid_weight`` such rows.
    """

    owner: IntArray
    offset: IntArray
    width: IntArray
    paid: BoolArray
    unpaid_weight: float = 1.0

    def __len__(self) -> int:
        return int(self.owner.shape[0])

    def take(self, which: IntArray) -> Rows:
        """The rows at ``which``, in that order."""
        return Rows(self.owner[which], self.offset[which], self.width[which], self.paid[which], self.unpaid_weight)

    @property
    def weight(self) -> FloatArray:
        """How many rows each row stands for, shape (rows,)."""
        return np.where(self.paid, 1.0, self.unpaid_weight)


def periods(config: TimingConfig) -> tuple[IntArray, IntArray]:
    """Offsets and widths of the periods of a curve: daily days, then weekly bins; 64 each by default."""
    daily = np.arange(config.daily_days)
    weekly = config.daily_days + 7 * np.arange(config.weekly_bins)
    offsets = np.concatenate([daily, weekly]).astype(np.int64)
    widths = np.concatenate([np.ones(len(daily)), np.full(len(weekly), 7)]).astype(np.int64)
    return offsets, widths


def paying_weekdays(facts: Facts, config: TimingConfig) -> BoolArray:
    """Which weekdays (Monday first) carry at least 1 % of the book's clearings of the last 12 months; shape (7,).

    All seven where nothing was cleared.
    """
    paid_on = facts.paid_on[facts.cleared]
    recent = paid_on[paid_on >= facts.as_of - config.nonpaying_window_days]
    counts = np.bincount(weekday(recent), minlength=7)
    paying: BoolArray = counts >= config.nonpaying_share * max(int(counts.sum()), 1)
    return paying if paying.any() and counts.sum() else np.ones(7, dtype=bool)


def to_paying_day(day: IntArray, earliest: IntArray, paying: BoolArray) -> IntArray:
    """Each day moved to the last paying day on or before it, or to the next one where that lies before ``earliest``."""
    back = np.zeros(7, dtype=np.int64)
    ahead = np.zeros(7, dtype=np.int64)
    for start in range(7):
        back[start] = next(k for k in range(7) if paying[(start - k) % 7])
        ahead[start] = next(k for k in range(7) if paying[(start + k) % 7])
    of_week = weekday(day)
    earlier = day - back[of_week]
    result: IntArray = np.where(earlier >= earliest, earlier, day + ahead[of_week])
    return result


def training_rows(facts: Facts, landmarks: Landmarks, config: TimingConfig, paying: BoolArray) -> Rows:
    """All rows at risk of ``landmarks`` with their labels, known until ``facts.as_of`` (exclusive).

    Rows end with the payment, with the last day before ``as_of`` or before the closing day of a credited invoice, or at
    the horizon. A bin needs the invoice at risk on its first day and the whole of it observed: counting the paid ones
    of an unfinished bin would count payments and leave out those who did not pay (ADR 0019).
    """
    invoice, day = landmarks.invoice, landmarks.day
    offsets, widths = periods(config)
    paid_on = facts.paid_on[invoice]
    paid = paid_on < NEVER
    moved = to_paying_day(np.where(paid, paid_on, 0), day, paying)
    event = np.where(paid, moved - day, NEVER)[:, None]
    seen = (np.minimum(facts.as_of, facts.censored_on[invoice]) - 1 - day)[:, None]
    first, last = offsets[None, :], (offsets + widths - 1)[None, :]
    label = (event >= first) & (event <= last)
    at_risk = (event >= first) & (seen >= last)
    daily_off = ~paying[weekday(day[:, None] + offsets[None, : config.daily_days])]
    at_risk[:, : config.daily_days] &= ~daily_off
    at_risk &= ~_whole_dispute(facts, landmarks, offsets, widths)
    owner, period = np.nonzero(at_risk)
    return Rows(owner.astype(np.int64), offsets[period], widths[period], label[owner, period])


def thinned(rows: Rows, landmarks: Landmarks, facts: Facts, *, most: int, seed: int) -> Rows:
    """All rows with a payment and, where there are more than ``most``, only a keyed sample of those without.

    Payments are few and tell most; unpaid days are many and alike, so a weighted quarter of them says as much.
    """
    if len(rows) <= most:
        return rows
    unpaid = int(len(rows) - rows.paid.sum())
    share = max(most - int(rows.paid.sum()), unpaid // 20) / unpaid
    day = (landmarks.day[rows.owner] * 1024 + rows.offset).astype(np.uint64)
    draw = uniform(seed, "unpaid rows", facts.code[landmarks.invoice[rows.owner]] ^ (day * _DAY_STEP))
    kept = np.flatnonzero(rows.paid | (draw < share))
    return replace(rows.take(kept), unpaid_weight=1.0 / share)


def scoring_rows(landmarks: Landmarks, config: TimingConfig, paying: BoolArray) -> Rows:
    """All periods of every landmark except its non-paying single days (their hazard is 0); labels are False."""
    offsets, widths = periods(config)
    wanted = np.ones((len(landmarks), len(offsets)), dtype=bool)
    daily = weekday(landmarks.day[:, None] + offsets[None, : config.daily_days])
    wanted[:, : config.daily_days] = paying[daily]
    owner, period = np.nonzero(wanted)
    return Rows(owner.astype(np.int64), offsets[period], widths[period], np.zeros(len(owner), dtype=bool))


def _whole_dispute(facts: Facts, landmarks: Landmarks, offsets: IntArray, widths: IntArray) -> BoolArray:
    """Periods that touch a day on which the whole amount was disputed; shape (n, periods)."""
    touched = np.zeros((len(landmarks), len(offsets)), dtype=bool)
    disputes = facts.disputes
    whole = np.flatnonzero(disputes.whole)
    if not len(whole):
        return touched
    order = whole[np.argsort(disputes.invoice[whole], kind="stable")]
    start = np.searchsorted(disputes.invoice[order], landmarks.invoice, side="left")
    count = np.searchsorted(disputes.invoice[order], landmarks.invoice, side="right") - start
    for nth in range(int(count.max(initial=0))):  # the nth dispute of each invoice, all invoices at once
        rows = np.flatnonzero(count > nth)
        dispute = order[start[rows] + nth]
        first = landmarks.day[rows, None] + offsets[None, :]
        touched[rows] |= (first < disputes.to_day[dispute][:, None]) & (
            first + widths[None, :] > disputes.from_day[dispute][:, None]
        )
    return touched
