"""What the visible history says about each payer: type, intercept and pay-run by Bayes' rule on a grid.

The likelihood of a closed invoice is the mass of the exact chain (``chain``) that ends on the day on which it was
paid, under each candidate payer and schedule. Invoices that one payment settled share one bank delay: it is counted
once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.simulate.chain import Chain, seen_before
from duecourse.science.simulate.company import Truth
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.hazards import PayerParameters, decidable, payer_parameters
from duecourse.science.simulate.pay_calendar import (
    FIRST_FORTNIGHTLY,
    FIRST_WEEKLY,
    FIRST_WIDTH,
    LAG_WIDTH,
    MONTH_END,
    REST_WIDTH,
    SCHEDULES,
    Floats,
    Ints,
    PayCalendar,
    week_of,
)
from duecourse.science.simulate.world import World

INTERCEPTS = 7
BLOCK = 1_000
SMALLEST = 1e-300


@dataclass(frozen=True)
class PayerGrid:
    """Candidate payers: parameters of shape (1, candidates) and the log prior of (candidate, schedule)."""

    who: PayerParameters
    log_prior: Floats


def payer_grid(world: World) -> PayerGrid:
    """All types x 7 Gauss-Hermite intercepts, and all schedules, with the prior that the world draws from."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(INTERCEPTS)
    kinds = np.repeat(np.arange(len(world.types)), INTERCEPTS)
    mix = np.repeat([kind.mix for kind in world.types.values()], INTERCEPTS)
    prior = mix * np.tile(weights / weights.sum(), len(world.types))
    intercept = np.tile(nodes * world.payer.intercept_sd, len(world.types))
    schedules = np.full(SCHEDULES, world.runs.daily)
    schedules[FIRST_WEEKLY:FIRST_FORTNIGHTLY] = world.runs.weekly / 5
    schedules[FIRST_FORTNIGHTLY:MONTH_END] = world.runs.fortnightly / 10
    schedules[MONTH_END] = world.runs.month_end
    joint = np.maximum(prior[:, None] * schedules[None, :], SMALLEST)
    return PayerGrid(payer_parameters(world, kinds[None, :], intercept[None, :]), np.log(joint))


def shared_delay(calendar: PayCalendar) -> Floats:
    """P(posted on day t | the pay-runs of the schedule), summed over its runs, shape (schedule, day)."""
    size = calendar.lag.shape[0]
    total = np.zeros((SCHEDULES, size + LAG_WIDTH))
    for schedule in range(SCHEDULES):
        runs = np.unique(calendar.run[schedule]) - calendar.first_day
        runs = runs[runs < size]
        np.add.at(total[schedule], runs[:, None] + np.arange(LAG_WIDTH), calendar.lag[runs])
    return total[:, :size]


class PayerBelief:
    """Log evidence per customer, candidate and schedule, from the invoices closed before the day learnt until.

    Customers are numbered by ``place`` (customer index -> row of ``log_belief``, NEVER where not followed).
    """

    def __init__(self, truth: Truth, grid: PayerGrid, *, customers: Ints) -> None:
        followed = np.unique(customers)
        company = truth.company
        self.grid = grid
        self.place = np.full(len(company.customers.ids), NEVER, dtype=np.int64)
        self.place[followed] = np.arange(followed.size)
        self.log_belief = np.repeat(grid.log_prior[None], followed.size, axis=0)
        self._truth = truth
        self._rows = np.flatnonzero(self.place[company.orders.customer] != NEVER)
        fates = company.fates
        self._closed = np.where(fates.cleared != NEVER, fates.cleared, fates.written_off)[self._rows]
        self._delay = shared_delay(truth.calendar)
        self._known_until = np.iinfo(np.int64).min

    def learn_until(self, day: int) -> None:
        """Take in every invoice closed before ``day``; days must not go back."""
        new = self._rows[(self._closed < day) & (self._closed >= self._known_until)]
        self._known_until = day
        owner = self._truth.company.orders.customer
        for start in range(0, new.size, BLOCK):
            rows = new[start : start + BLOCK]
            chance = closed_likelihood(self._truth, self.grid, rows, self._delay)
            np.add.at(self.log_belief, self.place[owner[rows]], np.log(np.maximum(chance, SMALLEST)))


