"""``Book``, ``Capacity`` and ``Decided``: the arrays by which a house and a policy talk to each other.

Day numbers are days since 1970-01-01; week w covers the days 7w - 3 .. 7w + 3 (Monday to Sunday); NEVER is -1. A policy
is any callable ``policy(book, capacity, seed) -> Decided``. What a ``Book`` holds was known at the start of ``as_of``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.pay_calendar import Floats, Ints

OPEN, KEPT, BROKEN = 0, 1, 2


@dataclass(frozen=True)
class Book:
    """Everything known at the start of ``as_of``, nothing later; closed invoices are included (history).

    Contact points (P): ``point_cluster`` is the unit of randomisation, ``allowed`` (P, ARMS) what the mask permits,
    ``point_band`` multiplies the price of annoying it (the house's own list of values).
    Invoices (N): ``point``, days, ``amount_minor`` (face less credits), ``collectible_minor`` (what may be asked for
    now; 0 when closed, disputed or promised), ``paid_day``, ``closed_day`` (left the book otherwise),
    ``written_off_day``, ``timing_logit`` (0: this house has no timing model). Disputes, promises (outcome 0 open, 1
    kept, 2 broken), part payments, contacts (``contact_reached`` 1 conversation, 0 not, -1 mail or letter), decisions
    (drawn arm, propensities (L, ARMS), executed arm) are rows that point at invoices or contact points.
    """

    as_of: int
    point_cluster: Ints
    point: Ints
    issued: Ints
    due: Ints
    amount_minor: Floats
    collectible_minor: Floats
    paid_day: Ints
    closed_day: Ints
    written_off_day: Ints
    timing_logit: Floats
    dispute_invoice: Ints
    dispute_opened: Ints
    dispute_resolved: Ints
    dispute_whole: Flags
    promise_invoice: Ints
    promise_made: Ints
    promise_due: Ints
    promise_outcome: Ints
    part_invoice: Ints
    part_day: Ints
    contact_point: Ints
    contact_day: Ints
    contact_arm: Ints
    contact_human: Flags
    contact_reached: Ints
    decision_point: Ints
    decision_day: Ints
    decision_arm: Ints
    decision_propensities: Floats
    decision_executed: Ints
    allowed: Flags
    point_band: Floats

    @property
    def week(self) -> int:
        """The week that begins on ``as_of``."""
        return (self.as_of + 3) // 7

    def epochs(self) -> Ints:
        """Contact points with something to ask for or to say today: those whose mask leaves more than ``none``."""
        return np.flatnonzero(self.allowed[:, 1:].any(axis=1))


@dataclass(frozen=True)
class Capacity:
    """One week's means: calls of all kinds together, and per arm (ARMS) cost, annoyance (major units) and minutes."""

    calls: int
    cost: Floats
    annoyance: Floats
    minutes: Floats


@dataclass(frozen=True)
class Decided:
    """One row per decided contact point: the arm drawn (code) and the propensity of every arm, shape (n, ARMS).

    Contact points that are not listed get ``none`` without a decision.
    """

    point: Ints
    arm: Ints
    propensities: Floats


Policy = Callable[[Book, Capacity, int], Decided]


def none(book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG001 - decides nothing
    """The policy that contacts nobody."""
    empty = np.zeros(0, dtype=np.int64)
    return surely(empty, empty)


def surely(point: Ints, arm: Ints) -> Decided:
    """Decisions that were not drawn: propensity 1 for the arm taken."""
    propensities = np.zeros((point.size, len(ARMS)))
    propensities[np.arange(point.size), arm] = 1.0
    return Decided(point, arm, propensities)
