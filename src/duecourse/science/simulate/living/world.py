"""``LivingWorld``: run policies in one world on one seed, compare them on the same numbers, ask for true effects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.book import Policy, none, surely
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.nature import Nature, make_nature
from duecourse.science.simulate.living.outcome import Outcome, money, settle
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.pay_calendar import Floats, Ints


@dataclass(frozen=True)
class Comparison:
    """Gain of one policy over another in % of the overdue balance, on the same numbers, one entry per seed.

    ``unpaired_sd`` is the standard deviation that the difference would have with different numbers for the two.
    """

    gains: Floats
    unpaired_sd: float

    @property
    def mean(self) -> float:
        """Mean gain over the seeds, % of overdue balance."""
        return float(self.gains.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; nan for a single seed."""
        return float(self.gains.std(ddof=1) / np.sqrt(self.gains.size)) if self.gains.size > 1 else float("nan")


@dataclass(frozen=True)
class Effect:
    """True effect of one contact now on each asked invoice: paid within the horizon, and value in major units."""

    paid: Floats
    value: Floats


class LivingWorld:
    """``spec`` on ``seed``, long enough for ``weeks`` weeks of arrivals; reproducible from these three."""

    def __init__(self, spec: Living, seed: int, weeks: int = 52) -> None:
        self.spec, self.seed, self.weeks = spec, seed, weeks

    @cached_property
    def nature(self) -> Nature:
        """What no policy can change."""
        return make_nature(self.spec, self.seed, self.weeks)

    @cached_property
    def _after_history(self) -> House:
        house = House(self.nature)
        while house.week < self.nature.start_week:
            house.live_by_habit()
        return house

    def stepper(self) -> House:
        """A house on the first Monday of policies, its human history behind it."""
        return self._after_history.copied()

    def run(self, policy: Policy, weeks: int | None = None) -> Outcome:
        """Run ``policy`` for ``weeks`` weeks of arrivals and until the last of them is followed to its end."""
        return settle(self.nature, self.lived(policy, weeks).state, weeks or self.weeks)

    def lived(self, policy: Policy, weeks: int | None = None) -> House:
        """The house after such a run. Raises ValueError when the world was made for fewer weeks."""
        span = self.weeks if weeks is None else weeks
        if span > self.weeks:
            raise ValueError(f"the world was made for {self.weeks} weeks of arrivals, asked for {span}")
        house = self.stepper()
        self.steer(house, policy, house.week + span + self.spec.span.follow_weeks)
        return house

    def steer(self, house: House, policy: Policy, until: int) -> None:
        """Let ``policy`` decide each Monday in ``house`` until the week ``until``."""
        begin: Callable[[House], None] | None = getattr(policy, "begin", None)
        if begin is not None:  # a policy that keeps beliefs, or may see the truth
            begin(house)
        while house.week < until:
            house.apply(policy(house.book(), house.capacity, self.seed * 100_000 + house.week))

    def compare(
        self, a: Policy, b: Policy, *, seeds: Sequence[int], weeks: int | None = None, since: int = 0
    ) -> Comparison:
        """Gain of ``a`` over ``b``; the seeds replace this world's own. ``since``: first cohort that counts."""
        nets = []
        for seed in seeds:
            world = LivingWorld(self.spec, seed, weeks or self.weeks)
            one, other = world.run(a), world.run(b)
            scale = 100 / other.total("balance", since=since)
            nets.append((scale * one.net(since=since), scale * other.net(since=since)))
        pairs = np.array(nets)
        spread = float(np.sqrt(pairs.var(axis=0, ddof=1).sum())) if len(seeds) > 1 else float("nan")
        return Comparison(pairs[:, 0] - pairs[:, 1], spread)

    def effect(self, invoices: Ints, week: int, arm: str, *, against: str = "none", horizon: int = 6,
               policy: Policy | None = None, draws: int = 1) -> Effect:  # fmt: skip
        """What ``arm`` instead of ``against`` would do for these invoices in week ``week`` from the start.

        Only the contact points of the invoices are run again from that week, each contacted once, then nobody for
        ``horizon`` weeks, on the same numbers; with ``draws`` > 1 averaged over so many futures. ``policy`` (default:
        nobody is contacted) rules before that week. ``invoices`` are rows of ``nature.orders``.
        """
        house = self.stepper()
        self.steer(house, policy or none, self.nature.start_week + week)
        return effect_from(house, invoices, arm, against=against, horizon=horizon, draws=draws)


def effect_from(house: House, invoices: Ints, arm: str, *, against: str = "none", horizon: int = 6,
                draws: int = 1) -> Effect:  # fmt: skip
    """``LivingWorld.effect`` from the Monday on which ``house`` stands; the house itself is left as it is."""
    points = np.unique(house.nature.invoice_point[invoices])
    paid, value = np.zeros(invoices.size), np.zeros(invoices.size)
    for future in range(draws):
        for name, sign in ((arm, 1.0), (against, -1.0)):
            one = house.copied(future=future).only(points)
            one.apply(surely(points, np.full(points.size, ARM[name])), people=False)
            came, worth = _followed(one, invoices, house.week, horizon)
            paid += sign * came / draws
            value += sign * worth / draws
    return Effect(paid, value)


def _followed(house: House, invoices: Ints, week: int, horizon: int) -> tuple[Floats, Floats]:
    """Paid within ``horizon`` weeks of ``week``, and value less costs, when nobody contacts anybody any more."""
    nature = house.nature
    until = min(week + nature.world.span.follow_weeks, nature.last_week)
    none = np.zeros(0, dtype=np.int64)
    while house.week < until:
        house.apply(surely(none, none), people=False)
    state = house.state
    came = (state.paid[invoices] != NEVER) & (state.paid[invoices] < (week + horizon) * 7 - 3)
    end = nature.orders.due[invoices] + 7 * nature.world.span.follow_weeks
    _, value = money(nature, state, invoices, end)
    return came.astype(np.float64), value - state.cost[invoices] - state.annoyance[invoices]
