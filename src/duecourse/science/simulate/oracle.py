"""``true_cdf``: when simulated invoices are paid, as exactly as it can be known, for tests and benchmarks.

Two kinds of knowledge. ``all``: the parameters of every payer (type, intercept, pay-run) are known, chance that has
not yet fallen is not. ``observables``: only the world's parameters and what the ledger shows are known; type,
intercept and pay-run of each customer are inferred from its whole visible history (``payers``). Both condition on
the invoice being open and on its own disputes, promises and part payment, and on no fact from the day of looking on.
Not used, because it tells very little: which other invoices of the same pay-run have arrived already, and answered
calls that brought no promise.

    F(j) = sum_w P(decided in w | seen) P(s <= paid <= s + j | decided in w) / P(open at s | seen)

by convolution of the decision hazard with pay-run, bank, unapplied days and part payments; nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from duecourse.science.simulate.chain import Chain, seen_before
from duecourse.science.simulate.company import Truth
from duecourse.science.simulate.exponential import exponential_cdf
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.hazards import PayerParameters, decidable, payer_parameters
from duecourse.science.simulate.pay_calendar import (
    DAILY,
    FIRST_WIDTH,
    LAG_WIDTH,
    SCHEDULES,
    Floats,
    Ints,
    PayCalendar,
    cleared_by_parts,
    day_number,
    week_of,
)
from duecourse.science.simulate.payers import PayerBelief, first_payment_mass, payer_grid, rest_survival

BLOCK = 1_000
Knows = Literal["all", "observables"]


def true_cdf(
    truth: Truth, invoice_ids: list[str], as_of: date | Ints, *, knows: Knows = "all", horizon: int = 178
) -> Floats:
    """P(paid on or before day s + j | open at the start of s), shape (len(invoice_ids), horizon), j = 0 is s itself.

    ``as_of`` is one day s for all, or an array of day numbers (days since 1970-01-01), one per invoice; each must be
    on or after the invoice's issue day. Raises ValueError for an invoice that is not open at its day, KeyError for an
    unknown id.
    """
    rows = truth.rows(invoice_ids)
    looking = np.full(rows.size, day_number(as_of), dtype=np.int64) if isinstance(as_of, date) else as_of
    _check_open(truth, rows, looking)
    world = truth.company.world
    if world.process == "exponential":
        return exponential_cdf(truth, rows, looking, knows_payer=knows == "all", horizon=horizon)
    belief = None
    if knows == "observables":
        belief = PayerBelief(truth, payer_grid(world), customers=truth.company.orders.customer[rows])
    result = np.empty((rows.size, horizon))
    for day in np.unique(looking).tolist():
        tables = _tables(truth, day, horizon)
        at = np.flatnonzero(looking == day)
        if belief is None:
            for block in (at[start : start + BLOCK] for start in range(0, at.size, BLOCK)):
                result[block] = _knowing_payers(truth, tables, rows[block])
        else:
            result[at] = _from_history(truth, tables, rows[at], belief)
    return result


def _check_open(truth: Truth, rows: Ints, looking: Ints) -> None:
    orders, fates = truth.company.orders, truth.company.fates
    closed = np.where(fates.cleared[rows] != NEVER, fates.cleared[rows], fates.written_off[rows])
    wrong = np.flatnonzero((orders.issued[rows] > looking) | (closed < looking))
    if wrong.size:
        raise ValueError(f"invoice {orders.ids[rows[wrong[0]]]} is not open on its day ({wrong.size} such invoices)")


@dataclass(frozen=True)
class _Tables:
    """P(posted) seen from the start of ``day``: ``still[week, schedule]`` not posted before, and cumulated curves.

    ``paid[schedule, week, j]`` posted in s..s+j | decided in week; ``promised[week, j]`` the same by a promise.
    """

    day: int
    first_week: int
    still: Floats
    paid: Floats
    promised: Floats


def _tables(truth: Truth, day: int, horizon: int) -> _Tables:
    calendar, world = truth.calendar, truth.company.world
    weeks = calendar.weeks
    monday = calendar.first_day + 7 * np.arange(weeks)
    posted = monday[:, None] + np.arange(FIRST_WIDTH)
    cut = calendar.first * (posted >= day)
    full = cleared_by_parts(cut, calendar.rest, world.cash.part)
    paid = _seen_from(full, monday, day, horizon)
    daily = _seen_from(calendar.first[DAILY][None], monday, day, horizon)[0]
    promised = np.zeros((weeks, horizon))
    promised[:-2] = (daily[1:-1] + daily[2:]) / 2  # a promise names a weekday of the next two weeks
    return _Tables(day, calendar.first_week, cut.sum(axis=2).T, paid, promised)


def _seen_from(table: Floats, monday: Ints, day: int, horizon: int) -> Floats:
    """Cumulated over days s .. s + horizon - 1; shape (schedules, weeks, horizon)."""
    width = table.shape[2]
    total = np.concatenate([np.zeros((*table.shape[:2], 1)), np.cumsum(table, axis=2)], axis=2)
    offset = np.clip(day - monday[:, None] + 1 + np.arange(-1, horizon)[None, :], 0, width)
    at = np.arange(monday.size)[:, None]
    cumulated: Floats = total[:, at, offset]
    return cumulated[:, :, 1:] - cumulated[:, :, :1]


@dataclass(frozen=True)
class _Masses:
    """The chain of open invoices, stacked by week: (n, weeks, candidates), and what a seen promise holds."""

    weeks: slice
    decided: Floats
    promised: Floats
    dated: Floats
    dated_still: Floats
    dated_paid: Floats
    left: Floats


def _masses(truth: Truth, tables: _Tables, rows: Ints, who: PayerParameters) -> _Masses:
    company, calendar = truth.company, truth.calendar
    invoices = decidable(company.world, company.orders.issued, company.orders.due)
    looking = np.full(rows.size, tables.day, dtype=np.int64)
    weekday = company.customers.call_weekday[company.orders.customer[rows]]
    seen = seen_before(company.fates, invoices, rows=rows, looking=looking, call_weekday=weekday)
    chain = Chain(company.world, calendar, who, seen)
    first = int(seen.invoices.first_week.min())
    horizon = tables.paid.shape[2]
    last = min((tables.day + horizon + 3) // 7, calendar.first_week + calendar.weeks - 4)
    decided = np.zeros((rows.size, last - first + 1, who.intercept.shape[-1]))
    promised = np.zeros_like(decided)
    for week in range(first, last + 1):
        step = chain.step(week)
        at = week - first
        decided[step.impossible, :at] = 0.0
        decided[:, at] = step.decided * ~step.impossible_now[:, None]
        promised[:, at] = step.promised
    still, paid = _promise_tables(calendar, seen.promise_due, tables.day, horizon)
    start = first - calendar.first_week
    return _Masses(slice(start, start + decided.shape[1]), decided, promised, chain.dated, still, paid, chain.left)


def _promise_tables(calendar: PayCalendar, due: Ints, day: int, horizon: int) -> tuple[Floats, Floats]:
    """Of payments promised for ``due`` (n, promises): P(not posted before ``day``) and the cumulated curve after it."""
    known = due != NEVER
    total = np.concatenate([np.zeros((calendar.lag.shape[0], 1)), np.cumsum(calendar.lag, axis=1)], axis=1)
    at = np.where(known, due - calendar.first_day, 0)
    offset = np.clip(day - due[:, :, None] + np.arange(horizon + 1), 0, LAG_WIDTH)
    cumulated = total[at[:, :, None], offset] * known[:, :, None]
    return known - cumulated[:, :, 0], cumulated[:, :, 1:] - cumulated[:, :, :1]


def _open_chance(masses: _Masses, tables: _Tables) -> Floats:
    """P(open at s and what was seen | candidate, schedule), shape (n, candidates, schedules)."""
    still = tables.still[masses.weeks]
    by_run = np.einsum("nwt,wr->ntr", masses.decided, still, optimize=True)
    other = masses.left + masses.promised.sum(axis=1) + (masses.dated * masses.dated_still[:, :, None]).sum(axis=1)
    chance: Floats = by_run + other[:, :, None]
    return chance


def _curves(masses: _Masses, tables: _Tables, weights: Floats) -> Floats:
    """Curves mixed by ``weights`` = belief / open chance, shape (n, candidates, schedules)."""
    paid = tables.paid[:, masses.weeks]
    by_candidate = weights.sum(axis=2)
    decided = np.einsum("nwt,ntr->nrw", masses.decided, weights, optimize=True)
    curves = decided.reshape(decided.shape[0], -1) @ paid.reshape(-1, paid.shape[2])
    promised = np.einsum("nwt,nt->nw", masses.promised, by_candidate, optimize=True)
    curves += promised @ tables.promised[masses.weeks]
    dated = np.einsum("npt,nt->np", masses.dated, by_candidate, optimize=True)
    curves += (dated[:, :, None] * masses.dated_paid).sum(axis=1)
    result: Floats = np.clip(curves, 0.0, 1.0)
    return result


def _knowing_payers(truth: Truth, tables: _Tables, rows: Ints) -> Floats:
    company = truth.company
    owner = company.orders.customer[rows]
    schedule = company.customers.schedule[owner]
    kind, intercept = company.customers.kind[owner], company.customers.intercept[owner]
    masses = _masses(truth, tables, rows, payer_parameters(company.world, kind[:, None], intercept[:, None]))
    own = np.zeros((rows.size, 1, SCHEDULES))
    own[np.arange(rows.size), 0, schedule] = 1.0
    chance = _open_chance(masses, tables)
    curves = _curves(masses, tables, np.divide(own, chance, out=np.zeros_like(own), where=chance > 0))
    part = _part_seen(truth, rows, tables.day)
    if part.any():
        belief = np.zeros((int(part.sum()), SCHEDULES))
        belief[np.arange(belief.shape[0]), schedule[part]] = 1.0
        curves[part] = _rest_curves(truth, tables, rows[part], belief)
    return curves


def _from_history(truth: Truth, tables: _Tables, rows: Ints, belief: PayerBelief) -> Floats:
    """Curves of ``rows`` with the payers inferred from everything seen of their customers before the day."""
    company = truth.company
    belief.learn_until(tables.day)
    followed = np.flatnonzero(belief.place[company.orders.customer] != NEVER)
    fates = company.fates
    closed = np.where(fates.cleared != NEVER, fates.cleared, fates.written_off)[followed]
    is_open = (company.orders.issued[followed] <= tables.day) & (closed >= tables.day)
    open_rows = followed[is_open]
    posterior = belief.log_belief.copy()
    for start in range(0, open_rows.size, BLOCK):
        block = open_rows[start : start + BLOCK]
        chance = _open_likelihood(truth, tables, block, belief.grid.who)
        np.add.at(posterior, belief.place[company.orders.customer[block]], np.log(np.maximum(chance, 1e-300)))
    posterior = np.exp(posterior - posterior.max(axis=(1, 2), keepdims=True))
    posterior /= posterior.sum(axis=(1, 2), keepdims=True)
    result = np.empty((rows.size, tables.paid.shape[2]))
    for start in range(0, rows.size, BLOCK):
        block = rows[start : start + BLOCK]
        of_customer = posterior[belief.place[company.orders.customer[block]]]
        masses = _masses(truth, tables, block, belief.grid.who)
        chance = _open_chance(masses, tables)
        weights = np.divide(of_customer, chance, out=np.zeros_like(chance), where=chance > 0)
        curves = _curves(masses, tables, weights)
        part = _part_seen(truth, block, tables.day)
        if part.any():
            curves[part] = _rest_curves(truth, tables, block[part], of_customer[part].sum(axis=1))
        result[start : start + BLOCK] = curves
    return result


def _open_likelihood(truth: Truth, tables: _Tables, rows: Ints, who: PayerParameters) -> Floats:
    chance = _open_chance(_masses(truth, tables, rows, who), tables)
    part = _part_seen(truth, rows, tables.day)
    if part.any():
        split, posted = rows[part], truth.company.fates.posted[rows[part]]
        regular, _, _ = first_payment_mass(truth, who, split, looking=posted + 1, posted=posted)
        chance[part] = regular * rest_survival(truth.calendar, posted, tables.day)[:, None, :]
    return chance


def _part_seen(truth: Truth, rows: Ints, day: int) -> npt.NDArray[np.bool_]:
    fates = truth.company.fates
    part: npt.NDArray[np.bool_] = (fates.part[rows] < 1) & (fates.posted[rows] < day) & (fates.posted[rows] != NEVER)
    return part


def _rest_curves(truth: Truth, tables: _Tables, rows: Ints, belief: Floats) -> Floats:
    """Curves of invoices whose first part was seen; ``belief`` over schedules (n, schedules)."""
    calendar = truth.calendar
    week = week_of(truth.company.fates.posted[rows])
    monday = week * 7 - 3
    rest = calendar.rest[:, week - calendar.first_week]
    curves = _seen_from(rest, monday, tables.day, tables.paid.shape[2])
    still = rest_survival(calendar, truth.company.fates.posted[rows], tables.day)
    weights = np.divide(belief, still, out=np.zeros_like(belief), where=still > 0)
    mixed: Floats = np.einsum("rnj,nr->nj", curves, weights)
    return np.clip(mixed, 0.0, 1.0)