def closed_likelihood(truth: Truth, grid: PayerGrid, rows: Ints, delay: Floats) -> Floats:
    """P(what was seen of each closed invoice | candidate, schedule), shape (n, candidates, schedules)."""
    company, calendar = truth.company, truth.calendar
    fates, world = company.fates, company.world
    lost = fates.written_off[rows] != NEVER
    looking = np.where(lost, fates.written_off[rows], fates.cleared[rows] + 1)
    first_posted = np.where(lost, NEVER, fates.posted[rows])
    regular, dated, gone = first_payment_mass(truth, grid.who, rows, looking=looking, posted=first_posted)
    split = fates.part[rows] < 1
    regular *= np.where(split, world.cash.part, 1 - world.cash.part)[:, None, None]
    dated = dated * ~split[:, None]
    follower = _follows(company.orders.customer[rows], first_posted) & ~lost
    shared = delay[:, first_posted[follower] - calendar.first_day].T[:, None, :]
    regular[follower] = np.divide(regular[follower], shared, out=np.zeros_like(regular[follower]), where=shared > 0)
    if split.any():
        week = week_of(first_posted[split])
        offset = fates.cleared[rows][split] - (week * 7 - 3)
        regular[split] *= calendar.rest[:, week - calendar.first_week, offset].T[:, None, :]
    total: Floats = regular + dated[:, :, None]
    total[lost] = gone[lost][:, :, None]
    return total


def _follows(customer: Ints, posted: Ints) -> Ints:
    """True for every invoice but the first of each (customer, posting day)."""
    key = customer * 1_000_000 + posted
    _, first = np.unique(key, return_index=True)
    follows = np.ones(key.size, dtype=bool)
    follows[first] = False
    return follows


def first_payment_mass(
    truth: Truth, who: PayerParameters, rows: Ints, *, looking: Ints, posted: Ints
) -> tuple[Floats, Floats, Floats]:
    """P(first payment posted on ``posted`` and what was seen before ``looking``), by the way it came about.

    Returns by pay-run (n, candidates, schedules), by a kept promise (n, candidates), and the mass written off in the
    week of ``looking`` (n, candidates). ``posted`` may be NEVER.
    """
    company, calendar = truth.company, truth.calendar
    orders = company.orders
    invoices = decidable(company.world, orders.issued, orders.due)
    owner = orders.customer[rows]
    seen = seen_before(
        company.fates, invoices, rows=rows, looking=looking, call_weekday=company.customers.call_weekday[owner]
    )
    chain = Chain(company.world, calendar, who, seen)
    candidates = who.intercept.shape[-1]
    regular = np.zeros((rows.size, candidates, SCHEDULES))
    gone = np.zeros((rows.size, candidates))
    last_week = week_of(looking)
    for week in range(int(seen.invoices.first_week.min()), int(last_week.max()) + 1):
        masses = chain.step(week)
        offset = posted - (week * 7 - 3)
        regular *= ~masses.impossible[:, None, None]
        inside = (posted != NEVER) & (offset >= 0) & (offset < FIRST_WIDTH) & ~masses.impossible_now
        at = calendar.first[:, week - calendar.first_week, offset[inside]].T
        regular[inside] += masses.decided[inside][:, :, None] * at[:, None, :]
        ended = week == last_week
        gone[ended] = chain.lost[ended]
    return regular, _dated_mass(calendar, chain, seen.promise_due, posted), gone


def _dated_mass(calendar: PayCalendar, chain: Chain, promise_due: Ints, posted: Ints) -> Floats:
    """Mass of a kept promise that was posted on that day, (n, candidates)."""
    offset = posted[:, None] - promise_due
    possible = (promise_due != NEVER) & (posted[:, None] != NEVER) & (offset >= 0) & (offset < LAG_WIDTH)
    day = np.where(possible, promise_due - calendar.first_day, 0)
    lag = np.where(possible, calendar.lag[day, np.where(possible, offset, 0)], 0.0)
    mass: Floats = (chain.dated * lag[:, :, None]).sum(axis=1)
    return mass


def rest_survival(calendar: PayCalendar, first_posted: Ints, day: int) -> Floats:
    """P(the rest of a part payment is posted on ``day`` or later), shape (n, schedules)."""
    week = week_of(first_posted)
    before = np.cumsum(calendar.rest[:, week - calendar.first_week], axis=2)
    offset = np.clip(day - 1 - (week * 7 - 3), 0, REST_WIDTH - 1)
    survival: Floats = 1 - before[:, np.arange(week.size), offset].T
    return survival
