"""What contacts truly do, decision by decision, and the true chances of payment: by living the same weeks again.

``Witness`` runs a policy and notes beside every decided contact what it changes; ``true_curve`` gives the distribution
of the payment day from many futures of one Monday. Both see the truth; neither changes the run that they watch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.book import Book, Capacity, Decided, Policy, none
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.view import listed
from duecourse.science.simulate.living.world import effect_from
from duecourse.science.simulate.pay_calendar import Floats, Ints

HORIZON_WEEKS = 6


@dataclass
class Witness:
    """A policy that decides as ``policy`` does and keeps the true effect of each decided contact.

    The effect is that of the arm against no contact on this run's own numbers, nobody being contacted afterwards:
    ``paid_more`` invoices within six weeks and ``value_more`` (major units, costs taken off), of what was asked for.
    """

    policy: Policy
    _house: House | None = None
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def begin(self, house: House) -> None:
        """Take the house to watch; passed on to a policy that wants to know it too."""
        self._house = house
        begin: Callable[[House], None] | None = getattr(self.policy, "begin", None)
        if begin is not None:
            begin(house)

    def __call__(self, book: Book, capacity: Capacity, seed: int) -> Decided:
        """The decisions of the policy. Raises ValueError when no house was given."""
        if self._house is None:
            raise ValueError("a Witness needs begin(house) before its first Monday")
        decided = self.policy(book, capacity, seed)
        self._parts.append(_effects(self._house, decided))
        return decided

    def effects(self) -> pl.DataFrame:
        """``decision_id``, ``arm``, ``invoices`` asked for, ``paid_more``, ``value_more``; arms other than none."""
        schema = {"decision_id": pl.String, "arm": pl.String, "invoices": pl.Int64, "paid_more": pl.Float64,
                  "value_more": pl.Float64}  # fmt: skip
        return pl.concat([pl.DataFrame(schema=schema), *self._parts]).sort("decision_id")


def _effects(house: House, decided: Decided) -> pl.DataFrame:
    first = len(house.state.decisions)
    asked = listed(house.nature, house.state, house.week * 7 - 3)
    rows, owner = asked.rows[asked.days_late > 0], asked.point[asked.days_late > 0]
    points = house.nature.inboxes.count
    paid, value = np.zeros(points), np.zeros(points)
    count = np.bincount(owner, minlength=points)
    contacted = np.flatnonzero((decided.arm != 0) & (count[decided.point] > 0))
    for arm in np.unique(decided.arm[contacted]).tolist():
        mine = decided.point[contacted][decided.arm[contacted] == arm]
        about = rows[np.isin(owner, mine)]
        whose = house.nature.invoice_point[about]
        effect = effect_from(house, about, ARMS[arm], horizon=HORIZON_WEEKS)
        paid += np.bincount(whose, effect.paid, minlength=points)
        value += np.bincount(whose, effect.value, minlength=points)
    at = decided.point[contacted]
    return pl.DataFrame({
        "decision_id": [f"DEC-{first + row + 1:07d}" for row in contacted.tolist()],
        "arm": [ARMS[arm] for arm in decided.arm[contacted].tolist()], "invoices": count[at], "paid_more": paid[at],
        "value_more": value[at],
    }, schema_overrides={"decision_id": pl.String, "arm": pl.String, "invoices": pl.Int64})  # fmt: skip


def true_curve(house: House, invoices: Ints, *, policy: Policy = none, draws: int = 200, days: int = 119) -> Floats:
    """P(paid on or before the Monday of ``house`` + j | all that is true on it), shape (invoices, ``days`` + 1).

    Everything that has fallen is known (types, intercepts, payments on their way), what is to come is drawn ``draws``
    times; ``policy`` rules from that Monday on. The standard error of a value p is sqrt(p (1 - p) / draws).
    ``invoices`` are rows of ``nature.orders``.
    """
    monday = house.week * 7 - 3
    points = np.unique(house.nature.invoice_point[invoices])
    until = min(house.week + days // 7 + 1, house.nature.last_week)
    counted = np.zeros((invoices.size, days + 1))
    for future in range(1, draws + 1):
        one = house.copied(future=future).only(points)
        while one.week < until:
            one.apply(policy(one.book(), one.capacity, house.nature.seed * 100_000 + one.week), people=False)
        day = one.state.paid[invoices] - monday
        came = (one.state.paid[invoices] != NEVER) & (day <= days)
        np.add.at(counted, (np.flatnonzero(came), np.maximum(day[came], 0)), 1.0)
    curve: Floats = np.cumsum(counted, axis=1) / draws
    return curve
