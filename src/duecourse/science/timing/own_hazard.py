"""``own_hazard``: how a customer pays, day by day of delay, with what it has not paid counted in.

Delays of paid invoices alone say that everything is paid, and soon. Here every invoice stands at risk as long as it was
watched: of the customer, ``d(x)`` payments at delay x among ``r(x)`` invoices that were open then; of the book, the
product-limit hazard ``g(x)`` (Kaplan and Meier 1958). An invoice that was written off stays at risk, for it was never
paid, but only beside landmarks at which it was still open too: debts that outlive the others are compared with debts
that did (ADR 0023). The customer's hazard is drawn to the book's,

    h(x) = (d(x) + 2 g(x)) / (r(x) + 2),

the posterior mean under a beta-process prior (Hjort 1990), so that days of which the customer's past says nothing are
the book's days, neither certain payment nor none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.counting import RangeCounter
from duecourse.science.timing.curves import cdf_from_hazard
from duecourse.science.timing.empirical import HISTORY
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.features_account import Moments
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BOOK_PAYMENTS = 2  # invoices at risk that the hazard of the book counts for
_BLOCK = 5_000  # landmarks at a time: bounds the memory at about 60 MB per 178-day block


class UnpaidBook:
    """Which invoices of each customer were seen and neither paid nor credited before any day, by due day.

    A written-off invoice stays: it is one that was watched and never paid. ``lost_before`` counts those of them that a
    landmark must leave out.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        gone = np.where(facts.censored_on < NEVER, facts.closed_known, facts.paid_known)
        self.gone_from = np.minimum(np.maximum(gone + 1, facts.visible_from), NEVER)
        alphabet = np.unique(facts.due)
        self.seen, self.gone = Moments(facts, facts.visible_from), Moments(facts, self.gone_from)
        self.seen_due = RangeCounter(facts.due[self.seen.row], alphabet=alphabet)
        self.gone_due = RangeCounter(facts.due[self.gone.row], alphabet=alphabet)
        self.lost = Moments(facts, np.where(facts.written_off, facts.closed_known + 1, NEVER))

    def dues(self, known_day: int) -> IntArray:
        """Due days of all that was seen and not paid before ``known_day``."""
        result: IntArray = self.facts.due[(self.facts.visible_from <= known_day) & (self.gone_from > known_day)]
        return result

    def due_before(self, customer: IntArray, known_day: IntArray, bound: IntArray) -> IntArray:
        """How many unpaid invoices of each customer, as known at ``known_day``, fell due before ``bound``; (n, k)."""
        seen, gone = self.seen.span(customer, known_day), self.gone.span(customer, known_day)

        def count(counter: RangeCounter, span: tuple[IntArray, IntArray]) -> IntArray:
            start, end = (np.broadcast_to(side[:, None], bound.shape).ravel() for side in span)
            return counter.below((start, end), bound.ravel()).reshape(bound.shape)

        return count(self.seen_due, seen) - count(self.gone_due, gone)

    def lost_before(self, customer: IntArray, known_day: IntArray, days_late: IntArray) -> IntArray:
        """Written off at a shorter delay than the landmark has, but due long enough ago to reach each delay; (n, k).

        ``days_late`` (n, k) rises by one day from the landmark's own delay on.
        """
        facts, shape = self.facts, days_late.shape
        start, end = self.lost.span(customer, known_day)
        owner = np.repeat(np.arange(shape[0]), end - start)
        place = np.arange(owner.size) - np.repeat(np.cumsum(end - start) - (end - start), end - start)
        row = self.lost.row[start[owner] + place]
        at_delay, first = facts.closed_on[row] - facts.due[row], days_late[owner, 0]
        # due < known_day - (first + j) holds for the first so many days j
        reach = np.clip(known_day[owner] - facts.due[row] - first, 0, shape[1])
        counts = (at_delay < first) & (reach > 0)
        ends = np.bincount(owner[counts] * shape[1] + reach[counts] - 1, minlength=shape[0] * shape[1]).reshape(shape)
        result: IntArray = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1].astype(np.int64)
        return result

    def lost_dues(self, known_day: int) -> tuple[IntArray, IntArray]:
        """Due day and delay at the write-off of all that was written off before ``known_day``."""
        row = self.lost.row[self.facts.closed_known[self.lost.row] < known_day]
        return self.facts.due[row], self.facts.closed_on[row] - self.facts.due[row]


