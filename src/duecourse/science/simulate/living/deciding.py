"""One week of the payers: they decide, run out of cash, pay on their days, or are written off.

    logit hazard = logit(hazard of the type) + intercept + drift + age + month end + season
                   + sum over lags of carry x strength x true effect        (``hazards.decide_hazard`` and exposure)

A decision falls on Tuesday to Friday, so that a contact of Monday acts from the next day on. One uniform number per
invoice and week decides: a higher hazard never pays later.
"""

from __future__ import annotations

import numpy as np

from duecourse.core.ids import uniform
from duecourse.science.simulate.fates import NEVER, arrival
from duecourse.science.simulate.hazards import (
    Decidable,
    PayerParameters,
    decide_hazard,
    payer_parameters,
    write_off_chance,
)
from duecourse.science.simulate.living import promises, quarrels
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import FAR, Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.state import DISPUTED, State
from duecourse.science.simulate.orders import paired
from duecourse.science.simulate.pay_calendar import REMAINDER_WEEKS, Floats, Ints, week_of


def pressure(nature: Nature, state: State, rows: Ints) -> Floats:
    """Sum of the carried effects on each invoice, log-odds: only contacts that asked for it or came when it was due."""
    theta = nature.theta(state.week)
    owner, due, issued = nature.invoice_point[rows], nature.orders.due[rows], nature.orders.issued[rows]
    before = nature.world.rules.listed_before_days
    total = np.zeros(rows.size)
    for lag, carry in enumerate(nature.world.effects.carry):
        per_point = carry * (state.exposure[lag] * theta).sum(axis=1)
        monday = (state.week - lag) * 7 - 3
        listed = (due <= monday + before) & (issued < monday) & state.placed[rows]
        total += np.where(listed, per_point[owner], 0.0)
    return total


def payers(nature: Nature, state: State, rows: Ints, extra: Floats) -> PayerParameters:
    """The payers of these invoices this week, with ``extra`` log-odds (pressure) added."""
    at, owner = state.week - nature.first_week, nature.invoice_point[rows]
    inboxes, failing, terms = nature.inboxes, nature.world.failing, nature.world.terms
    intercept = nature.customers.intercept[nature.orders.customer[rows]] + inboxes.drift[at, owner] + extra
    failing_soon = (inboxes.signs_week[owner] <= state.week) & (inboxes.signs_week[owner] < FAR)
    intercept = intercept + failing.signs_logit * failing_soon
    # Waiting begins the week after an offer, which itself still works.
    waits = (state.waiting_until[owner] >= state.week) & (state.last_offer[owner] < state.week * 7 - 3)
    return payer_parameters(nature.world.company, inboxes.kind[at, owner], intercept + terms.logit * waits)


def live(nature: Nature, state: State, draws: Draws) -> None:
    """Disputes, write-offs, decisions and payments of one week; ``state.active`` keeps what is still to be lived."""
    rows = state.active[(state.decided[state.active] == NEVER)]
    rows = rows[state.written_off[rows] == NEVER]
    these = Decidable(nature.decidable.due[rows], nature.decidable.first_week[rows], nature.decidable.early_weeks[rows])
    who = payers(nature, state, rows, pressure(nature, state, rows))
    quarrels.open_and_end(nature, state, draws, who, these, rows=rows)
    lost = _write_off(nature, state, draws, who, these, rows=rows)
    hazard = decide_hazard(nature.world.company, nature.calendar, who, these, state.week)
    hazard = np.where(state.dispute[rows] == DISPUTED, hazard * nature.world.company.disputing.hazard, hazard)
    decides = ~lost & (draws.uniform("decide", nature.orders.codes[rows], state.week) < hazard)
    decides &= affordable(nature, state, rows, decides)
    _pay(nature, state, draws, rows[decides])
    promises.promise(nature, state, draws, rows, decides=decides, hazard=hazard, kept=who.promise_kept)


def _write_off(
    nature: Nature, state: State, draws: Draws, who: PayerParameters, these: Decidable, *, rows: Ints
) -> Flags:
    company, week, owner = nature.world.company, state.week, nature.invoice_point[rows]
    chance = write_off_chance(company, who, these.due, week)
    old = week - these.first_week >= company.payer.max_weeks
    failed = nature.inboxes.fails_week[owner] <= week
    lost = old | failed | (draws.uniform("write-off", nature.orders.codes[rows], week) < chance)
    state.written_off[rows[lost]] = week * 7 - 3 + 4
    state.recovered[rows[failed]] = True
    gone = np.flatnonzero(nature.inboxes.fails_week == week)
    state.failed_known[gone] = week * 7 - 3
    return lost


