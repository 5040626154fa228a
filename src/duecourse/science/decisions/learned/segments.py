"""How a contact point behaves, as known at the start of any week: its history figures and its effect segment.

The segment (first rule that fits, cut-offs assumed) says which customers are thought to react alike: new, disputer,
cash_tight, batch, strategic (late nearly always, and by weeks), forgetful, prompt, occasional. It is told from
behaviour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Book, Bools, Floats, Ints
from duecourse.science.decisions.learned.weeks import MONTH_END_SHARE, Weeks, near_month_end

SEGMENTS = ("new", "disputer", "cash_tight", "batch", "strategic", "forgetful", "prompt", "occasional")
_NEW, _DISPUTER, _CASH, _BATCH, _STRATEGIC, _FORGETFUL, _PROMPT, _OCCASIONAL = range(8)
KNOWN_FROM = 3
DISPUTED_SHARE = 0.15
SHORT_OF_CASH = 2
BATCH_SHARE = 0.6
STRATEGIC_LATE, STRATEGIC_SHARE = 15.0, 0.8
CASH_SHARE = 0.15
FORGETFUL_SHARE, FORGETFUL_DAYS = 0.5, 7
PRIOR_PAYMENTS = 5.0  # the book counts as this many payments of the customer
TYPICAL_DISPUTED = 0.04  # [A]
TARDINESS_UNITS, QUARREL_UNITS = 4.0, 10.0  # so that a customer like few others is about one unit away
TYPICAL_LOG_LATE = 1.5  # [A] mean of log(1 + days late): shrinkage target and centre
YEAR_WEEKS = 52
_EARLIEST, _LATEST = -30, 90


@dataclass(frozen=True)
class Habits:
    """Per week and point (W, P), from facts before the week began: segment, and shrunk, centred history figures.

    ``lateness``: log(1 + days late); ``batchness``: share of payments at month ends; ``tardiness``: share of payments
    that came late, in quarters; ``quarrels``: share of invoices disputed, in tenths.
    """

    segment: Ints
    lateness: Floats
    batchness: Floats
    tardiness: Floats
    quarrels: Floats


class _Tally:
    """Sums of events per point up to the start of each week."""

    def __init__(self, weeks: Weeks, points: int) -> None:
        self.weeks, self.shape = weeks, (weeks.last + 1, points)

    def of(self, day: Ints, point: Ints, amount: Floats | None = None, within: int = 0) -> Floats:
        """(W, P) sum of ``amount`` (1 each) over events of before the week; of the last ``within`` weeks if given."""
        first = np.clip(self.weeks.counted_from(day + 1, point), 0, None)  # known from the day after
        kept = first <= self.weeks.last
        cell = first[kept] * self.shape[1] + point[kept]
        weight = None if amount is None else amount[kept]
        table = np.bincount(cell, weights=weight, minlength=self.shape[0] * self.shape[1]).astype(np.float64)
        total = np.cumsum(table.reshape(self.shape), axis=0)
        if within and total.shape[0] > within:
            total[within:] = total[within:] - total[:-within].copy()
        return total


def habits_of(book: Book, weeks: Weeks) -> Habits:
    """Habits of every contact point at the start of every week."""
    tally = _Tally(weeks, book.points)
    paid = np.flatnonzero(book.paid_day >= 0)
    day, point = book.paid_day[paid], book.point[paid]
    late = np.clip(day - book.due[paid], _EARLIEST, _LATEST).astype(np.float64)
    number = tally.of(day, point)
    safe = np.maximum(number, 1)
    log_late = tally.of(day, point, np.log1p(np.maximum(late, 0)))
    lateness = (log_late + PRIOR_PAYMENTS * TYPICAL_LOG_LATE) / (number + PRIOR_PAYMENTS) - TYPICAL_LOG_LATE
    at_end = tally.of(day, point, near_month_end(day).astype(np.float64))
    batchness = (at_end + 2 * MONTH_END_SHARE) / (number + 2) - MONTH_END_SHARE
    mean = tally.of(day, point, late) / safe
    punctual = tally.of(day, point, (late <= 0).astype(np.float64)) / safe
    fits = {
        _NEW: number < KNOWN_FROM,
        _DISPUTER: _disputer(book, tally),
        _CASH: _short_of_cash(book, tally),
        _BATCH: at_end / safe >= BATCH_SHARE,
        _STRATEGIC: (mean >= STRATEGIC_LATE) & (1 - punctual >= STRATEGIC_SHARE),
        _FORGETFUL: _forgetful(book, tally, paid),
        _PROMPT: punctual >= 0.5,
    }
    segment = np.full(tally.shape, _OCCASIONAL, dtype=np.int64)
    for code in sorted(fits, reverse=True):
        segment[fits[code]] = code
    tardiness = ((1 - punctual) * number + PRIOR_PAYMENTS * 0.5) / (number + PRIOR_PAYMENTS) - 0.5
    issued = tally.of(book.issued, book.point)
    disputed = tally.of(book.dispute_opened, book.point[book.dispute_invoice])
    quarrels = (disputed + PRIOR_PAYMENTS * TYPICAL_DISPUTED) / (issued + PRIOR_PAYMENTS) - TYPICAL_DISPUTED
    return Habits(segment, lateness, batchness, TARDINESS_UNITS * tardiness, QUARREL_UNITS * quarrels)


def _disputer(book: Book, tally: _Tally) -> Bools:
    """At least 15 % of the invoices of the last 12 months were disputed."""
    issued = tally.of(book.issued, book.point, within=YEAR_WEEKS)
    disputed = tally.of(book.dispute_opened, book.point[book.dispute_invoice], within=YEAR_WEEKS)
    result: Bools = (disputed >= 1) & (disputed >= DISPUTED_SHARE * issued)
    return result


def _short_of_cash(book: Book, tally: _Tally) -> Bools:
    """Two part payments or broken promises in the last 12 months, and on 15 % of the invoices of that time."""
    broken = book.promise_outcome == 2
    parts = tally.of(book.part_day, book.point[book.part_invoice], within=YEAR_WEEKS)
    promises = tally.of(book.promise_due[broken], book.point[book.promise_invoice[broken]], within=YEAR_WEEKS)
    issued = tally.of(book.issued, book.point, within=YEAR_WEEKS)
    result: Bools = (parts + promises >= SHORT_OF_CASH) & (parts + promises >= CASH_SHARE * issued)
    return result


def _forgetful(book: Book, tally: _Tally, paid: Ints) -> Bools:
    """At least half of the late payments came within seven days after a contact."""
    late = paid[book.paid_day[paid] > book.due[paid]]
    day, point = book.paid_day[late], book.point[late]
    prompted = days_since_contact(book, point, day) <= FORGETFUL_DAYS
    all_late = tally.of(day, point)
    result: Bools = (all_late >= 1) & (tally.of(day, point, prompted.astype(np.float64)) >= FORGETFUL_SHARE * all_late)
    return result


def days_since_contact(book: Book, point: Ints, day: Ints) -> Ints:
    """Days from the last contact before ``day`` with ``point``; a very large number when there was none."""
    span = 10_000_000
    keys = np.sort(book.contact_point * span + book.contact_day)
    wanted = point * span + day
    at = np.searchsorted(keys, wanted, side="left") - 1
    if not keys.size:
        return np.full(day.size, span, dtype=np.int64)
    gap = wanted - keys[np.maximum(at, 0)]
    same = (at >= 0) & (keys[np.maximum(at, 0)] // span == point)
    result: Ints = np.where(same, gap, span).astype(np.int64)
    return result
