"""``House``: one run of a living world, week by week. A policy sees ``book()`` and acts by ``apply``.

Order within a week: shocks and new invoices, the plan of Monday and its contacts (reach, reactions, promises), the
payers' decisions from Tuesday on, pay-runs, bank and postings, replies and disputes by Sunday. A contact therefore acts
from the day after it on.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import contacting, deciding
from duecourse.science.simulate.living.book import Book, Capacity, Decided
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import FAR, Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.people import Acts, by_habit, executed
from duecourse.science.simulate.living.state import State, fresh_state
from duecourse.science.simulate.living.view import listed, see
from duecourse.science.simulate.pay_calendar import Ints, week_of


class House:
    """A run that stands on the Monday of ``week``; ``state`` and ``nature`` are the truth, which no policy may read."""

    def __init__(self, nature: Nature, state: State | None = None, draws: Draws | None = None) -> None:
        self.nature = nature
        self.draws = draws or Draws(nature.seed)
        self._issue_week = week_of(nature.orders.issued)
        self._followed: Flags | None = None
        self._book: Book | None = None
        self.state = fresh_state(nature) if state is None else state
        if state is None:
            self._begin_week()

    @property
    def week(self) -> int:
        """The week that has begun."""
        return self.state.week

    @property
    def capacity(self) -> Capacity:
        """The means of one week."""
        world = self.nature.world
        cost, annoyance, minutes = world.priced()
        calls = round(world.rules.calls_per_customer_week * len(self.nature.customers.ids))
        return Capacity(calls, cost, annoyance, minutes)

    def copied(self, *, future: int = 0) -> House:
        """The same run from here on, apart; ``future`` > 0 draws another future than this run's own (0)."""
        other = House(self.nature, self.state.copied(), self.draws.branched(self.week, future))
        other._followed = self._followed
        return other

    def only(self, points: Ints) -> House:
        """A copy in which nobody but these contact points lives on: exact for them, for all else it is frozen."""
        other = self.copied()
        follow = np.zeros(self.nature.inboxes.count, dtype=bool)
        follow[points] = True
        other._followed = follow
        other.state.active = other.state.active[follow[self.nature.invoice_point[other.state.active]]]
        return other

    def book(self) -> Book:
        """What the house knows at the start of the Monday of ``week``."""
        if self._book is None:
            self._book = see(self.nature, self.state)
        return self._book

    def apply(self, decided: Decided, *, people: bool = True) -> None:
        """Execute the decisions as people do and live to the next Monday.

        With ``people`` False everything the mask allows is executed as decided, whatever the capacity.
        """
        book = self.book()
        if people:
            acts, done = executed(self.nature, self.draws, book, decided, calls=self.capacity.calls)
        else:
            done = np.where(book.allowed[decided.point, decided.arm], decided.arm, 0)
            own = np.flatnonzero(done)
            acts = Acts(decided.point[own], done[own], np.zeros(own.size, dtype=bool))
        self.state.decisions.append(
            point=decided.point,
            day=book.as_of,
            arm=decided.arm,
            executed=done,
            propensities=decided.propensities,
            allowed=book.allowed[decided.point],
        )
        self._live(acts)

    def live_by_habit(self) -> None:
        """One week of the history: people decide, nothing is logged as a decision."""
        self._live(by_habit(self.nature, self.draws, self.book(), calls=self.capacity.calls))

    def _live(self, acts: Acts) -> None:
        nature, state = self.nature, self.state
        asked = listed(nature, state, self.week * 7 - 3)
        contacting.contact(nature, state, self.draws, acts, asked)
        deciding.live(nature, state, self.draws)
        contacting.calm(nature, state)
        state.week += 1
        self._book = None
        self._begin_week()

    def _begin_week(self) -> None:
        nature, state = self.nature, self.state
        monday = state.week * 7 - 3
        active = state.active
        paid = (state.paid[active] != NEVER) & (state.paid[active] < monday)
        active = active[~paid & (state.written_off[active] == NEVER)]
        until = monday - 7 * nature.world.span.follow_weeks
        old = active[(nature.orders.due[active] <= until) & (state.handed_over[active] == NEVER)]
        state.handed_over[old] = monday
        state.active = np.concatenate([active, self._arrivals()])

    def _arrivals(self) -> Ints:
        """The orders of the week: fewer after a complaint or with signs of insolvency.

        What is lost to a complaint lives on unseen, so that it costs its margin and nothing else: neither its bad debt
        is saved nor the purse of its payer.
        """
        nature, state, week = self.nature, self.state, self.week
        end = int(np.searchsorted(self._issue_week, week, side="right"))
        rows = np.arange(state.arrived, end)
        state.arrived = end
        if self._followed is not None:
            rows = rows[self._followed[nature.invoice_point[rows]]]
        owner, codes = nature.invoice_point[rows], nature.orders.codes[rows]
        signs = (nature.inboxes.signs_week[owner] <= week) & (nature.inboxes.signs_week[owner] < FAR)
        fewer = signs & (self.draws.uniform("fewer orders", codes, 0) >= nature.world.failing.signs_orders)
        dead = nature.inboxes.fails_week[owner] <= week
        angry = state.complained_until[owner] > week
        churned = angry & (self.draws.uniform("lost orders", codes, 0) >= nature.world.annoyance.orders)
        state.churned[rows] = churned & ~fewer & ~dead
        state.placed[rows] = ~fewer & ~dead & ~churned
        return rows[state.placed[rows] | state.churned[rows]]
