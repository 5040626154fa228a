"""What is particular about a day u on which an invoice could be paid: its calendar and the customer's own pattern."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.calendar_days import CalendarDays
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.features_habit import sorted_delays
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BOOK_PAYMENTS = 4  # the book's pattern counts as this many payments of the customer
NO_OWN_HAZARD = 0.06  # hazard of a delay that the customer's past says nothing about, as a third of a payment day
DAY_NAMES = (
    "days_late", "age", "weekday", "day_of_month", "days_to_month_end", "first_three_days", "holiday",
    "days_since_payment_on_day", "payment_gap_ratio", "days_late_minus_p50", "bin_width", "own_weekday_share",
    "own_month_day_share", "own_cdf", "own_hazard", "days_since_part_on_day",
)  # fmt: skip
BEAT_NAMES = ("days_since_payment_on_day", "payment_gap_ratio")  # counted on from the last known payment to day u


class PayDays:
    """On which weekdays and days of the month each customer, and the book, has paid; as counts that only grow."""

    def __init__(self, facts: Facts, calendar: CalendarDays) -> None:
        self.facts = facts
        paid_on = facts.paid_on[facts.cleared]
        weekday, month_day = calendar.weekday[calendar.at(paid_on)], calendar.day_of_month[calendar.at(paid_on)]
        self.weekday = _running_counts(weekday, 7)
        self.month_day = _running_counts(month_day - 1, 31)
        known = facts.paid_known[facts.cleared]
        order = np.argsort(known, kind="stable")
        self.book_known = known[order]
        self.book_weekday = _running_counts(weekday[order], 7)
        self.book_month_day = _running_counts(month_day[order] - 1, 31)

    def weekday_share(self, landmarks: Landmarks, owner: IntArray, weekday: IntArray) -> FloatArray:
        """Share of the customer's payments on the weekday of each row, mixed with 4 of the book; shape of ``owner``."""
        start, end, book = self._spans(landmarks)
        own = self.weekday[end[owner], weekday] - self.weekday[start[owner], weekday]
        book_share = (self.book_weekday[book[owner], weekday] + 1.0) / (book[owner] + 7.0)
        result: FloatArray = (own + BOOK_PAYMENTS * book_share) / ((end - start)[owner] + BOOK_PAYMENTS)
        return result

    def month_day_share(self, landmarks: Landmarks, owner: IntArray, month_day: IntArray) -> FloatArray:
        """Share of the customer's payments on that day of the month or its neighbours, mixed in the same way."""
        start, end, book = self._spans(landmarks)
        own = np.zeros(len(owner))
        of_book = np.zeros(len(owner))
        for shift in (-1, 0, 1):
            column = (month_day - 1 + shift) % 31
            own += self.month_day[end[owner], column] - self.month_day[start[owner], column]
            of_book += self.book_month_day[book[owner], column]
        book_share = (of_book + 3.0) / (book[owner] + 31.0)
        result: FloatArray = (own + BOOK_PAYMENTS * book_share) / ((end - start)[owner] + BOOK_PAYMENTS)
        return result

    def _spans(self, landmarks: Landmarks) -> tuple[IntArray, IntArray, IntArray]:
        start, end = self.facts.history(self.facts.customer[landmarks.invoice], landmarks.known_day)
        return start, end, np.searchsorted(self.book_known, landmarks.known_day, side="left").astype(np.int64)


def _running_counts(column: IntArray, width: int) -> npt.NDArray[np.int32]:
    """counts[k, c] = how many of the first k entries are c; shape (n + 1, width)."""
    counts = np.zeros((len(column) + 1, width), dtype=np.int32)
    counts[np.arange(len(column)) + 1, column] = 1
    return np.cumsum(counts, axis=0, dtype=np.int32)


def own_delay_pattern(
    facts: Facts, landmarks: Landmarks, owner: IntArray, days_late: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Own cdf (share of the customer's last 50 delays < x) and own hazard at delay x of each row.

    ``hazard = (#(x-1..x+1) / 3 + .06) / (#(>= x-1) + 1)``; the cdf is NaN for a customer without past.
    """
    delays, count = sorted_delays(facts, landmarks)
    span = 1 << 28
    width = delays.shape[1]
    bounded = np.where(np.isfinite(delays), delays, float(span // 4)).astype(np.int64)
    keys = (bounded + np.arange(len(landmarks))[:, None] * span).ravel()
    base = owner * span

    def below(x: IntArray) -> IntArray:
        found: IntArray = np.searchsorted(keys, base + x, side="left").astype(np.int64) - owner * width
        return found

    before, until = below(days_late - 1), below(days_late + 2)
    total = count[owner]
    hazard = ((until - before) / 3 + NO_OWN_HAZARD) / (total - before + 1)
    with np.errstate(invalid="ignore"):
        cdf = np.where(total > 0, below(days_late) / np.where(total > 0, total, 1), np.nan)
    return cdf, hazard
