"""``IssuedHistory``: the past invoices of one currency, from which those to come are forecast."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from duecourse.core.calendar import NO_DAYS
from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7
NOT_PAID = np.iinfo(np.int64).max


@dataclass(frozen=True)
class IssuedHistory:
    """Invoices of one currency known at ``as_of`` (epoch day): issue day, amount in minor units, and paid day.

    ``paid_day`` is ``NOT_PAID`` where the invoice is still open. Shapes (n,). ``holidays`` are epoch days, sorted, past
    and coming, on which the business itself rests. On the first ``usual_days`` coming days only the share
    ``usual_share`` (n,) of each amount is expected again, because the rest is known already, invoice by invoice.
    """

    as_of: int
    issue_day: Integers
    paid_day: Integers
    amount_minor: Integers
    holidays: Integers = field(default_factory=lambda: NO_DAYS)
    usual_share: Floats | None = None
    usual_days: int = 0

    @cached_property
    def weeks(self) -> int:
        """Whole weeks of full business before ``as_of``.

        Exports often begin with a thin tail of old invoices (only those that were still open, or paid late). Weeks
        before the first one that reaches half the median weekly amount are not business of normal volume.
        """
        if not len(self.issue_day):
            return 0
        back = (self.as_of - 1 - self.issue_day) // WEEK
        amount = np.bincount(back, self.amount_minor)
        full = np.flatnonzero(amount >= 0.5 * np.median(amount[amount > 0]))
        oldest_week_is_whole = (self.as_of - int(self.issue_day.min())) % WEEK == 0
        last = int(full.max())
        return last + 1 if last < len(amount) - 1 or oldest_week_is_whole else last