def affordable(nature: Nature, state: State, rows: Ints, decides: Flags) -> Flags:
    """Whether payers of finite cash can pay what they decided: the oldest bill first, so one paid delays another."""
    purse, names = nature.world.purse, list(nature.world.company.types)
    can = np.ones(rows.size, dtype=bool)
    if not purse.on:
        return can
    kind = nature.inboxes.kind[state.week - nature.first_week]
    income = purse.income * nature.inboxes.weekly_bills
    state.purse = np.minimum(state.purse + income, purse.stock * income)
    tight = np.isin(kind, [names.index(each) for each in purse.kinds])
    wanted = np.flatnonzero(decides & tight[nature.invoice_point[rows]])
    owner, due = nature.invoice_point[rows[wanted]], nature.orders.due[rows[wanted]]
    order = np.lexsort((wanted, due, owner))
    wanted, owner = wanted[order], owner[order]
    major = nature.orders.amount_minor[rows[wanted]] / 100
    spent = np.cumsum(major)
    first = np.searchsorted(owner, owner, side="left")
    spent_here = spent - (spent[first] - major[first])
    # A bill above the whole stock is paid once the stock is full: it would never be paid otherwise.
    full = state.purse[owner] >= purse.stock * income[owner] - 1e-9
    pays = (spent_here <= state.purse[owner]) | (full & (spent_here == major))
    can[wanted[~pays]] = False
    state.purse -= np.bincount(owner[pays], major[pays], minlength=state.purse.size)
    state.purse = np.maximum(state.purse, 0.0)
    return can


def _pay(nature: Nature, state: State, draws: Draws, rows: Ints) -> None:
    """Decisions of the week become money with the next pay-run."""
    monday = state.week * 7 - 3
    day = monday + 1 + (4 * draws.uniform("decision day", nature.orders.codes[rows], state.week)).astype(np.int64)
    state.decided[rows] = day
    schedule = nature.inboxes.schedule[state.week - nature.first_week, nature.invoice_point[rows]]
    _arrive(nature, state, draws, rows, nature.calendar.run[schedule, day - nature.calendar.first_day])
    split = rows[nature.latent.split[rows]]
    _pay_rest(nature, state, draws, split)
    whole = rows[~nature.latent.split[rows]]
    state.paid[whole] = state.posted[whole]
    _take_discount(nature, state, rows)


def _arrive(nature: Nature, state: State, draws: Draws, rows: Ints, run: Ints) -> None:
    codes = nature.inboxes.codes[nature.invoice_point[rows]]  # one payables office, one payment per run
    received, posted = arrival(nature.world.company, nature.calendar, codes, run, seed=draws.seed_of(state.week))
    state.received[rows], state.posted[rows] = received, posted


def _pay_rest(nature: Nature, state: State, draws: Draws, split: Ints) -> None:
    """The rest of a part payment leaves some weeks after the first part was posted."""
    codes, calendar = nature.orders.codes[split], nature.calendar
    seed = draws.seed_of(state.week)
    weeks = np.array(REMAINDER_WEEKS)
    ahead = weeks[(weeks.size * draws.uniform("rest week", codes, 0)).astype(np.int64)]
    day = (week_of(state.posted[split]) + ahead) * 7 - 3 + (5 * draws.uniform("rest day", codes, 0)).astype(np.int64)
    schedule = nature.inboxes.schedule[state.week - nature.first_week, nature.invoice_point[split]]
    run = calendar.run[schedule, day - calendar.first_day]
    office = nature.inboxes.codes[nature.invoice_point[split]]
    received, posted = arrival(nature.world.company, calendar, office, run, seed=seed)
    state.rest_received[split], state.rest_posted[split], state.paid[split] = received, posted, posted


def _take_discount(nature: Nature, state: State, rows: Ints) -> None:
    """Who pays while an offer stands mostly takes it."""
    stands = (state.discount_until[rows] != NEVER) & (state.received[rows] <= state.discount_until[rows])
    takes = rows[stands]
    keyed = paired(nature.orders.codes[takes], state.discount_until[takes])
    state.discounted[takes] = uniform(nature.seed, "takes discount", keyed) < nature.world.terms.taken
