"""The people of the house: who calls whom in the end, whatever was proposed.

Collectors are absent for whole weeks and then leave their calls undone; a share of the proposed calls they move to the
biggest, oldest account of theirs that nobody contacts. Before any policy they chose by their own, often right,
judgement of who is a bad payer: that confounds every naive comparison made on the history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.core.ids import key_codes
from duecourse.science.simulate.living.book import Book, Decided
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.policies.ladder import ladder_mails, wants_call
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.view import CALLS
from duecourse.science.simulate.pay_calendar import Floats, Ints


@dataclass(frozen=True)
class Acts:
    """What leaves the house: contact points, arms, and whether a person and no policy wanted it. One per point."""

    point: Ints
    arm: Ints
    human: Flags


def executed(nature: Nature, draws: Draws, book: Book, decided: Decided, *, calls: int) -> tuple[Acts, Ints]:
    """The acts of the week, and for each decision the arm that was executed as decided (0 when it was not).

    What the mask forbids and calls beyond ``calls`` are not executed. Deviating calls are acts of their own.
    """
    week, inboxes, people = book.week, nature.inboxes, nature.world.people
    arm = np.where(book.allowed[decided.point, decided.arm], decided.arm, 0)
    is_call = np.isin(arm, CALLS)
    arm = np.where(is_call & (np.cumsum(is_call) > calls), 0, arm)
    is_call = np.isin(arm, CALLS)
    collector = inboxes.collector[decided.point]
    staff = key_codes([f"collector {number}" for number in range(people.collectors)])
    absent = draws.uniform("absent", staff, week) < people.absent
    arm = np.where(is_call & absent[collector], 0, arm)
    is_call &= ~absent[collector]
    moves = is_call & (draws.uniform("deviate", inboxes.codes[decided.point], week) < people.deviate)
    elsewhere = _bad_accounts(book, nature, taken=decided.point[arm != 0], wanted=collector[moves])
    moves[np.flatnonzero(moves)[elsewhere < 0]] = False
    elsewhere = elsewhere[elsewhere >= 0]
    kept = np.where(moves, 0, arm)
    own = np.flatnonzero(kept)
    return Acts(
        point=np.concatenate([decided.point[own], elsewhere]),
        arm=np.concatenate([kept[own], np.full(elsewhere.size, ARM["call_service"])]),
        human=np.concatenate([np.zeros(own.size, dtype=bool), np.ones(elsewhere.size, dtype=bool)]),
    ), kept


def _bad_accounts(book: Book, nature: Nature, *, taken: Ints, wanted: Ints) -> Ints:
    """For each wanted collector the next of its biggest, oldest callable accounts that is free; -1 when none is."""
    weight = balance_times_age(book)
    weight[~book.allowed[:, ARM["call_service"]]] = 0
    weight[taken] = 0
    order = np.argsort(-weight, kind="stable")
    order = order[weight[order] > 0]
    collector = nature.inboxes.collector[order]
    result = np.full(wanted.size, -1, dtype=np.int64)
    for each in np.unique(wanted).tolist():
        mine = order[collector == each]
        places = np.flatnonzero(wanted == each)[: mine.size]
        result[places] = mine[: places.size]
    return result


def balance_times_age(book: Book) -> Floats:
    """Overdue collectible money times weeks overdue, per contact point."""
    late = book.as_of - book.due
    overdue = np.flatnonzero((book.collectible_minor > 0) & (late > 0))
    weight = book.collectible_minor[overdue] * (late[overdue] / 7)
    points = book.allowed.shape[0]
    return np.bincount(book.point[overdue], weight, minlength=points).astype(np.float64)


def by_habit(nature: Nature, draws: Draws, book: Book, *, calls: int) -> Acts:
    """A week of the history: the ladder's mails, and calls chosen by judgement of the true payers."""
    mails = ladder_mails(book)
    week, inboxes = book.week, nature.inboxes
    can = np.flatnonzero(wants_call(book))
    badness = _badness(nature, week)[can]
    luck = -np.log(-np.log(np.clip(draws.uniform("judgement", inboxes.codes[can], week), 1e-12, 1 - 1e-12)))
    chosen = can[np.argsort(-(nature.world.people.judgement * badness + luck), kind="stable")[:calls]]
    arm = mails.copy()
    arm[chosen] = ARM["call_service"]
    point = np.flatnonzero(arm)
    return Acts(point, arm[point], np.ones(point.size, dtype=bool))


def _badness(nature: Nature, week: int) -> Floats:
    """How slowly each payer decides, truly, in standard deviations."""
    hazard = np.array([each.hazard for each in nature.world.company.types.values()])
    at = week - nature.first_week
    logit = np.log(hazard / (1 - hazard))[nature.inboxes.kind[at]] + nature.inboxes.drift[at]
    scores: Floats = -(logit - logit.mean()) / logit.std()
    return scores
