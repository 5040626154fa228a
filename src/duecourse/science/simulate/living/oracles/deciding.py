"""Two policies that know the truth's form and parameters: one infers the types from the books, one is told them.

Both choose, one step ahead, the arm of greatest value: each invoice's chance of being paid in the next six weeks with
and without the contact, times what payment now is worth over payment later, less cost, annoyance and the expected loss
of orders; then the calls go to where they add most. Neither sees who has decided or what was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.living.book import Book, Capacity, Decided, surely
from duecourse.science.simulate.living.contacting import HANDLING
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.oracles.beliefs import Beliefs
from duecourse.science.simulate.living.oracles.paying import Paying, Row, age_bin, exposure, overdue_rows
from duecourse.science.simulate.living.oracles.watching import LAGS, Watch
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.living.view import CALLS, FIRM
from duecourse.science.simulate.pay_calendar import Floats

FUTURE = 1.3  # contacts that will still come raise the later chances of being paid so many times
# [A] A contact now makes the following ones more annoying and less effective: as if so many came each week.
AFTERWARDS = 2.0
MONTH = np.array([0.54, 0.23, 0.23])  # shares of ordinary weeks, month-end weeks and those after them
CHOICES = tuple(code for name, code in ARM.items() if name not in ("none", "escalate") and code not in HANDLING)


@dataclass(frozen=True)
class Outlook:
    """``later`` (weeks overdue, types): what one unit is worth if still unpaid then; ``lost`` the weekly write-off."""

    later: Floats
    lost: Floats


def outlook(world: Living, paying: Paying) -> Outlook:
    """Value of an unpaid unit by weeks overdue and type, by backward recursion from the end of following."""
    weeks, kinds = world.span.follow_weeks, tuple(world.company.types)
    ages = np.arange(weeks + LAGS + 1)
    rates = np.array([each.write_off for each in world.company.types.values()])
    lost = np.minimum(rates * (1 + ages[:, None] * world.company.write_off.slope), 1.0)
    ordinary = paying.age[:, age_bin(ages)].T + paying.phase @ MONTH
    paid = np.minimum(FUTURE / (1 + np.exp(-ordinary)), 0.95)
    end = np.where(np.array(kinds) == "insolvent", world.worth.open_insolvent, world.worth.open)
    keep = np.exp(-world.worth.discount_per_week)
    later = np.repeat(end[None], ages.size, axis=0)
    for age in range(weeks - 1, -1, -1):
        later[age] = (1 - lost[age]) * (paid[age] + (1 - paid[age]) * keep * later[age + 1])
    return Outlook(later, lost)


class _Oracle:
    """The index and the allocation; subclasses say what they believe of each inbox and each invoice."""

    def __init__(self, world: Living, paying: Paying) -> None:
        self.world, self.paying = world, paying
        self._outlook = outlook(world, paying)

    def decide(self, book: Book, capacity: Capacity, watch: Watch, types: Floats, extra: Floats) -> Decided:
        """The arms of greatest value; ``types`` (P, types), ``extra`` (N,) log-odds known of each invoice's payer."""
        row = overdue_rows(book)
        gain = self._gain(book, row, watch, types, extra[row.invoice])
        price = self._price(book, capacity, watch)
        worth = np.where(book.allowed, gain - price, -np.inf)
        worth[:, list(HANDLING)] = -np.inf
        worth[:, 0] = 0.0
        written = worth.copy()
        written[:, list(CALLS)] = -np.inf
        arm = np.argmax(written, axis=1)
        best = written[np.arange(arm.size), arm]
        calls = np.full_like(worth, -np.inf)
        calls[:, list(CALLS)] = worth[:, list(CALLS)]
        more = calls.max(axis=1) - best
        chosen = np.argsort(-more, kind="stable")[: capacity.calls]
        chosen = chosen[more[chosen] > 0]
        arm[chosen] = calls.argmax(axis=1)[chosen]
        point = np.flatnonzero(arm)
        return surely(point, arm[point])

    def _gain(self, book: Book, row: Row, watch: Watch, types: Floats, extra: Floats) -> Floats:
        """Expected value of one contact now, per contact point and arm (P, ARMS), major units."""
        paying, listed = self.paying, self.world.rules.listed_before_days
        base = [
            paying.logit(row.weeks + ahead, book.week + ahead)
            + exposure(watch, row, listed, ahead=ahead) @ paying.effect.T
            + extra[:, None]
            for ahead in range(LAGS)
        ]
        without = self._value(row, base)
        damped = 1 / (1 + self.world.effects.fatigue * watch.fatigue[row.point])
        money = book.collectible_minor[row.invoice] / 100
        result = np.zeros((types.shape[0], len(ARMS)))
        for arm in CHOICES:
            pushed = [
                logit + watch.kernel[ahead] * damped[:, None] * paying.effect[:, arm]
                for ahead, logit in enumerate(base)
            ]
            better = ((self._value(row, pushed) - without) * types[row.point]).sum(axis=1) * money
            result[:, arm] = np.bincount(row.point, better, minlength=types.shape[0])
        return result

    def _value(self, row: Row, logits: list[Floats]) -> Floats:
        """Value of one unit over the next weeks and after them, (n, types)."""
        keep = np.exp(-self.world.worth.discount_per_week)
        oldest = self._outlook.later.shape[0] - 1
        left, value = np.ones_like(logits[0]), np.zeros_like(logits[0])
        for ahead, logit in enumerate(logits):
            paid = 1 / (1 + np.exp(-logit))
            lost = self._outlook.lost[np.minimum(row.weeks + ahead, oldest)]
            value += keep**ahead * left * (1 - lost) * paid
            left = left * (1 - lost) * (1 - paid)
        after = self._outlook.later[np.minimum(row.weeks + LAGS, oldest)]
        result: Floats = value + keep**LAGS * left * after
        return result

    def _price(self, book: Book, capacity: Capacity, watch: Watch) -> Floats:
        """Cost, annoyance and the expected margin of orders lost to a complaint, (P, ARMS), major units."""
        annoyance, worth = self.world.annoyance, self.world.worth
        points = book.allowed.shape[0]
        recent = book.issued >= book.as_of - 364
        weekly = np.bincount(book.point[recent], book.amount_minor[recent] / 100, minlength=points) / 52
        at_stake = worth.order_margin * (1 - annoyance.orders) * annoyance.weeks * weekly
        firm = np.isin(np.arange(len(ARMS)), FIRM)
        logit = annoyance.complaint + annoyance.complaint_fatigue * watch.fatigue[:, None]
        chance = annoyance.complaint_factor / (1 + np.exp(-(logit + annoyance.complaint_firm * firm)))
        keep = self.world.effects.keep
        tired = watch.fatigue + AFTERWARDS * keep / (1 - keep)
        felt = capacity.annoyance * tired[:, None] * book.point_band[:, None]
        return capacity.cost + felt + chance * at_stake[:, None]


