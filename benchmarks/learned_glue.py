"""Between the learner and the living worlds, which do not know each other: the same arrays, copied field by field."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned import Book, LearnedPolicy, Resources, Settings
from duecourse.science.simulate.living import Book as SeenBook
from duecourse.science.simulate.living import Capacity, Decided

CALL_MINUTES = 12.0  # the worlds count calls, whatever their length
WEEKLY_CAPITAL = (1 + 0.10) ** (1 / 52) - 1
NOT_OFFERED = ("email_discount", "route_dispute", "escalate")
_NAMES = tuple(field.name for field in fields(Book))


def book_of(seen: SeenBook) -> Book:
    """The learner's form of what the house sees."""
    return Book(**{name: getattr(seen, name) for name in _NAMES})


def resources_of(capacity: Capacity) -> Resources:
    """The learner's form of a week's means; money in minor units."""
    calls = np.array([name.startswith("call") for name in ARMS])
    return Resources(
        exists=np.array([name not in NOT_OFFERED for name in ARMS]), cost_minor=capacity.cost * 100,
        minutes=np.where(calls, CALL_MINUTES, 0.0), minutes_total=capacity.calls * CALL_MINUTES,
        weekly_capital=WEEKLY_CAPITAL, annoyance_minor=capacity.annoyance * 100,
    )  # fmt: skip


@dataclass
class Learner:
    """The learned policy as a policy of a living world; every run begins without memory."""

    settings: Settings

    def begin(self, house: object) -> None:  # noqa: ARG002 - the learner sees books only
        """Forget the run before."""
        self.policy = LearnedPolicy(self.settings)

    def __call__(self, seen: SeenBook, capacity: Capacity, seed: int) -> Decided:
        """The decisions of one Monday."""
        decided = self.policy(book_of(seen), resources_of(capacity), seed)
        return Decided(decided.point, decided.arm, decided.propensities)


def with_draws(settings: Settings, draws: int) -> Settings:
    """``settings`` with another number of posterior draws."""
    return replace(settings, draws=draws)
