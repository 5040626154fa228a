"""The rows that the payment hazard is learnt from: one per overdue invoice and week, as known on its first day.

A row stands while the invoice is unpaid, pauses while the whole of it is disputed, and ends with payment, credit or
write-off. What is open today simply has no later rows yet: no window has to pass before it can be learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Book, Bools, Floats, Ints
from duecourse.science.decisions.learned.exposure import DEFAULT_KERNEL, Contacts, contacts_of, expected, lagged
from duecourse.science.decisions.learned.segments import Habits, habits_of
from duecourse.science.decisions.learned.weeks import Weeks, phases, weeks_of

OLDEST_AGE = 52  # weeks since due after which an invoice tells nothing more about reminders
AGE_DUMMIES = 4
MODIFIERS = 4  # history figures that change effects: lateness, speed when overdue, tardiness, quarrels
_SPEED_PRIOR_WEEKS, _TYPICAL_SPEED = 5.0, 0.15


@dataclass(frozen=True)
class Panel:
    """n invoice-weeks in the order of invoices, with what happened in them.

    ``age``: full weeks since due. ``paid``, ``lost``: whether the invoice was paid, or written off, in the week.
    ``exposure`` (n, A + 3) as ``exposure.lagged``; ``drawn`` (n, A) what the logged propensities made to be expected.
    ``modifiers`` (n, 4) are centred history figures, ``ago`` counts weeks back from the present.
    """

    invoice: Ints
    point: Ints
    week: Ints
    age: Ints
    ago: Ints
    phase: Ints
    segment: Ints
    batchness: Floats
    modifiers: Floats
    exposure: Floats
    drawn: Floats
    paid: Bools
    lost: Bools

    @property
    def rows(self) -> int:
        """The number of invoice-weeks."""
        return int(self.invoice.size)


@dataclass(frozen=True)
class Past:
    """Everything that is read from a book once: weeks, contacts, habits, rows, and the present invoices' figures.

    ``modifiers`` (P, 4) are the history figures as of today.
    """

    weeks: Weeks
    contacts: Contacts
    habits: Habits
    panel: Panel
    modifiers: Floats
    lags: tuple[float, ...]


def past_of(book: Book, lags: tuple[float, ...] = DEFAULT_KERNEL, *, drawn: bool = False) -> Past:
    """What ``book`` tells about the past under one lag kernel; ``drawn`` also computes the expected exposures."""
    weeks = weeks_of(book)
    contacts, habits = contacts_of(book, weeks), habits_of(book, weeks)
    invoice, week = _at_risk(book, weeks)
    point = book.point[invoice]
    begins = weeks.start(week, point)
    age = (begins - book.due[invoice] - 1) // 7
    ends = begins + 7
    paid = (book.paid_day[invoice] >= begins) & (book.paid_day[invoice] < ends)
    lost = (book.written_off_day[invoice] >= begins) & (book.written_off_day[invoice] < ends)
    exposed = lagged(contacts, week, point, age + 1, lags)
    speed = _speed(_Cells(weeks.last + 1, book.points, week, point), paid)
    cell = (week, point)
    return Past(
        weeks, contacts, habits,
        Panel(
            invoice=invoice, point=point, week=week, age=age, ago=weeks.last - week, phase=phases(begins),
            segment=habits.segment[cell], batchness=habits.batchness[cell],
            modifiers=_figures(habits, speed, cell), exposure=exposed,
            drawn=expected(contacts, week, point, age + 1, lags) if drawn else np.empty((0, 0)), paid=paid, lost=lost,
        ),
        _figures(habits, speed, (np.full(book.points, weeks.last), np.arange(book.points))), lags,
    )  # fmt: skip


def _at_risk(book: Book, weeks: Weeks) -> tuple[Ints, Ints]:
    """(invoice, week) of all complete weeks that began after the due date with the invoice open and not disputed."""
    everything = np.arange(book.due.size)
    first = np.maximum(weeks.counted_from(book.due + 1, book.point), 0)
    gone = _first_of(book.paid_day, book.closed_day, book.written_off_day)
    last = np.where(gone < 0, weeks.last - 1, np.minimum(weeks.of(gone, book.point), weeks.last - 1))
    oldest = weeks.of(book.due + 7 * OLDEST_AGE, book.point)
    length = np.maximum(np.minimum(last, oldest) - first + 1, 0)
    invoice = np.repeat(everything, length)
    offset = np.arange(invoice.size) - np.repeat(np.cumsum(length) - length, length)
    week = first[invoice] + offset
    begins = weeks.start(week, book.point[invoice])
    credited = (book.closed_day[invoice] >= 0) & (book.closed_day[invoice] < begins + 7)
    kept = ~(credited | _disputed(book, invoice, begins))
    return invoice[kept], week[kept]


def _first_of(*days: Ints) -> Ints:
    """The earliest of the days that have happened (-1: not), -1 when none has."""
    later = [np.where(day < 0, np.iinfo(np.int64).max, day) for day in days]
    first = np.minimum.reduce(later)
    result: Ints = np.where(first == np.iinfo(np.int64).max, -1, first)
    return result


def _disputed(book: Book, invoice: Ints, begins: Ints) -> Bools:
    """Rows on whose first day the whole invoice was disputed."""
    result = np.zeros(invoice.size, dtype=np.bool_)
    whole = np.flatnonzero(book.dispute_whole)
    if not whole.size or not invoice.size:
        return result
    start = np.searchsorted(invoice, book.dispute_invoice[whole], side="left")
    length = np.searchsorted(invoice, book.dispute_invoice[whole], side="right") - start
    row = np.repeat(start, length) + np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    which = np.repeat(whole, length)
    resolved = book.dispute_resolved[which]
    held = (book.dispute_opened[which] < begins[row]) & ((resolved < 0) | (resolved >= begins[row]))
    result[row[held]] = True
    return result


def _figures(habits: Habits, speed: Floats, cell: tuple[Ints, Ints]) -> Floats:
    """(n, 4) history figures of the cells (week, point)."""
    return np.stack([table[cell] for table in (habits.lateness, speed, habits.tardiness, habits.quarrels)], axis=1)


@dataclass(frozen=True)
class _Cells:
    weeks: int
    points: int
    week: Ints
    point: Ints

    def before(self, amount: Floats | Bools) -> Floats:
        """(W, P) sums of ``amount`` over the rows of each point's earlier weeks."""
        cell = (self.week + 1) * self.points + self.point  # the last row's week is complete: known in the week after
        table = np.bincount(cell, weights=amount, minlength=self.weeks * self.points)
        result: Floats = np.cumsum(table.reshape(self.weeks, self.points), axis=0)
        return result


def _speed(cells: _Cells, paid: Bools) -> Floats:
    """(W, P) log speed of payment when overdue, before each week; drawn to the typical by the weight of some weeks."""
    weeks, paid_weeks = cells.before(np.ones(paid.size)), cells.before(paid)
    rate = (paid_weeks + _SPEED_PRIOR_WEEKS * _TYPICAL_SPEED) / (weeks + _SPEED_PRIOR_WEEKS)
    result: Floats = np.log(rate / _TYPICAL_SPEED)
    return result
