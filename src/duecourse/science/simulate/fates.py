"""What becomes of each invoice: disputed, promised, decided, paid in one or two parts, or written off.

The payers live week by week. Inside a week the order is: disputes open or are resolved (Monday), write-off, decision,
and the promise given in a call to a payer who is still undecided. Every draw is keyed by (stream, invoice or customer,
week), so that a mechanism switched on or off moves no other draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import uniform
from duecourse.science.simulate.customers import Codes, Customers, choose
from duecourse.science.simulate.hazards import (
    Decidable,
    PayerParameters,
    decidable,
    decide_hazard,
    dispute_chance,
    is_called,
    payer_parameters,
    write_off_chance,
)
from duecourse.science.simulate.orders import Orders, paired
from duecourse.science.simulate.pay_calendar import DAILY, REMAINDER_WEEKS, Floats, Ints, PayCalendar, week_of
from duecourse.science.simulate.world import World

NEVER = -1
NOT_DISPUTED, DISPUTED, RESOLVED = 0, 1, 2


@dataclass(frozen=True)
class Promised:
    """Promises per invoice, in order of time: invoice row, day of the call, promised day, and whether it is kept."""

    invoice: Ints
    called_on: Ints
    due_on: Ints
    kept: Ints


@dataclass(frozen=True)
class Fates:
    """One entry per invoice, day numbers, NEVER (-1) where it does not happen.

    ``received`` and ``posted`` are arrival and application of the first (or only) payment, ``rest_received`` and
    ``rest_posted`` those of the second, ``part`` the share paid first (1 for one payment), ``cleared`` the day on
    which the last cash is applied. ``dispute_opened`` and ``dispute_resolved`` are Mondays.
    """

    decided: Ints
    received: Ints
    posted: Ints
    part: Floats
    rest_received: Ints
    rest_posted: Ints
    cleared: Ints
    written_off: Ints
    dispute_opened: Ints
    dispute_resolved: Ints
    promised: Promised


@dataclass
class _Course:
    """The state of all invoices while the weeks go by."""

    decided: Ints
    run_day: Ints
    by_promise: Ints
    written_off: Ints
    dispute: Ints
    dispute_opened: Ints
    dispute_resolved: Ints
    promises: list[tuple[Ints, Ints, Ints, Ints]]


def live_through(world: World, customers: Customers, orders: Orders, calendar: PayCalendar, *, seed: int) -> Fates:
    """The fates of all invoices, also of those that are decided long after the book ends."""
    if world.process == "exponential":
        return _exponential(world, customers, orders, seed)
    count = orders.customer.size
    never = np.full(count, NEVER, dtype=np.int64)
    course = _Course(
        never.copy(), never.copy(), np.zeros(count, np.int64), never.copy(), np.zeros(count, np.int64), never.copy(),
        never.copy(), [],
    )  # fmt: skip
    invoices = decidable(world, orders.issued, orders.due)
    weeks = _Weeks(world, customers, orders, calendar, seed)
    active = np.zeros(0, dtype=np.int64)
    begun = 0
    last_week = int(invoices.first_week.max(initial=0)) + world.payer.max_weeks
    for week in range(calendar.first_week, last_week + 1):
        until = int(np.searchsorted(invoices.first_week, week, side="right"))
        active = np.concatenate([active, np.arange(begun, until)])
        begun = until
        active = weeks.live(course, invoices, active, week)
    return _payments(world, customers, orders, calendar, course=course, seed=seed)


@dataclass(frozen=True)
class _Weeks:
    world: World
    customers: Customers
    orders: Orders
    calendar: PayCalendar
    seed: int

    def live(self, course: _Course, invoices: Decidable, active: Ints, week: int) -> Ints:
        """One week of the undecided invoices ``active``; returns those that stay undecided."""
        world, codes = self.world, self.orders.codes[active]
        owner = self.orders.customer[active]
        who = payer_parameters(world, self.customers.kind[owner], self.customers.intercept[owner])
        these = Decidable(invoices.due[active], invoices.first_week[active], invoices.early_weeks[active])
        self._dispute(course, who, these, active, week=week)
        old = week - these.first_week >= world.payer.max_weeks
        lost = old | (uniform(self.seed, "write-off", codes, week) < write_off_chance(world, who, these.due, week))
        course.written_off[active[lost]] = week * 7 - 3 + 4
        hazard = decide_hazard(world, self.calendar, who, these, week)
        hazard = np.where(course.dispute[active] == DISPUTED, hazard * world.disputing.hazard, hazard)
        decides = ~lost & (uniform(self.seed, "decide", codes, week) < hazard)
        day = week * 7 - 3 + (5 * uniform(self.seed, "decision day", codes, week)).astype(np.int64)
        schedule = self.customers.schedule[owner]
        course.decided[active[decides]] = day[decides]
        course.run_day[active[decides]] = self.calendar.run[schedule, day - self.calendar.first_day][decides]
        called = ~lost & ~decides & is_called(world, these.due, week) & (course.dispute[active] != DISPUTED)
        decides[called] |= self._call(course, active[called], week)
        return active[~lost & ~decides]

    def _dispute(self, course: _Course, who: PayerParameters, these: Decidable, active: Ints, *, week: int) -> None:
        draws = uniform(self.seed, "dispute", self.orders.codes[active], week)
        state = course.dispute[active]
        opens = (state == NOT_DISPUTED) & (draws < dispute_chance(self.world, who, these.first_week, week))
        ends = (state == DISPUTED) & (draws < self.world.disputing.resolved_per_week)
        course.dispute[active[opens]], course.dispute[active[ends]] = DISPUTED, RESOLVED
        course.dispute_opened[active[opens]] = week * 7 - 3
        course.dispute_resolved[active[ends]] = week * 7 - 3

    def _call(self, course: _Course, called: Ints, week: int) -> npt.NDArray[np.bool_]:
        """One call per customer about all ``called`` invoices; returns True for those whose promise will be kept."""
        customers, seed = self.customers, self.seed
        owner = self.orders.customer[called]
        codes = customers.codes[owner]
        reached = is_reached(self.world, seed, codes, week)
        promises = reached & (uniform(seed, "promise", codes, week) < self.world.contacting.promise)
        who = payer_parameters(self.world, customers.kind[owner], customers.intercept[owner])
        # Kept or not is drawn per invoice: a promise for several invoices may be kept for some of them.
        keeps = promises & (uniform(seed, "kept", self.orders.codes[called], week) < who.promise_kept)
        ahead = (10 * uniform(seed, "promised day", codes, week)).astype(np.int64)
        due = week * 7 - 3 + 7 + ahead + 2 * (ahead >= 5)
        call = week * 7 - 3 + customers.call_weekday[owner]
        course.promises.append((called[promises], call[promises], due[promises], keeps[promises].astype(np.int64)))
        kept = called[keeps]
        course.decided[kept] = call[keeps]
        course.by_promise[kept] = 1
        course.run_day[kept] = self.calendar.run[DAILY, due[keeps] - self.calendar.first_day]
        return keeps


def is_reached(world: World, seed: int, customer_codes: Codes, week: int) -> npt.NDArray[np.bool_]:
    """Whether the call to these customers in that week reaches somebody."""
    reached: npt.NDArray[np.bool_] = uniform(seed, "reach", customer_codes, week) < world.contacting.reached
    return reached


def _payments(
    world: World, customers: Customers, orders: Orders, calendar: PayCalendar, *, course: _Course, seed: int
) -> Fates:
    decided = course.decided != NEVER
    owner = orders.customer
    received, posted = arrival(world, calendar, customers.codes[owner], course.run_day, seed=seed)
    split = (uniform(seed, "part", orders.codes) < world.cash.part) & decided & (course.by_promise == 0)
    ahead = np.array(REMAINDER_WEEKS)[(len(REMAINDER_WEEKS) * uniform(seed, "rest week", orders.codes)).astype(int)]
    rest_day = (week_of(posted) + ahead) * 7 - 3 + (5 * uniform(seed, "rest day", orders.codes)).astype(np.int64)
    at = np.where(split, rest_day - calendar.first_day, 0)
    rest_run = np.where(split, calendar.run[customers.schedule[owner], at], NEVER)
    rest_received, rest_posted = arrival(world, calendar, customers.codes[owner], rest_run, seed=seed)
    first_share = np.where(split, 0.3 + 0.6 * uniform(seed, "part share", orders.codes), 1.0)
    parts = [np.concatenate(column) for column in zip(*course.promises, strict=True)]
    empty = np.zeros(0, dtype=np.int64)
    promised = Promised(*parts) if parts else Promised(empty, empty, empty, empty)
    return Fates(
        decided=course.decided, received=received, posted=posted, part=first_share, rest_received=rest_received,
        rest_posted=rest_posted, cleared=np.where(split, rest_posted, posted), written_off=course.written_off,
        dispute_opened=course.dispute_opened, dispute_resolved=course.dispute_resolved, promised=promised,
    )  # fmt: skip


def arrival(
    world: World, calendar: PayCalendar, customer_codes: Codes, run_day: Ints, *, seed: int
) -> tuple[Ints, Ints]:
    """Arrival and posting of what left on ``run_day``; one draw per customer and run, since it is one payment."""
    paid = run_day != NEVER
    safe_day = np.where(paid, run_day, calendar.first_day)
    codes = paired(customer_codes, safe_day)
    bank = world.bank
    received = calendar.after_bank(safe_day, choose(uniform(seed, "bank", codes), list(bank.business_days)))
    span = bank.unapplied_to_days - bank.unapplied_from_days + 1
    wait = bank.unapplied_from_days + (span * uniform(seed, "unapplied days", codes)).astype(np.int64)
    waits = uniform(seed, "unapplied", codes) < bank.unapplied
    posted = calendar.next_business[np.where(waits, received + wait, received) - calendar.first_day]
    return np.where(paid, received, NEVER), np.where(paid, posted, NEVER)


def _exponential(world: World, customers: Customers, orders: Orders, seed: int) -> Fates:
    rates = np.array([kind.rate_per_day for kind in world.types.values()])[customers.kind[orders.customer]]
    draws = uniform(seed, "exponential", orders.codes)
    cleared = orders.issued + 1 + np.floor(-np.log1p(-draws) / rates).astype(np.int64)
    never = np.full(cleared.size, NEVER, dtype=np.int64)
    empty = np.zeros(0, dtype=np.int64)
    return Fates(
        decided=cleared, received=cleared, posted=cleared, part=np.ones(cleared.size), rest_received=never,
        rest_posted=never, cleared=cleared, written_off=never, dispute_opened=never, dispute_resolved=never,
        promised=Promised(empty, empty, empty, empty),
    )  # fmt: skip
