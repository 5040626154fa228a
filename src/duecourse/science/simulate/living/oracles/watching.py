"""What an observer of a ``Book`` keeps of the contacts: exposure per inbox and arm by lag, and fatigue.

The form of the effects is known to it (this is for oracles): a contact is carried for some weeks and damped by the
fatigue before it; between a decision and the money lie pay-run and bank, so that the chance of being *paid* in a week
follows the kernel carry-over * delay, scaled to 1 at its greatest.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.living.book import Book
from duecourse.science.simulate.living.contacting import HANDLING
from duecourse.science.simulate.living.spec import Living
from duecourse.science.simulate.living.view import CALLS
from duecourse.science.simulate.pay_calendar import Floats, Ints, to_date

DELAY = (0.35, 0.35, 0.2, 0.1)  # weeks from a decision to its money, the start model of the simulator
LAGS = 6
USUAL, MONTH_END, AFTER_MONTH_END = 0, 1, 2


def kernel(carry: tuple[float, ...]) -> Floats:
    """Effect on being paid, by weeks since the contact, shape (LAGS,), greatest value 1."""
    spread = np.convolve(carry, DELAY)[:LAGS]
    whole = np.zeros(LAGS)
    whole[: spread.size] = spread
    scaled: Floats = whole / whole.max()
    return scaled


@lru_cache(maxsize=4096)
def month_phase(week: int) -> int:
    """Whether the last weekday of a month lies in the week (1), or lay in the week before (2), else 0."""

    def ends_month(monday: int) -> bool:
        days = [to_date(monday + at) for at in range(5)]
        following = [day + timedelta(days=3 if day.weekday() == 4 else 1) for day in days]
        return any(day.month != after.month for day, after in zip(days, following, strict=True))

    monday = week * 7 - 3
    return MONTH_END if ends_month(monday) else AFTER_MONTH_END if ends_month(monday - 7) else USUAL


class Watch:
    """Exposure of all inboxes up to the book last seen; feed it books in the order of time.

    ``past[m]`` (P, ARMS) are the damped strengths of the contacts m + 1 weeks before the book, ``fatigue`` (P,) the
    stock before any contact of today. Answered and unanswered calls are told apart, as the books do.
    """

    def __init__(self, world: Living, points: int) -> None:
        self._world = world
        self.kernel = kernel(world.effects.carry)
        self.past = np.zeros((LAGS, points, len(ARMS)))
        self.fatigue = np.zeros(points)
        self._next_week: int | None = None

    def see(self, book: Book) -> None:
        """Take in all contacts before the Monday of ``book``."""
        for week in self.weeks_to_see(book):
            self.live(book, week)

    def weeks_to_see(self, book: Book) -> range:
        """The weeks before ``book`` that were not taken in yet."""
        if self._next_week is None:
            first = int(book.issued.min(initial=book.as_of))
            self._next_week = min((first + 3) // 7, book.week)
        return range(self._next_week, book.week)

    def live(self, book: Book, week: int) -> None:
        """Take in the contacts of ``week``, which must be the next one."""
        start, end = np.searchsorted(book.contact_day, [week * 7 - 3, week * 7 + 4])
        self._add(book.contact_point[start:end], book.contact_arm[start:end], book.contact_reached[start:end])
        self._next_week = week + 1

    def _add(self, point: Ints, arm: Ints, reached: Ints) -> None:
        reach, effects = self._world.reach, self._world.effects
        strength = np.where(np.isin(arm, CALLS), np.where(reached == 1, reach.talked, reach.voicemail), 1.0)
        self.past = np.concatenate([np.zeros((1, *self.past.shape[1:])), self.past[:-1]])
        self.past[0, point, arm] = strength / (1 + effects.fatigue * self.fatigue[point])
        self.fatigue[point[~np.isin(arm, HANDLING)]] += 1
        self.fatigue *= effects.keep


def asked_before(days_late: Ints, weeks_ago: int, listed_before: int) -> Floats:
    """1 where an invoice was on the list of a message that many weeks ago, by its days late now; else 0."""
    return (days_late >= 7 * weeks_ago - listed_before).astype(np.float64)