class BeliefOracle(_Oracle):
    """Knows the parameters of the world, and of each payer only what its payments tell (``Beliefs``)."""

    def begin(self, house: House) -> None:  # noqa: ARG002 - it must not look into the house
        """A new run: believe the mix of types, then learn from the history."""
        self._beliefs: Beliefs | None = None

    def __call__(self, book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG002 - draws nothing
        """Decisions of today; books must come in the order of time."""
        if self._beliefs is None:
            self._beliefs = Beliefs(self.world, self.paying, book.allowed.shape[0])
        self._beliefs.see(book)
        return self.decide(book, capacity, self._beliefs.watch, self._beliefs.types, np.zeros(book.point.size))


class Clairvoyant(_Oracle):
    """Is told each payer's type of the week, its intercept and drift; not what it has decided."""

    def begin(self, house: House) -> None:
        """A new run in this house, whose truth it may see."""
        self._house = house
        self._watch = Watch(self.world, house.nature.inboxes.count)

    def __call__(self, book: Book, capacity: Capacity, seed: int) -> Decided:  # noqa: ARG002 - draws nothing
        """Decisions of today."""
        nature, state = self._house.nature, self._house.state
        self._watch.see(book)
        at = book.week - nature.first_week
        types = np.eye(len(self.world.company.types))[nature.inboxes.kind[at]]
        rows = np.flatnonzero(state.placed[: np.searchsorted(nature.orders.issued, book.as_of)])
        extra = nature.customers.intercept[nature.orders.customer[rows]] + nature.inboxes.drift[at, book.point]
        return self.decide(book, capacity, self._watch, types, extra)
