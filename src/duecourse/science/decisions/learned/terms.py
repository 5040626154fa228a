"""Offers of terms: when none may be made, and what one costs, cannibalisation included.

No offer to whoever would pay anyway, none twice for one invoice, at most one per customer and year, and none whose gain
is not all but certain. An offer is not explored by lot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import ARM, LISTED_BEFORE_DUE_DAYS, Book, Bools, Floats, Ints
from duecourse.science.decisions.learned.exposure import LAGS
from duecourse.science.decisions.learned.hazard_model import Columns, effective
from duecourse.science.decisions.learned.panel import MODIFIERS
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.learned.value import Effects, Situations

SELF_CURE = 0.60  # no offer where this share is expected within the window without one
CERTAINTY = 0.25  # the quantile of the gain that must be above 0
APART_DAYS = 365
DISCOUNT, PLAN = ARM["email_discount"], ARM["call_plan"]


@dataclass(frozen=True, slots=True)
class Offer:
    """A discount of ``percent`` for payment within ``days``; [A] most who would pay by then take it.

    ``most_percent`` (P,) caps what each contact point may be offered: never more than it was offered before.
    ``budget_minor``: what the offers of one plan may cost if everybody takes them (None: no limit).
    """

    percent: float
    taken_by_payers: float = 0.9
    days: int = 7 * LAGS
    most_percent: Floats | None = None
    budget_minor: int | None = None

    def percent_of(self, points: Ints) -> Floats:
        """(n,) the percent that each of ``points`` would be offered."""
        result: Floats = np.full(points.size, self.percent)
        return result if self.most_percent is None else np.minimum(result, self.most_percent[points])


@dataclass(frozen=True)
class Beliefs:
    """What the guards look at: the decided invoices, the effects of acts on them, and the draws behind both.

    ``temper`` is the share of a posterior deviation that the draws keep; ``lags`` the lag kernel.
    """

    situations: Situations
    effects: Effects
    columns: Columns
    draws: Floats
    lags: tuple[float, ...]
    temper: float


def with_offers(book: Book, offer: Offer | None, beliefs: Beliefs, worth: Floats,
                allowed: Bools) -> tuple[Floats, Bools]:  # fmt: skip
    """``worth`` (D, n, A) less the price of a discount, ``allowed`` (n, A) without the offers that the guards forbid.

    Without an ``offer`` nobody is offered a discount.
    """
    worth, allowed = worth.copy(), allowed.copy()
    points = beliefs.effects.points
    if offer is None or not allowed[:, DISCOUNT].any():
        allowed[:, DISCOUNT] = False
        return worth, allowed
    money = _money(book)[points]
    percent = offer.percent_of(points)
    alone, with_it = paid_in_window(beliefs, DISCOUNT, allowed[:, DISCOUNT], offer.days)
    worth[:, :, DISCOUNT] -= expected_cost(offer, money, with_it, percent)
    gain = worth[:, :, DISCOUNT]
    allowed[:, DISCOUNT] &= may_be_offered(book, points, alone, gain, beliefs.temper)
    allowed[:, DISCOUNT] &= within_budget(gain.mean(axis=0), percent / 100 * money, allowed[:, DISCOUNT], offer)
    return worth, allowed


def with_guarded_plans(beliefs: Beliefs, worth: Floats, allowed: Bools) -> Bools:
    """``allowed`` (n, A) without calls about a plan to whoever pays anyway or where the gain is not all but certain."""
    allowed = allowed.copy()
    if allowed[:, PLAN].any():
        alone, _ = paid_in_window(beliefs, PLAN, allowed[:, PLAN], 7 * LAGS)
        allowed[:, PLAN] &= (alone <= SELF_CURE) & all_but_certain(worth[:, :, PLAN], beliefs.temper)
    return allowed


def expected_cost(offer: Offer, money_minor: Floats, paid_with_offer: Floats,
                  percent: Floats | None = None) -> Floats:  # fmt: skip
    """Expected price in minor units: everybody who pays in the window and takes it, would-have-paid ones included.

    ``percent`` (n,) where it differs by customer.
    """
    share = offer.percent if percent is None else percent
    result: Floats = share / 100 * offer.taken_by_payers * money_minor * paid_with_offer
    return result


def may_be_offered(book: Book, points: Ints, paid_alone: Floats, gain: Floats, temper: float = 1.0) -> Bools:
    """(n,) which ``points`` may get an offer: not offered within a year, no self-cure, a gain that is all but certain.

    ``paid_alone`` (n,) is P(paid in the window without offer), ``gain`` (D, n) the offer's net gain in each draw. An
    invoice that was on the list of an earlier offer bars its contact point too.
    """
    offered = book.contact_arm == DISCOUNT
    who, day = book.contact_point[offered], book.contact_day[offered]
    barred = np.zeros(book.points, dtype=np.bool_)
    barred[who[day >= book.as_of - APART_DAYS]] = True
    last = np.full(book.points, np.iinfo(np.int64).min)
    np.maximum.at(last, who, day)
    asked = np.flatnonzero(book.overdue)
    listed = (book.issued[asked] < last[book.point[asked]]) & (
        book.due[asked] <= last[book.point[asked]] + LISTED_BEFORE_DUE_DAYS
    )
    barred[book.point[asked[listed]]] = True
    result: Bools = ~barred[points] & (paid_alone <= SELF_CURE) & all_but_certain(gain, temper)
    return result


def all_but_certain(gain: Floats, temper: float = 1.0) -> Bools:
    """(n,) whether the 25 % quantile of the posterior gain is above 0; ``gain`` (D, n) from draws tempered so far.

    Tempered draws deviate ``temper`` times as far as the posterior does, so the quantile is stretched back. Draws
    without any spread say nothing about certainty, and nothing is certain then.
    """
    if temper <= 0:
        return np.zeros(gain.shape[1], dtype=np.bool_)
    mean = gain.mean(axis=0)
    result: Bools = mean + (np.quantile(gain, CERTAINTY, axis=0) - mean) / temper > 0
    return result


def within_budget(gain: Floats, worst_minor: Floats, wanted: Bools, offer: Offer) -> Bools:
    """(n,) the ``wanted`` offers, best gain per worst cost first, for as long as their worst cost fits the budget."""
    if offer.budget_minor is None:
        return wanted
    order = np.flatnonzero(wanted)
    order = order[np.argsort(-gain[order] / np.maximum(worst_minor[order], 1), kind="stable")]
    kept = np.zeros(wanted.size, dtype=np.bool_)
    kept[order[np.cumsum(worst_minor[order]) <= offer.budget_minor]] = True
    return kept


def _money(book: Book) -> Floats:
    """(P,) the overdue money that may be asked for."""
    rows = book.overdue
    total = np.bincount(book.point[rows], weights=book.collectible_minor[rows], minlength=book.points)
    result: Floats = total.astype(np.float64)
    return result


def paid_in_window(beliefs: Beliefs, arm: int, wanted: Bools, days: int) -> tuple[Floats, Floats]:
    """Share of the money that is paid within ``days``: (n,) without any contact, (D, n) with ``arm`` now.

    0 for points that are not ``wanted`` (n,). Whole weeks count, so that days up to a week's end count with it.
    """
    found, columns = beliefs.situations, beliefs.columns
    points = beliefs.effects.points
    row_of = np.searchsorted(points, found.point)
    rows = np.flatnonzero(wanted[row_of])
    alone, with_it = np.zeros((points.size, beliefs.draws.shape[0])), np.zeros((points.size, beliefs.draws.shape[0]))
    folded = effective(columns, beliefs.draws)
    weeks = min(math.ceil(days / 7), LAGS)
    place = columns.arms.index(arm)
    for segment in range(len(SEGMENTS)):
        members = rows[found.segment[rows] == segment]
        if members.size:
            theta = _strength(found, members, folded[:, segment], columns, place)
            plain, contacted = _paid(found, members, folded[:, segment], theta, beliefs.lags[:weeks])
            money = found.open_minor[members][:, None]
            np.add.at(alone, row_of[members], money * plain)
            np.add.at(with_it, row_of[members], money * contacted)
    total = np.bincount(row_of, weights=found.open_minor, minlength=points.size)
    share = 1 / np.maximum(total, 1)
    return alone.mean(axis=1) * share, (with_it * share[:, None]).T


def _strength(found: Situations, rows: Ints, folded: Floats, columns: Columns, place: int) -> Floats:
    """(n, D) what one contact by the arm at ``place`` adds to the logit of the hazard, before its lag."""
    theta: Floats = np.repeat(folded[None, :, columns.mu][:, :, place], rows.size, axis=0)
    for modifier in range(MODIFIERS):
        theta = theta + found.modifiers[rows, modifier][:, None] * folded[None, :, columns.phi(modifier)][:, :, place]
    return theta * found.dampening[rows][:, None]


def _paid(found: Situations, rows: Ints, folded: Floats, theta: Floats,
          lags: tuple[float, ...]) -> tuple[Floats, Floats]:  # fmt: skip
    """(n, D) each: P(paid within the weeks of ``lags``) alone and with a contact now."""
    unpaid, unpaid_with = np.ones(theta.shape), np.ones(theta.shape)
    paid, paid_with = np.zeros(theta.shape), np.zeros(theta.shape)
    for step, lag in enumerate(lags):
        eta = found.future[rows, step] @ folded.T
        kept = 1 - found.loss[rows, step][:, None]
        hazard, hazard_with = 1 / (1 + np.exp(-eta)), 1 / (1 + np.exp(-(eta + lag * theta)))
        paid, paid_with = paid + unpaid * hazard, paid_with + unpaid_with * hazard_with
        unpaid, unpaid_with = unpaid * (1 - hazard) * kept, unpaid_with * (1 - hazard_with) * kept
    return paid, paid_with
