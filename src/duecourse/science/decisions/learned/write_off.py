"""What becomes of an invoice that is not paid: lost for good, or given up and handed over when it is old.

    write-off   d = exp(c0 + c_segment + c . history) x (1 + age / 8): a Poisson hazard, posterior mode under a prior
    given up    closed without payment 8 weeks or more after its due date: a hazard per week of age, read from the book

Losses sit with few customers: one rate for all would make every reminder of a prompt payer look worth its while. And a
house that hands every debt of half a year to an agency loses most of it on that day; whoever looks at write-offs alone
does not see that, and values payment too little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Book, Floats, Ints
from duecourse.science.decisions.learned.panel import MODIFIERS, OLDEST_AGE, Panel
from duecourse.science.decisions.learned.segments import SEGMENTS

TYPICAL = 0.00075  # [A] per week at age 0
AGE_SCALE = 8.0
GIVEN_UP_FROM = 8  # weeks; what is closed without payment earlier is a credit, not a loss
GIVEN_UP_WORTH = 0.4  # [A] of an invoice that is handed over
RECOVERY = 0.0  # [A] of one that is written off
SURELY, LARGEST_RATE = 0.98, 0.2
_SD_INTERCEPT, _SD_SEGMENT, _SD_HISTORY = 1.0, 0.5, 0.5
_NEWTON_STEPS, _TOLERANCE = 30, 1e-8
_PRIOR_WEEKS, _TYPICAL_GIVEN_UP = 20.0, 0.002


@dataclass(frozen=True)
class Ends:
    """``lost``: coefficients of log d0 (intercept, segments, history); ``given_up`` (ages,): weekly hazard by age."""

    lost: Floats
    given_up: Floats

    def first_rate(self, segment: Ints, modifiers: Floats) -> Floats:
        """(n,) d0: the weekly write-off hazard at age 0."""
        result: Floats = np.minimum(np.exp(_columns(segment, modifiers) @ self.lost), LARGEST_RATE)
        return result


def ends_of(book: Book, panel: Panel, prior_mean: Floats | None = None) -> Ends:
    """How unpaid invoices of ``book`` end. ``prior_mean``: the coefficients to start from (default: assumed ones)."""
    return Ends(loss_coefficients(panel, prior_mean), _given_up(book, panel))


def assumed_losses() -> Floats:
    """The coefficients that are assumed where nothing was learnt: one rate for everybody."""
    result = np.zeros(1 + len(SEGMENTS) + MODIFIERS)
    result[0] = np.log(TYPICAL)
    return result


def loss_coefficients(panel: Panel, prior_mean: Floats | None = None) -> Floats:
    """Posterior mode of log d0's coefficients by Newton steps."""
    start = assumed_losses() if prior_mean is None else prior_mean
    precision = np.array([_SD_INTERCEPT, *[_SD_SEGMENT] * len(SEGMENTS), *[_SD_HISTORY] * MODIFIERS]) ** -2.0
    if not panel.rows:
        return start
    X, exposed = _columns(panel.segment, panel.modifiers), 1 + np.maximum(panel.age, 0) / AGE_SCALE
    lost, mode = panel.lost.astype(np.float64), start.copy()
    for _ in range(_NEWTON_STEPS):
        expected = np.minimum(np.exp(X @ mode), LARGEST_RATE) * exposed
        gradient = X.T @ (lost - expected) - precision * (mode - start)
        step = np.linalg.solve(X.T @ (X * expected[:, None]) + np.diag(precision), gradient)
        largest = float(np.abs(step).max())
        mode = mode + step / max(1.0, largest)
        if largest < _TOLERANCE:
            break
    return mode


def _columns(segment: Ints, modifiers: Floats) -> Floats:
    result = np.zeros((segment.size, 1 + len(SEGMENTS) + MODIFIERS))
    result[:, 0] = 1
    result[np.arange(segment.size), 1 + segment] = 1
    result[:, 1 + len(SEGMENTS) :] = modifiers
    return result


def weekly_loss(first_rate: Floats, age: Ints) -> Floats:
    """(n,) the hazard of being written off within a week of age ``age``."""
    result: Floats = np.minimum(first_rate * (1 + np.maximum(age, 0) / AGE_SCALE), 0.5)
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
