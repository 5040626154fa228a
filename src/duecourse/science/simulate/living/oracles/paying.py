"""The weekly chance of being paid by type, arm and age, fitted on a random log with the types known.

    logit P(paid this week | type, overdue, asked for) = age bin + month phase + sum over arms of effect x exposure

``fit_paying`` runs the world itself with random contacts on its own seed; only oracles may use it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.book import Book, Capacity, Decided
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.oracles.watching import LAGS, Watch, asked_before, month_phase
from duecourse.science.simulate.living.policies.simple import RandomLog
from duecourse.science.simulate.living.spec import Living
from duecourse.science.simulate.living.state import State
from duecourse.science.simulate.living.world import LivingWorld
from duecourse.science.simulate.pay_calendar import Floats, Ints

AGE_STARTS = np.array([0, 1, 2, 3, 4, 5, 6, 8, 11, 15, 20])  # weeks overdue at which an age bin begins
PHASES = 3
RIDGE = 1.0
STEPS = 30
LOG_CUSTOMERS, LOG_WEEKS = 12_000, 78
TRAINING_SEED = 900_001


@dataclass(frozen=True)
class Paying:
    """Per type: ``age`` (types, bins), ``phase`` (types, PHASES), ``effect`` (types, ARMS), all log-odds.

    ``late`` (types,) is the share of invoices that become overdue, ``mix`` the share of contact points.
    """

    age: Floats
    phase: Floats
    effect: Floats
    late: Floats
    mix: Floats

    def logit(self, weeks_overdue: Ints, week: int) -> Floats:
        """Log-odds of being paid in ``week`` without exposure, shape (n, types)."""
        bins = age_bin(weeks_overdue)
        return self.age[:, bins].T + self.phase[:, month_phase(week)]


def age_bin(weeks_overdue: Ints) -> Ints:
    """The age bin of each invoice."""
    return np.searchsorted(AGE_STARTS, np.maximum(weeks_overdue, 0), side="right") - 1


@dataclass(frozen=True)
class Row:
    """Overdue, collectible invoices on a Monday: rows of the book, contact points, days late, weeks overdue."""

    invoice: Ints
    point: Ints
    days_late: Ints

    @property
    def weeks(self) -> Ints:
        """Whole weeks overdue; 0 from the first day late on."""
        return (self.days_late - 1) // 7


def overdue_rows(book: Book) -> Row:
    """The invoices of the book that are overdue and may be asked for."""
    late = book.as_of - book.due
    at = np.flatnonzero((book.collectible_minor > 0) & (late > 0))
    return Row(at, book.point[at], late[at])


def exposure(watch: Watch, row: Row, listed_before: int, *, ahead: int = 0) -> Floats:
    """Exposure (n, ARMS) of the invoices from contacts before today, ``ahead`` weeks from now.

    ``row`` is as of the watch's book. With ``ahead`` = 0 this is what acts in the week that now begins.
    """
    total = np.zeros((row.point.size, len(ARMS)))
    for back in range(1, LAGS - ahead):
        asked = asked_before(row.days_late, back, listed_before)
        total += watch.kernel[back + ahead] * asked[:, None] * watch.past[back - 1][row.point]
    return total


class _Recorder:
    """A random policy that keeps, per week, the overdue invoices and what they were exposed to in that week."""

    def __init__(self, world: Living) -> None:
        self.policy = RandomLog()
        self.world = world
        self.invoice: list[Ints] = []
        self.week: list[Ints] = []
        self.bins: list[Ints] = []
        self.seen: list[Floats] = []
        self._pending: tuple[Row, Floats, Ints] | None = None

    def begin(self, house: House) -> None:
        """A new run: forget what was watched, keep the records."""
        self._watch = Watch(self.world, house.nature.inboxes.count)
        self._state = house.state

    def __call__(self, book: Book, capacity: Capacity, seed: int) -> Decided:
        self._watch.see(book)
        self._finish(book.week - 1)
        row = overdue_rows(book)
        before = exposure(self._watch, row, self.world.rules.listed_before_days)
        visible = np.flatnonzero(self._state.placed[: np.searchsorted(self._issued, book.as_of)])
        self._pending = (row, before, visible[row.invoice])
        return self.policy(book, capacity, seed)

    def watch_orders(self, nature: Nature) -> None:
        """The days of issue, by which rows of a book are found among all orders."""
        self._issued = nature.orders.issued

    def _finish(self, week: int) -> None:
        """The contacts of the week that has passed act in it with the kernel's first value."""
        if self._pending is None:
            return
        row, before, numbers = self._pending
        now = self._watch.kernel[0] * self._watch.past[0][row.point]
        self.invoice.append(numbers)
        self.week.append(np.full(numbers.size, week))
        self.bins.append(age_bin(row.weeks))
        self.seen.append((before + now).astype(np.float32))
        self._pending = None


