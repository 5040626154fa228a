"""What becomes of an invoice that is not paid: lost for good, or given up and handed over when it is old.

    write-off   d = d0_segment x (1 + age / 8), a gamma prior updated by the book's and each segment's write-offs
    given up    closed without payment 8 weeks or more after its due date: a hazard per week of age, read from the book

A house that hands every debt of half a year to an agency loses most of it on that day. Whoever looks at write-offs
alone does not see that, and values payment too little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Book, Floats, Ints
from duecourse.science.decisions.learned.panel import OLDEST_AGE, Panel
from duecourse.science.decisions.learned.segments import SEGMENTS

TYPICAL = 0.00075  # [A] per week at age 0
PRIOR_LOSSES = 5.0
AGE_SCALE = 8.0
GIVEN_UP_FROM = 8  # weeks; what is closed without payment earlier is a credit, not a loss
GIVEN_UP_WORTH = 0.4  # [A] of an invoice that is handed over
RECOVERY = 0.0  # [A] of one that is written off
SURELY = 0.98
_PRIOR_WEEKS, _TYPICAL_GIVEN_UP = 20.0, 0.002


@dataclass(frozen=True)
class Ends:
    """``lost`` (segments,): d0. ``given_up`` (ages,): weekly hazard of being given up, ages 0 .. OLDEST_AGE + 6."""

    lost: Floats
    given_up: Floats


def ends_of(book: Book, panel: Panel, typical: float = TYPICAL) -> Ends:
    """How unpaid invoices of ``book`` end."""
    return Ends(loss_rates(panel, typical), _given_up(book, panel))


def loss_rates(panel: Panel, typical: float = TYPICAL) -> Floats:
    """(segments,) d0: posterior means, first of the book and then of each segment drawn to it."""
    exposed = np.bincount(panel.segment, weights=1 + panel.age / AGE_SCALE, minlength=len(SEGMENTS))
    losses = np.bincount(panel.segment, weights=panel.lost, minlength=len(SEGMENTS))
    book = (PRIOR_LOSSES + losses.sum()) / (PRIOR_LOSSES / typical + exposed.sum())
    result: Floats = (PRIOR_LOSSES + losses) / (PRIOR_LOSSES / book + exposed)
    return result


def weekly_loss(rates: Floats, segment: Ints, age: Ints) -> Floats:
    """(n,) the hazard of being written off within a week of age ``age``."""
    result: Floats = np.minimum(rates[segment] * (1 + np.maximum(age, 0) / AGE_SCALE), 0.5)
    return result


def _given_up(book: Book, panel: Panel) -> Floats:
    ages = OLDEST_AGE + 7
    closed = (book.closed_day >= 0) & (book.paid_day < 0) & (book.written_off_day < 0)
    age = (book.closed_day[closed] - book.due[closed] - 1) // 7
    age = age[(age >= GIVEN_UP_FROM) & (age < ages)]
    events = np.bincount(age, minlength=ages)
    at_risk = np.bincount(np.minimum(panel.age, ages - 1), minlength=ages) + events
    prior = np.where(np.arange(ages) >= GIVEN_UP_FROM, _TYPICAL_GIVEN_UP, 0.0)
    # Where nothing ever came so far, what was the rule before goes on: who gives up at 26 weeks has no week 30.
    result: Floats = (events + _PRIOR_WEEKS * prior) / (at_risk + _PRIOR_WEEKS)
    last = int(np.flatnonzero(at_risk >= _PRIOR_WEEKS).max(initial=0))
    result[last + 1 :] = np.maximum(result[last + 1 :], result[: last + 1].max())
    return result


def value_if_unpaid(hazard: Floats, age: Ints, lost: Floats, given_up: Floats, weekly_capital: float) -> Floats:
    """(n, D) V: what a unit is worth that is unpaid at ``age`` (n,), paid with ``hazard`` (n, D) a week from then on.

        V(g) = d R + u U + (1 - d - u) (h + (1 - h) V(g + 1) / (1 + rho)),   d, u: written off, given up at age g

    by backward recursion over ages; after the last age h and d stand still: V = (h + R d) / (h + rho + d).
    ``lost`` (n,) is d0 of each row.
    """
    oldest = given_up.size - 1
    rate = lost[:, None] * (1 + oldest / AGE_SCALE)
    value: Floats = (hazard + RECOVERY * rate) / (hazard + weekly_capital + rate)
    for step in range(oldest, int(age.min(initial=oldest)) - 1, -1):
        gone = np.minimum(lost[:, None] * (1 + step / AGE_SCALE), 0.5)
        handed = min(float(given_up[step]), SURELY)
        gone = gone * (1 - handed)
        left = 1 - gone - handed
        earlier = gone * RECOVERY + handed * GIVEN_UP_WORTH
        earlier = earlier + left * (hazard + (1 - hazard) * value / (1 + weekly_capital))
        np.copyto(value, earlier, where=(age <= step)[:, None])
    return value
