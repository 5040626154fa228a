"""The weeks that the learner counts in: seven days from a contact point's own decision day, the present one last.

A contact that is made in the middle of a week counts from the next one on: who has paid since the week began is not
contacted any more, so counting it at once would make contacts look harmful.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Book, Bools, Ints

LONGEST_WEEKS = 104  # [A] older weeks weigh next to nothing and are left out
PHASES = 3  # the week holds the last day of a month; the week after it; any other


@dataclass(frozen=True)
class Weeks:
    """``last`` + 1 weeks 0 .. ``last``; week ``last`` of point p begins on ``begins[p]``, the day of its decision."""

    last: int
    begins: Ints

    def start(self, week: Ints, point: Ints) -> Ints:
        """First day of ``week`` for ``point``."""
        result: Ints = self.begins[point] - 7 * (self.last - week)
        return result

    def of(self, day: Ints, point: Ints) -> Ints:
        """The week that ``day`` lies in; below 0 when it is before the first."""
        result: Ints = self.last + (day - self.begins[point]) // 7
        return result

    def counted_from(self, day: Ints, point: Ints) -> Ints:
        """The first week that begins on ``day`` or later."""
        result: Ints = self.last - (self.begins[point] - day) // 7
        return result


def weeks_of(book: Book, longest: int = LONGEST_WEEKS) -> Weeks:
    """The weeks of ``book``: a point's weeks begin on the weekday of its latest decision, else on that of ``as_of``."""
    begins = np.full(book.points, book.as_of, dtype=np.int64)
    if book.decision_point.size:
        order = np.argsort(book.decision_day, kind="stable")
        latest = np.full(book.points, book.as_of, dtype=np.int64)
        latest[book.decision_point[order]] = book.decision_day[order]
        begins = book.as_of - (book.as_of - latest) % 7
    first = int(book.due.min()) if book.due.size else book.as_of
    return Weeks(int(min(max((book.as_of - first) // 7 + 1, 1), longest)), begins)


def phases(first_day: Ints) -> Ints:
    """0 where the seven days from ``first_day`` hold the last day of a month, 1 in the week after that, else 2."""
    start = _day_of_month(first_day)
    holds_end = _day_of_month(first_day + 7) <= 7
    result: Ints = np.where(holds_end, 0, np.where(start <= 7, 1, 2)).astype(np.int64)
    return result


def near_month_end(day: Ints) -> Bools:
    """True on the last days of a month and the first four of the next, when month-end runs reach the bank."""
    in_month = _day_of_month(day)
    result: Bools = (in_month <= 4) | (_day_of_month(day + 4) <= 4)
    return result


MONTH_END_SHARE = 8 / 30.4  # of payments that know no month end


def _day_of_month(day: Ints) -> Ints:
    dates = day.astype("datetime64[D]")
    result: Ints = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return result
