"""How fast a customer pays what is overdue, with what it still owes counted in: features as-of each known day.

Delays of paid invoices flatter a customer that has stopped paying, since old debts never become delays. Payments per
day overdue (the maximum-likelihood rate of a constant hazard with censoring) see them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.facts import NEVER, Facts, customer_day_key
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RECENT_DAYS = 120
PRIOR_PAYMENTS = 2.0  # payments at the book's rate that a customer's own rate is mixed with
BOOK_PRIOR_DAYS = 60.0  # a book without any payment of an overdue invoice: one in 60 days overdue
ARREARS_NAMES = ("arrears_rate_log", "arrears_rate_recent_log")


class DayMoments:
    """Days of one kind of moment per owner, for their number and sum up to any day."""

    def __init__(self, owner: IntArray, day: IntArray) -> None:
        key = customer_day_key(owner, day)
        order = np.argsort(key, kind="stable")
        self.key = key[order]
        self.sum_before = np.concatenate([[0], np.cumsum(day[order])])

    def until(self, owner: IntArray, day: IntArray) -> tuple[IntArray, IntArray]:
        """Number and sum of days of the owner's moments on or before ``day``."""
        start = np.searchsorted(self.key, customer_day_key(owner, np.full_like(day, -NEVER)), side="left")
        end = np.searchsorted(self.key, customer_day_key(owner, day), side="right")
        return (end - start).astype(np.int64), self.sum_before[end] - self.sum_before[start]


class OverdueTime:
    """Payments of overdue invoices, and days that invoices stood overdue, of each owner up to any day."""

    def __init__(self, owner: IntArray, entered: IntArray, left: IntArray, paid: IntArray) -> None:
        late = np.flatnonzero(left > entered)
        gone = late[left[late] < NEVER]
        settled = gone[paid[gone] < NEVER]
        self.entered = DayMoments(owner[late], entered[late])
        self.left = DayMoments(owner[gone], left[gone])
        self.paid = DayMoments(owner[settled], left[settled])

    def until(self, owner: IntArray, day: IntArray) -> tuple[IntArray, IntArray]:
        """Payments known before ``day`` and days overdue before it."""
        n_in, days_in = self.entered.until(owner, day)
        n_out, days_out = self.left.until(owner, day)
        return self.paid.until(owner, day)[0], day * (n_in - n_out) - (days_in - days_out)


class Arrears:
    """The books prepared for the features of ``ARREARS_NAMES``."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.entered = np.maximum(facts.visible_from, facts.due + 1)
        self.left = np.minimum(np.minimum(facts.closed_known, facts.paid_known) + 1, NEVER)
        everybody = np.zeros(len(facts), dtype=np.int64)
        self.customer = OverdueTime(facts.customer, self.entered, self.left, facts.paid_known)
        self.book = OverdueTime(everybody, self.entered, self.left, facts.paid_known)

    def features(self, landmarks: Landmarks) -> FloatArray:
        """Log of the customer's payments per day overdue, ever and in the last 120 days, drawn to the book's; (n, 2).

        The landmark's own invoice does not count.
        """
        customer, day = self.facts.customer[landmarks.invoice], landmarks.known_day
        days, place = np.unique(day, return_inverse=True)
        book_payments, book_days = self.book.until(np.zeros_like(days), days)
        book_rate = ((book_payments + 1.0) / (book_days + BOOK_PRIOR_DAYS))[place]
        payments, overdue = self.customer.until(customer, day)
        before_payments, before_overdue = self.customer.until(customer, day - RECENT_DAYS)
        still_open = self.left[landmarks.invoice] > day
        own = np.where(still_open, np.maximum(day - self.entered[landmarks.invoice], 0), 0)

        def log_rate(count: IntArray, days_overdue: IntArray) -> FloatArray:
            result: FloatArray = np.log((count + PRIOR_PAYMENTS) / (days_overdue + PRIOR_PAYMENTS / book_rate))
            return result

        recent = overdue - before_overdue - np.minimum(own, RECENT_DAYS)
        return np.column_stack([log_rate(payments, overdue - own), log_rate(payments - before_payments, recent)])
