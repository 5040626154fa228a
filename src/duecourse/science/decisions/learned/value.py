"""What a contact now is worth: more of the money within six weeks, less of it left to the risks of waiting.

    dP_a = P(paid within L weeks | arm a now) - P(paid within L weeks | none now), earlier contacts acting on
    W_a  = sum over weeks l of P(paid in week l | a) / (1 + rho)^l + P(open after L weeks | a) V
    Q_a  = sum over overdue invoices of open x (W_a - W_none) - cost_a - relationship price_a

V is what a unit is worth that is still open then (``write_off.value_if_unpaid``); with 1 - V = m, W_a - W_none is about
m x dP_a. Minutes have no price here: the allocation gives them one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import NONE, Book, Floats, Ints, Resources
from duecourse.science.decisions.learned.exposure import lagged
from duecourse.science.decisions.learned.hazard_model import Columns, Features, effective, shared_columns
from duecourse.science.decisions.learned.panel import MODIFIERS, OLDEST_AGE, Past
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.learned.weeks import phases
from duecourse.science.decisions.learned.write_off import SURELY, Ends, value_if_unpaid, weekly_loss

HORIZON = 6
FUTURE_CONTACTS = 1.3  # later contacts raise the hazard that V looks at
TYPICAL_MAJOR = 2500.0  # the median overdue invoice at which the price list below is stated
ATTENTION = 2.0  # per message
TONE_PRICE = {
    "email_soft": 2.0, "email_neutral": 3.0, "email_firm": 5.0, "email_discount": 2.0, "send_documents": 1.0,
    "sms_soft": 3.0, "letter_formal": 4.0, "call_service": 6.0, "call_firm": 6.0, "call_plan": 6.0,
}  # fmt: skip
YEAR_DAYS = 365
BANDS = (0.5, 4.0)
_CHUNK = 1500


@dataclass(frozen=True)
class Situations:
    """n overdue invoices of today as the model sees them; the first axis of every array.

    ``future`` (n, 6, shared) are the columns of this week and the five after it if nobody is contacted from now on.
    ``dampening`` is what fatigue leaves of a contact now; ``loss`` (n, 6) the weekly hazard of its being lost or given
    up, ``lost`` (n,) its d0 and ``given_up`` (ages,) the book's hazard of giving up.
    """

    invoice: Ints
    point: Ints
    segment: Ints
    age: Ints
    modifiers: Floats
    open_minor: Floats
    future: Floats
    dampening: Floats
    loss: Floats
    lost: Floats
    given_up: Floats


def situations_of(book: Book, past: Past, columns: Columns, ends: Ends) -> Situations:
    """The overdue, collectible invoices of points that are to be decided, in the order of their contact points."""
    invoice = np.flatnonzero(book.overdue)
    invoice = invoice[np.argsort(book.point[invoice], kind="stable")]
    point, now = book.point[invoice], past.weeks.last
    segment = past.habits.segment[now, point]
    modifiers = past.modifiers[point]
    age = np.minimum((book.as_of - book.due[invoice] - 1) // 7, OLDEST_AGE)
    future = np.empty((invoice.size, HORIZON, columns.shared))
    loss, first_rate = np.empty((invoice.size, HORIZON)), ends.first_rate(segment, modifiers)
    batchness = past.habits.batchness[now, point]
    for step in range(HORIZON):
        week = np.full(invoice.size, now + step)
        begins = book.as_of + 7 * step + np.zeros(invoice.size, dtype=np.int64)
        listed = (book.as_of - book.due[invoice] - 1) // 7 + 1 + step
        exposed = lagged(past.contacts, week, point, listed, past.lags)
        rows = Features(
            np.minimum(age + step, OLDEST_AGE), phases(begins), batchness, modifiers, exposed, np.empty((0, 0))
        )
        future[:, step] = shared_columns(columns, rows)
        loss[:, step] = weekly_loss(first_rate, age + step) + ends.given_up[np.clip(age + step, 0, None)]
    return Situations(
        invoice, point, segment, age, modifiers, book.collectible_minor[invoice], future,
        past.contacts.dampening[now, point],
        np.minimum(loss, SURELY), first_rate, ends.given_up,
    )  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """Per decided point (P'), over D draws: ``worth`` (D, P', A) in minor units before costs, and cash figures.

    ``cash`` (D, P', A): change of the cash expected within six weeks; ``cash_alone`` (D, P'): that cash if nobody is
    contacted; ``chance`` (P', A): mean dP, weighted by the invoices' money. Arms without coefficients stay at 0.
    """

    points: Ints
    worth: Floats
    cash: Floats
    cash_alone: Floats
    chance: Floats


def effects_of(situations: Situations, columns: Columns, draws: Floats, past: Past, weekly_capital: float) -> Effects:
    """The effect of every arm on every point under each draw of the coefficients (D, coefficients)."""
    points, row_of = np.unique(situations.point, return_inverse=True)
    number, arms = draws.shape[0], len(columns.arms)
    folded = effective(columns, draws)
    worth = np.zeros((points.size, arms, number))
    cash, alone = np.zeros_like(worth), np.zeros((points.size, number))
    for segment in range(len(SEGMENTS)):
        members = np.flatnonzero(situations.segment == segment)
        for start in range(0, members.size, _CHUNK):
            rows = members[start : start + _CHUNK]
            weeks = _weeks_ahead(situations, rows, columns, folded[:, segment], past.lags)
            after = _value_after(situations, rows, folded[:, segment], weekly_capital)
            discount = (1 + weekly_capital) ** -np.arange(HORIZON)
            money = situations.open_minor[rows][:, None]
            np.add.at(alone, row_of[rows], money * weeks.paid.sum(axis=0))
            np.add.at(cash, row_of[rows], money[:, None] * weeks.more_paid.sum(axis=0))
            more = np.tensordot(discount, weeks.more_paid, axes=1) + weeks.more_open * after[:, None]
            np.add.at(worth, row_of[rows], money[:, None] * more)
    total = np.bincount(row_of, weights=situations.open_minor, minlength=points.size)
    return Effects(
        points, _all_arms(worth, columns), _all_arms(cash, columns), alone.T,
        _all_arms(cash, columns).mean(axis=0) / np.maximum(total, 1)[:, None],
    )  # fmt: skip


def _all_arms(values: Floats, columns: Columns) -> Floats:
    """(P, arms, D) of the model's arms -> (D, P, A)."""
    result = np.zeros((values.shape[2], values.shape[0], len(ARMS)))
    result[:, :, list(columns.arms)] = values.transpose(2, 0, 1)
    return result


@dataclass(frozen=True)
class _WeeksAhead:
    """``paid`` (6, n, D) chance of payment per week alone; what each arm adds to it (6, n, arms, D), and to P(open)."""

    paid: Floats
    more_paid: Floats
    more_open: Floats


def _weeks_ahead(situations: Situations, rows: Ints, columns: Columns, folded: Floats,
                 lags: tuple[float, ...]) -> _WeeksAhead:  # fmt: skip
    theta = np.repeat(folded[None, :, columns.mu], rows.size, axis=0)
    for modifier in range(MODIFIERS):
        theta += situations.modifiers[rows, modifier][:, None, None] * folded[None, :, columns.phi(modifier)]
    theta = theta.transpose(0, 2, 1) * situations.dampening[rows][:, None, None]
    unpaid, unpaid_with = np.ones((rows.size, folded.shape[0])), np.ones(theta.shape)
    paid, more = np.empty((HORIZON, *unpaid.shape)), np.empty((HORIZON, *theta.shape))
    for step in range(HORIZON):
        eta = situations.future[rows, step] @ folded.T
        kept = 1 - situations.loss[rows, step][:, None]
        hazard = 1 / (1 + np.exp(-eta))
        paid[step] = unpaid * hazard
        unpaid = unpaid * (1 - hazard) * kept
        hazard_with = 1 / (1 + np.exp(-(eta[:, None] + lags[step] * theta)))
        more[step] = unpaid_with * hazard_with - paid[step][:, None]
        unpaid_with = unpaid_with * (1 - hazard_with) * kept[:, None]
    return _WeeksAhead(paid, more, unpaid_with - unpaid[:, None])


def _value_after(situations: Situations, rows: Ints, folded: Floats, weekly_capital: float) -> Floats:
    """(n, D) what a unit is worth that is still open after the six weeks."""
    eta = situations.future[rows, HORIZON - 1] @ folded.T
    hazard = np.minimum(FUTURE_CONTACTS / (1 + np.exp(-eta)), 0.95)
    age = np.clip(situations.age[rows] + HORIZON, 0, situations.given_up.size - 1)
    return value_if_unpaid(hazard, age, situations.lost[rows], situations.given_up, weekly_capital)


def price_unit(book: Book) -> float:
    """Minor units per unit of the price list: the book's median overdue amount over 2,500."""
    amounts = book.collectible_minor[book.overdue]
    return float(np.median(amounts)) / TYPICAL_MAJOR if amounts.size else 0.0


def value_bands(book: Book) -> Floats:
    """(P,) what each contact point is worth to the house: its bills of a year over those of the median, .5 to 4."""
    recent = book.issued >= book.as_of - YEAR_DAYS
    yearly = np.bincount(book.point[recent], weights=book.amount_minor[recent], minlength=book.points)
    billed = yearly[yearly > 0]
    result: Floats = np.clip(yearly / (np.median(billed) if billed.size else 1.0), *BANDS)
    return result


def relationship_prices(fatigue: Floats, bands: Floats, annoyance: Floats, attention: float) -> Floats:
    """(n, A) the price of a contact in minor units: (attention + annoyance x fatigue) x value band.

    ``annoyance`` (A,) and ``attention`` are minor units; ``none`` and settling a dispute annoy nobody.
    """
    contact = np.array([name in TONE_PRICE for name in ARMS])
    result: Floats = (attention + annoyance[None] * fatigue[:, None]) * bands[:, None] * contact[None]
    return result


def annoyance_list(unit: float) -> Floats:
    """(A,) the default list of annoyance prices per unit of fatigue, minor units."""
    return np.array([TONE_PRICE.get(name, 0.0) * unit for name in ARMS])


def quality(effects: Effects, prices: Floats, resources: Resources) -> Floats:
    """(D, P', A) Q in minor units: worth less cost and relationship price; -inf for arms that do not exist."""
    result = effects.worth - (prices + resources.cost_minor)[None]
    result[:, :, ~resources.exists] = -np.inf
    result[:, :, NONE] = 0
    return result
