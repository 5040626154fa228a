"""What is usual for a customer: P50 and P80 of its days late at clearing, pulled towards the book's (n / (n + 5))."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.facts import Facts

IntArray = npt.NDArray[np.int64]

HISTORY = 50  # last payments that make the habit
PRIOR_PAYMENTS = 5  # the book counts as this many payments of the customer
KNOWN_FROM = PRIOR_PAYMENTS  # from here on its own payments weigh at least as much as the book's
_EARLIEST, _LATEST = -90, 365


@dataclass(frozen=True, slots=True)
class Habit:
    """``usual_days`` (P50) and ``late_end_days`` (P80) late at clearing, of ``paid`` own payments pulled to the book's.

    ``late_quarters`` counts the quarters of the last year with an invoice that was paid 30 or more days late;
    ``ever_late`` says whether any payment came after its due date.
    """

    usual_days: int
    late_end_days: int
    paid: int
    late_quarters: int
    ever_late: bool

    @property
    def is_known(self) -> bool:
        """True when the customer itself has paid often enough to have a habit."""
        return self.paid >= KNOWN_FROM


NO_HABIT = Habit(0, 0, 0, 0, False)


def habits(facts: Facts, customer_ids: list[str]) -> dict[str, Habit]:
    """The habit of each customer as of ``facts.as_of``; ``NO_HABIT`` for everybody in a book without any payment."""
    if not len(facts.cleared):
        return dict.fromkeys(customer_ids, NO_HABIT)
    grid = _LATEST - _EARLIEST + 1
    late = np.clip(facts.paid_on - facts.due, _EARLIEST, _LATEST)
    book = np.bincount(late[facts.cleared] - _EARLIEST, minlength=grid) / len(facts.cleared)
    code_of = {str(name): code for code, name in enumerate(facts.customer_ids)}
    result = {}
    for customer_id in customer_ids:
        code = code_of.get(customer_id)
        rows = _last_paid(facts, code) if code is not None else np.empty(0, dtype=np.int64)
        result[customer_id] = _habit(late[rows], (facts.as_of - facts.due[rows]) // 91, book)
    return result


def _last_paid(facts: Facts, code: int) -> IntArray:
    rows = facts.last_cleared(np.array([code]), np.array([facts.as_of]), HISTORY)[0]
    result: IntArray = rows[rows >= 0]
    return result


def _habit(late: IntArray, quarter: IntArray, book: npt.NDArray[np.float64]) -> Habit:
    paid = len(late)
    weight = paid / (paid + PRIOR_PAYMENTS)
    own = np.bincount(late - _EARLIEST, minlength=len(book)) / max(paid, 1)
    mixed = np.cumsum(weight * own + (1 - weight) * book)
    p50, p80 = (int(np.searchsorted(mixed, level - 1e-9)) + _EARLIEST for level in (0.50, 0.80))
    late_quarters = len(set(quarter[(late >= 30) & (quarter < 4)].tolist()))
    return Habit(p50, p80, paid, late_quarters, bool((late > 0).any()))