def own_cdf(facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
    """F(j | still open), j = 0..horizon-1, of ``own_hazard``; shape (n, horizon)."""
    return cdf_from_hazard(own_hazard(facts, landmarks, horizon))


def own_hazard(facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
    """P(paid on day j | open at its start), j = 0..horizon-1, as-of each landmark's ``known_day``; (n, horizon).

    0 throughout in a book without any payment before that day.
    """
    result = np.empty((len(landmarks), horizon))
    unpaid = UnpaidBook(facts)
    for first in range(0, len(landmarks), _BLOCK):
        rows = slice(first, first + _BLOCK)
        part = landmarks.take(rows)
        days_late = (part.day - facts.due[part.invoice])[:, None] + np.arange(horizon)[None, :]
        payments, at_risk = _own_counts(facts, unpaid, part, days_late)
        book = book_hazard(facts, unpaid, part.known_day, days_late)
        result[rows] = (payments + BOOK_PAYMENTS * book) / (at_risk + BOOK_PAYMENTS)
    return result


def _own_counts(
    facts: Facts, unpaid: UnpaidBook, landmarks: Landmarks, days_late: IntArray
) -> tuple[IntArray, IntArray]:
    """Payments at each delay and invoices at risk of it, of each landmark's customer; two arrays like ``days_late``.

    Of a history of more than 50 payments only the time of the last 50 counts: who was at risk on which of its days.
    """
    customer, known_day = facts.customer[landmarks.invoice], landmarks.known_day
    rows = facts.last_cleared(customer, known_day, HISTORY)
    present = rows >= 0
    if not len(facts.cleared):
        return np.zeros_like(days_late), np.zeros_like(days_late)
    whole = np.where(present.all(axis=1), facts.paid_known[rows[:, -1]], -NEVER)  # first day of the time looked at
    delay = np.sort(np.where(present, facts.paid_on[rows] - facts.due[rows], NEVER), axis=1)
    entry = np.sort(np.where(present, whole[:, None] - facts.due[rows], -2 * NEVER), axis=1)
    below, until = _ranks(delay, days_late - 1), _ranks(delay, days_late)
    paid_at_risk = present.sum(axis=1)[:, None] - below - (HISTORY - _ranks(entry, days_late))
    watched = unpaid.due_before(customer, known_day, known_day[:, None] - days_late)
    watched -= unpaid.due_before(customer, known_day, np.maximum(whole[:, None] - days_late, -NEVER))
    watched -= unpaid.lost_before(customer, known_day, days_late)
    return until - below, np.maximum(paid_at_risk, until - below) + np.maximum(watched, 0)


def _ranks(ordered: IntArray, values: IntArray) -> IntArray:
    """How many entries of each rising row are at most each value; shape of ``values``."""
    span = 8 * NEVER
    owner = np.arange(len(ordered))[:, None] * span
    found = np.searchsorted((ordered + owner).ravel(), (values + owner).ravel(), side="right")
    result: IntArray = found.reshape(values.shape) - np.arange(len(ordered))[:, None] * ordered.shape[1]
    return result


@dataclass(frozen=True, slots=True)
class BookCounts:
    """Of the whole book, at each delay x: payments at it, payments at it or later, and unpaid invoices watched at it.

    Shapes (n, k), as known at each landmark's day and among debts that were open at the landmark's own delay.
    """

    paid: IntArray
    paid_later: IntArray
    watched: IntArray

    @property
    def hazard(self) -> FloatArray:
        """P(paid at delay x | open until then)."""
        result: FloatArray = self.paid / np.maximum(self.paid_later + self.watched, 1)
        return result


def book_counts(facts: Facts, unpaid: UnpaidBook, known_day: IntArray, days_late: IntArray) -> BookCounts:
    """Counts over the whole book; ``days_late`` (n, k) rises by one day from the landmark's own delay on."""
    counts = BookCounts(*(np.zeros(days_late.shape, dtype=np.int64) for _ in range(3)))
    delay = (facts.paid_on - facts.due)[facts.cleared]
    known = facts.paid_known[facts.cleared]
    for day in np.unique(known_day):
        past, still = np.sort(delay[known < day]), np.sort(unpaid.dues(int(day)))
        lost_due, lost_delay = unpaid.lost_dues(int(day))
        at_day = np.flatnonzero(known_day == day)
        first_delays, place = np.unique(days_late[at_day, 0], return_inverse=True)
        for number, first in enumerate(first_delays.tolist()):
            rows, x = at_day[place == number], first + np.arange(days_late.shape[1])
            below = np.searchsorted(past, x, side="left")
            outlived = np.sort(lost_due[lost_delay < first])
            counts.paid[rows] = np.searchsorted(past, x, side="right") - below
            counts.paid_later[rows] = len(past) - below
            counts.watched[rows] = np.searchsorted(still, day - x) - np.searchsorted(outlived, day - x)
    return counts


def book_hazard(facts: Facts, unpaid: UnpaidBook, known_day: IntArray, days_late: IntArray) -> FloatArray:
    """``BookCounts.hazard`` of each landmark, shape of ``days_late``."""
    return book_counts(facts, unpaid, known_day, days_late).hazard
