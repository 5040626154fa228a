"""Between the learner and the living worlds, which do not know each other: the same arrays, copied field by field."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned import Book, LearnedPolicy, Resources, Settings
from duecourse.science.simulate.living import Book as SeenBook
from duecourse.science.simulate.living import Capacity, Decided

CALL_MINUTES = 12.0  # the worlds count calls, whatever their length
WEEKLY_CAPITAL = (1 + 0.10) ** (1 / 52) - 1
NOT_OFFERED = ("email_discount", "route_dispute", "escalate")
FIRM = ARMS.index("email_firm")
_NAMES = tuple(field.name for field in fields(Book))


def book_of(seen: SeenBook) -> Book:
    """The learner's form of what the house sees."""
    return Book(**{name: getattr(seen, name) for name in _NAMES})


def resources_of(capacity: Capacity, *, offers: bool = False) -> Resources:
    """The learner's form of a week's means, money in minor units; ``offers``: whether a discount may be offered."""
    calls = np.array([name.startswith("call") for name in ARMS])
    exists = np.array([name not in NOT_OFFERED or (offers and name == "email_discount") for name in ARMS])
    return Resources(
        exists=exists, cost_minor=capacity.cost * 100,
        minutes=np.where(calls, CALL_MINUTES, 0.0), minutes_total=capacity.calls * CALL_MINUTES,
        weekly_capital=WEEKLY_CAPITAL, annoyance_minor=capacity.annoyance * 100,
    )  # fmt: skip


@dataclass
class Learner:
    """The learned policy as a policy of a living world; every run begins without memory.

    Written down each week: ``effect``, the mean over the arms of the estimated effects in log-odds, and ``firm``, the
    share of the overdue invoice-weeks that were asked for by a firm e-mail.
    """

    settings: Settings
    effect: list[float] = field(default_factory=list)
    firm: list[float] = field(default_factory=list)

    def begin(self, house: object) -> None:  # noqa: ARG002 - the learner sees books only
        """Forget the run before."""
        self.policy = LearnedPolicy(self.settings)
        self.effect, self.firm = [], []

    def __call__(self, seen: SeenBook, capacity: Capacity, seed: int) -> Decided:
        """The decisions of one Monday."""
        offers = self.settings.offer is not None
        decided = self.policy(book_of(seen), resources_of(capacity, offers=offers), seed)
        known = self.policy.knowledge
        assert known is not None
        self.effect.append(float(known.posterior.mode[known.columns.mu].mean()))
        listed = (seen.collectible_minor > 0) & (seen.due < seen.as_of)
        asked = np.isin(seen.point, decided.point[decided.arm == FIRM]) & listed
        self.firm.append(float(asked.sum()) / max(int(listed.sum()), 1))
        return Decided(decided.point, decided.arm, decided.propensities)
