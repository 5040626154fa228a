"""What a contact point was exposed to, week by week: who was contacted how, with which fatigue, acting with which lag.

A contact acts on the payments of its own week and of the following five, weighted by the lag kernel (carry-over of the
effect, convolved with the delay from decision to cash) and dampened by fatigue:

    E = sum over lags l = 0..5 of kappa_l x [contact at t - l] x f_{t-l},   f = 1 / (1 + F / 2),
    F_t = 0.7 F_{t-1} + [contact at t - 1]

Only randomised decisions count towards the effects that are learnt; every other contact has columns of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import CALLS, EMAILS, NONE, Book, Floats, Ints
from duecourse.science.decisions.learned.weeks import Weeks

LAGS = 6
FATIGUE_KEPT, FATIGUE_WEIGHT = 0.7, 0.5
OTHER_KINDS = 3  # contacts outside the experiment: e-mail; letter and text message; call
_DELAYS = ((1.0,), (0.35, 0.35, 0.2, 0.1), (0.15, 0.25, 0.25, 0.2, 0.15))
_CARRY = (0.0, 0.25, 0.5, 0.7)


def kernel(carry: float, delay: tuple[float, ...]) -> tuple[float, ...]:
    """Geometric carry-over 1, c, c^2 convolved with the delay to cash, six weeks, the largest scaled to 1."""
    effect = [carry**step for step in range(3 if carry else 1)]
    both = np.convolve(effect, delay)[:LAGS]
    padded = np.pad(both, (0, LAGS - both.size))
    return tuple(float(value) for value in padded / padded.max())


KERNELS = tuple(kernel(carry, delay) for delay in _DELAYS for carry in _CARRY)
DEFAULT_KERNEL = kernel(0.5, _DELAYS[1])


@dataclass(frozen=True)
class Contacts:
    """Contacts per week and point, weeks 0 .. last along the first axis.

    ``decision`` (W, P): row of the randomised decision, -1 none. ``arm`` (W, P): its arm as it counts (what was
    proposed, ``none`` when a rule blocked it). ``other`` (W, P, 3): contacts outside the experiment by kind.
    ``fatigue`` (W, P): the stock F before the contact of that week. ``dampening`` (W, P): f.
    """

    decision: Ints
    arm: Ints
    other: Floats
    fatigue: Floats
    propensities: Floats

    @cached_property
    def dampening(self) -> Floats:
        """The share of a contact's effect that fatigue leaves, (W, P)."""
        result: Floats = 1 / (1 + FATIGUE_WEIGHT * self.fatigue)
        return result


def contacts_of(book: Book, weeks: Weeks) -> Contacts:
    """The contacts of ``book`` by week; those of the same week outside the experiment are counted, not added up."""
    shape = (weeks.last + 1, book.points)
    decision = np.full(shape, -1, dtype=np.int64)
    arm = np.full(shape, NONE, dtype=np.int64)
    rows = np.flatnonzero(book.randomised)
    week = weeks.counted_from(book.decision_day[rows], book.decision_point[rows])
    inside = (week >= 0) & (week <= weeks.last)
    rows, week = rows[inside], week[inside]
    where = book.decision_point[rows]
    decision[week, where] = rows
    counted = np.where(book.decision_executed[rows] == NONE, NONE, book.decision_arm[rows])
    arm[week, where] = counted
    other, anything = _outside(book, weeks, arm)
    anything |= arm != NONE
    return Contacts(decision, arm, other, _fatigue(anything), book.decision_propensities)


def _outside(book: Book, weeks: Weeks, arm: Ints) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Contacts outside the experiment by kind, and every contact that left the house."""
    shape = arm.shape
    week = weeks.counted_from(book.contact_day, book.contact_point)
    inside = (week >= 0) & (week < shape[0])
    week, where = week[inside], book.contact_point[inside]
    code, human = book.contact_arm[inside], book.contact_human[inside]
    anything = np.zeros(shape, dtype=np.bool_)
    anything[week, where] = True
    outside = human | (arm[week, where] == NONE)
    kind = np.where(np.isin(code, CALLS), 2, np.where(np.isin(code, EMAILS), 0, 1))
    other = np.zeros((*shape, OTHER_KINDS))
    other[week[outside], where[outside], kind[outside]] = 1
    return other, anything


def _fatigue(anything: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    stock = np.zeros(anything.shape)
    for week in range(1, anything.shape[0]):
        stock[week] = FATIGUE_KEPT * stock[week - 1] + anything[week - 1]
    return stock


def lagged(contacts: Contacts, week: Ints, point: Ints, listed: Ints, lags: tuple[float, ...]) -> Floats:
    """(n, A + 3) exposures of n invoice-weeks: to each arm, then to the kinds outside the experiment.

    ``listed``: the weeks for which the invoice had been on the list by then; an earlier message was not about it.
    A week after the last one (the future) has the exposures that are left of earlier contacts.
    """
    arms = len(ARMS)
    result = np.zeros((week.size, arms + OTHER_KINDS))
    for lag, weight in enumerate(lags):
        at = week - lag
        valid = (at >= 0) & (at < contacts.arm.shape[0]) & (listed >= lag)
        if not valid.any() or weight == 0:
            continue
        rows = np.flatnonzero(valid)
        when, where = at[rows], point[rows]
        strength = weight * contacts.dampening[when, where]
        arm = contacts.arm[when, where]
        hit = arm != NONE
        result[rows[hit], arm[hit]] += strength[hit]
        result[rows, arms:] += strength[:, None] * contacts.other[when, where]
    return result


def expected(contacts: Contacts, week: Ints, point: Ints, listed: Ints, lags: tuple[float, ...]) -> Floats:
    """(n, A) the exposures to expect from the logged propensities: what the draw itself did not decide."""
    result = np.zeros((week.size, len(ARMS)))
    for lag, weight in enumerate(lags):
        at = week - lag
        rows = np.flatnonzero((at >= 0) & (at < contacts.arm.shape[0]) & (listed >= lag))
        when, where = at[rows], point[rows]
        row = contacts.decision[when, where]
        known = row >= 0
        strength = weight * contacts.dampening[when[known], where[known]]
        result[rows[known]] += strength[:, None] * contacts.propensities[row[known]]
    result[:, NONE] = 0
    return result