def fit_paying(world: Living, *, customers: int = LOG_CUSTOMERS, weeks: int = LOG_WEEKS, seed: int = TRAINING_SEED,
               more_calls: float = 3.0) -> Paying:  # fmt: skip
    """Fit on a random log of ``customers`` and ``weeks`` with ``more_calls`` times the calls, types known."""
    drifting = replace(world.drifting, break_week=-1)
    rules = replace(world.rules, calls_per_customer_week=more_calls * world.rules.calls_per_customer_week)
    wide = replace(
        world, company=replace(world.company, customers=customers), rules=rules, drifting=drifting,
        people=replace(world.people, deviate=0.0),
    )  # fmt: skip
    run = LivingWorld(wide, seed, weeks)
    recorder = _Recorder(wide)
    recorder.watch_orders(run.nature)
    house = run.lived(recorder)
    return _fit(run.nature, house.state, recorder)


def _fit(nature: Nature, state: State, log: _Recorder) -> Paying:
    invoice, week = np.concatenate(log.invoice), np.concatenate(log.week)
    bins, seen = np.concatenate(log.bins), np.concatenate(log.seen)
    paid_week = np.where(state.paid == NEVER, NEVER, (state.paid + 3) // 7)
    paid = (paid_week[invoice] == week).astype(np.float64)
    kind = nature.inboxes.kind[week - nature.first_week, nature.invoice_point[invoice]]
    phase = np.array([month_phase(each) for each in range(int(week.min()), int(week.max()) + 1)])[week - week.min()]
    types = len(nature.world.company.types)
    size = AGE_STARTS.size
    weights = np.zeros((types, size + PHASES + len(ARMS)))
    for each in range(types):
        own = np.flatnonzero(kind == each)
        design = np.zeros((own.size, weights.shape[1]))
        design[np.arange(own.size), bins[own]] = 1
        design[np.arange(own.size), size + phase[own]] = 1
        design[:, size + PHASES :] = seen[own]
        weights[each] = logistic(design, paid[own])
    return Paying(
        age=weights[:, :size], phase=weights[:, size : size + PHASES], effect=weights[:, size + PHASES :],
        late=_late_by_type(nature, state, types),
        mix=np.bincount(nature.inboxes.kind[0], minlength=types) / nature.inboxes.count,
    )  # fmt: skip


def _late_by_type(nature: Nature, state: State, types: int) -> Floats:
    due = nature.orders.due
    week = (due + 3) // 7
    rows = np.flatnonzero(state.placed & (week > nature.first_week + 10) & (week < nature.last_week - 26))
    kind = nature.inboxes.kind[week[rows] - nature.first_week, nature.invoice_point[rows]]
    late = (state.paid[rows] == NEVER) | (state.paid[rows] > due[rows])
    counts = np.bincount(kind, minlength=types)
    return (np.bincount(kind, late, minlength=types) + 1) / (counts + 2)


def logistic(design: Floats, y: Floats) -> Floats:
    """Ridge logistic regression by Newton's method, shape of a row of ``design``."""
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (y - chance) - RIDGE * weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(weights.size)
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights
