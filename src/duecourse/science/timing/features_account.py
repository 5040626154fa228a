"""What else the customer owes and has just paid: account and sibling features, as-of each landmark's known day.

An invoice counts as seen once it is recorded and issued before the day, so that the issue day of an invoice looks the
same whether its file came the evening before or the morning after. The landmark's own invoice never counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.counting import RangeCounter
from duecourse.science.timing.facts import NEVER, Facts, customer_day_key
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Span = tuple[IntArray, IntArray]

RECENT_DAYS = 30
ACCOUNT_NAMES = ("open_count", "overdue_count", "worst_overdue_days", "open_amount_log")
SIBLING_NAMES = ("newer_due_paid_30", "older_due_open", "same_due_open", "same_due_paid")


class Moments:
    """One kind of moment per invoice (seen, closed, paid ...), ordered by (customer, day)."""

    def __init__(self, facts: Facts, day: IntArray) -> None:
        self.row = np.flatnonzero(day < NEVER).astype(np.int64)
        key = customer_day_key(facts.customer[self.row], day[self.row])
        order = np.argsort(key, kind="stable")
        self.row, self.key = self.row[order], key[order]

    def span(self, customer: IntArray, until: IntArray, since: IntArray | None = None) -> Span:
        """[start, end) of the customer's moments with since <= day <= until."""
        first = np.full_like(until, -NEVER) if since is None else since
        start = np.searchsorted(self.key, customer_day_key(customer, first), side="left")
        end = np.searchsorted(self.key, customer_day_key(customer, until), side="right")
        return start.astype(np.int64), np.maximum(start, end).astype(np.int64)


class DueMoments(Moments):
    """Moments whose due dates and amounts can be counted over any span."""

    def __init__(self, facts: Facts, day: IntArray, alphabet: IntArray) -> None:
        super().__init__(facts, day)
        self.dues = RangeCounter(facts.due[self.row], alphabet=alphabet)
        self.amount_before = np.concatenate([[0.0], np.cumsum(facts.amount[self.row])])

    def amount(self, span: Span) -> FloatArray:
        """Sum of the amounts in each span, in minor units."""
        result: FloatArray = self.amount_before[span[1]] - self.amount_before[span[0]]
        return result


class Account:
    """The invoices of each customer by the days on which they were seen, fell overdue, were closed and were paid."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        alphabet = np.unique(facts.due)
        # Cash within 5 % of the amount settles an invoice for every question about habits, though a rest stays open.
        settled_known = np.minimum(facts.closed_known, facts.paid_known)
        self.closed_from = _from(np.maximum(facts.visible_from, settled_known + 1))
        overdue_from = np.maximum(facts.visible_from, facts.due + 1)
        self.seen = DueMoments(facts, facts.visible_from, alphabet)
        self.closed = DueMoments(facts, self.closed_from, alphabet)
        self.overdue = Moments(facts, overdue_from)
        self.overdue_closed = Moments(facts, _from(np.maximum(self.closed_from, overdue_from)))
        self.paid = DueMoments(facts, _from(facts.paid_known + 1), alphabet)

    def features(self, landmarks: Landmarks) -> FloatArray:
        """The columns of ``ACCOUNT_NAMES`` and ``SIBLING_NAMES`` for each landmark; shape (n, 8)."""
        facts, invoice, day = self.facts, landmarks.invoice, landmarks.known_day
        customer, due = facts.customer[invoice], facts.due[invoice]
        seen, closed = self.seen.span(customer, day), self.closed.span(customer, day)
        own_open = (facts.visible_from[invoice] <= day) & (self.closed_from[invoice] > day)
        others = _size(seen) - _size(closed) - own_open
        overdue = _size(self.overdue.span(customer, day)) - _size(self.overdue_closed.span(customer, day))
        amount = self.seen.amount(seen) - self.closed.amount(closed) - own_open * facts.amount[invoice]
        oldest = self.seen.dues.smallest_left(seen, self.closed.dues, closed)
        newer_paid, older_open, same_open, same_paid = self._siblings(customer, due, day)
        return np.column_stack(
            [
                others,
                overdue - (own_open & (due < day)),
                np.where(others + own_open > 0, np.maximum(day - oldest, 0), 0),
                np.where(others > 0, np.log1p(np.maximum(amount, 0.0)), 0.0),
                newer_paid,
                older_open,
                same_open - own_open,
                same_paid,
            ]
        )

    def _siblings(self, customer: IntArray, due: IntArray, day: IntArray) -> tuple[IntArray, ...]:
        """The columns of ``SIBLING_NAMES``; the landmark's own invoice is still among the open ones of the same due."""
        seen, closed = self.seen.span(customer, day), self.closed.span(customer, day)
        recent = self.paid.span(customer, day, day - RECENT_DAYS + 1)
        ever = self.paid.span(customer, day)
        newer_paid = _size(recent) - self.paid.dues.below(recent, due + 1)
        older_open = self.seen.dues.below(seen, due) - self.closed.dues.below(closed, due)
        same_seen = self.seen.dues.below(seen, due + 2) - self.seen.dues.below(seen, due - 1)
        same_closed = self.closed.dues.below(closed, due + 2) - self.closed.dues.below(closed, due - 1)
        same_paid = self.paid.dues.below(ever, due + 2) - self.paid.dues.below(ever, due - 1)
        return newer_paid, older_open, same_seen - same_closed, same_paid


def _from(day: IntArray) -> IntArray:
    """Days beyond NEVER (sums of NEVER and something) become NEVER again."""
    return np.minimum(day, NEVER)


def _size(span: Span) -> IntArray:
    return span[1] - span[0]
