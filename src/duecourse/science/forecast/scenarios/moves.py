"""What steps do to invoices: when each is paid instead, and how much of it.

Days count from ``as_of`` (day 0). A move maps the payment day of an invoice, which keeps the order of payments, so the
same draw of lateness gives the day with and without it. A discount splits an invoice: the share of its amount that
takes the discount is paid on one day, the rest on another. Moves act one after another, in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.scenarios.roster import Bools, Roster
from duecourse.science.forecast.shocks import Floats, Integers

TERMS_UNKNOWN = -1


@dataclass(frozen=True)
class InvoiceRows:
    """Invoices to be moved, row by row: customer code, issue day, terms in days, and whether they are still to come.

    ``terms`` is ``TERMS_UNKNOWN`` where no issue day is known. Shapes (n,).
    """

    customer: Integers
    issue: Integers
    terms: Integers
    is_new: Bools

    def take(self, rows: Integers | Bools) -> InvoiceRows:
        """Some of the rows, or rows several times."""
        return InvoiceRows(self.customer[rows], self.issue[rows], self.terms[rows], self.is_new[rows])


@dataclass(frozen=True)
class Part:
    """A share of each invoice: what is paid (``weight``), forgone (``forgone``) per unit of amount, when, and terms.

    Shapes (n,), (n,), (n, k) and (n,). ``day`` is ``NOT_PAID`` where nothing comes.
    """

    weight: Floats
    forgone: Floats
    day: Integers
    terms: Integers


class Move(Protocol):
    """One step on invoices."""

    def traits(self) -> Floats:
        """What of a customer decides how the move treats it, a column or more by customer code."""

    def touches(self, rows: InvoiceRows) -> Bools:
        """Which invoices it may change, whatever was done to them before; shape (n,)."""

    def apply(self, rows: InvoiceRows, part: Part, book: MovedBook, /) -> list[Part]:
        """The part after the move, in one or more parts; rows that it does not touch stay as they are."""


@dataclass(frozen=True)
class MovedBook:
    """What moves need to know of the book: its customers with their pay-days, and ``as_of`` as an epoch day."""

    roster: Roster
    as_of: int


@dataclass(frozen=True)
class ForCustomers:
    """What moves have in common: the customers that they are for (by code), and the first day on which they act."""

    member: Bools
    start: int

    def traits(self) -> Floats:
        """Membership."""
        return self.member.astype(np.float64)

    def new_from_start(self, rows: InvoiceRows) -> Bools:
        """Invoices of the customers that are issued from the first day on; shape (n,)."""
        result: Bools = self.member[rows.customer] & rows.is_new & (rows.issue >= self.start)
        return result


@dataclass(frozen=True)
class NewTerms(ForCustomers):
    """Terms become net ``to_net``. With ``keeps_lateness`` payments move with the due date, else they stay."""

    to_net: int
    from_net: int | None
    open_too: bool
    keeps_lateness: bool

    def touches(self, rows: InvoiceRows) -> Bools:
        """New invoices from the first day on, and the open ones where they move too."""
        chosen = np.where(rows.is_new, rows.issue >= self.start, self.open_too)
        result: Bools = self.member[rows.customer] & chosen & (rows.terms != TERMS_UNKNOWN)
        return result

    def apply(self, rows: InvoiceRows, part: Part, book: MovedBook, /) -> list[Part]:
        """Paid so much later as the due date moves, then on the customer's next pay-day; never before the issue."""
        moved = self.touches(rows) & (part.terms != self.to_net)
        if self.from_net is not None:
            moved &= part.terms == self.from_net
        after = replace(part, terms=np.where(moved, self.to_net, part.terms))
        if not self.keeps_lateness:
            return [after]
        day = later(part.day, (self.to_net - part.terms)[:, None], np.maximum(rows.issue, 0)[:, None])
        return [replace(after, day=_where(moved, _snapped(rows, day, book), part.day))]


@dataclass(frozen=True)
class LaterPayments(ForCustomers):
    """Payments from ``start`` on come ``days`` later."""

    days: int

    def touches(self, rows: InvoiceRows) -> Bools:
        """All invoices of the customers."""
        return self.member[rows.customer]

    def apply(self, rows: InvoiceRows, part: Part, book: MovedBook, /) -> list[Part]:
        """Later, on the customer's next pay-day."""
        day = _snapped(rows, later(part.day, self.days), book)
        late = self.touches(rows)[:, None] & (part.day >= self.start)
        return [replace(part, day=np.where(late, day, part.day))]


@dataclass(frozen=True)
class NothingMore(ForCustomers):
    """No invoice is issued from ``start`` on; with ``pays_nothing`` no payment comes from then on either."""

    orders_nothing: bool
    pays_nothing: bool

    def touches(self, rows: InvoiceRows) -> Bools:
        """New invoices from the first day on; with ``pays_nothing`` all."""
        lost = self.orders_nothing & self.new_from_start(rows)
        result: Bools = lost | (self.pays_nothing & self.member[rows.customer])
        return result

    def apply(self, rows: InvoiceRows, part: Part, _book: MovedBook, /) -> list[Part]:
        """Amounts that are never issued become nothing, payments that never come have no day."""
        member = self.member[rows.customer]
        lost = self.orders_nothing & self.new_from_start(rows)
        unpaid = (member & self.pays_nothing)[:, None] & (part.day >= self.start)
        return [
            replace(
                part,
                weight=np.where(lost, 0.0, part.weight),
                forgone=np.where(lost, 0.0, part.forgone),
                day=np.where(unpaid, NOT_PAID, part.day),
            )
        ]


@dataclass(frozen=True)
class MoreInvoiced(ForCustomers):
    """Invoices issued from ``start`` on are ``factor`` times as much."""

    factor: float

    def touches(self, rows: InvoiceRows) -> Bools:
        """New invoices from the first day on."""
        return self.new_from_start(rows)

    def apply(self, rows: InvoiceRows, part: Part, _book: MovedBook, /) -> list[Part]:
        """Amounts times the factor."""
        factor = np.where(self.touches(rows), self.factor, 1.0)
        return [replace(part, weight=part.weight * factor, forgone=part.forgone * factor)]


@dataclass(frozen=True)
class EarlyPayment(ForCustomers):
    """A share ``take_up`` (by customer code) of each amount is paid ``days`` after issue, less ``discount`` (0..1).

    Whoever would have paid earlier keeps the day and takes the discount all the same.
    """

    discount: float
    days: int
    take_up: Floats

    def traits(self) -> Floats:
        """Membership and take-up."""
        return np.where(self.member, self.take_up, -1.0)

    def touches(self, rows: InvoiceRows) -> Bools:
        """New invoices from the first day on."""
        return self.new_from_start(rows)

    def apply(self, rows: InvoiceRows, part: Part, _book: MovedBook, /) -> list[Part]:
        """Those that wait, and those that take the discount. What would never be paid does not take it."""
        share = np.where(self.touches(rows), self.take_up[rows.customer], 0.0)
        early = np.where(part.day == NOT_PAID, NOT_PAID, np.minimum(part.day, (rows.issue + self.days)[:, None]))
        taken = part.weight * share
        takers = Part(taken * (1.0 - self.discount), taken * self.discount + part.forgone * share, early, part.terms)
        return [replace(part, weight=part.weight - taken, forgone=part.forgone * (1.0 - share)), takers]


@dataclass(frozen=True)
class EarlierWhenLate(ForCustomers):
    """Payments after the due date come ``days`` earlier, but not before the due date."""

    days: int

    def touches(self, rows: InvoiceRows) -> Bools:
        """All invoices of the customers whose due date is known."""
        result: Bools = self.member[rows.customer] & (rows.terms != TERMS_UNKNOWN)
        return result

    def apply(self, rows: InvoiceRows, part: Part, book: MovedBook, /) -> list[Part]:
        """Earlier, on a pay-day of the customer, and never later than before."""
        due = rows.issue + part.terms
        floor = np.maximum(np.maximum(due, self.start), 0)[:, None]
        late = self.touches(rows)[:, None] & (part.day > floor) & (part.day != NOT_PAID)
        day = np.minimum(_snapped(rows, np.maximum(later(part.day, -self.days), floor), book), part.day)
        return [replace(part, day=np.where(late, day, part.day))]


def moved_parts(moves: Sequence[Move], rows: InvoiceRows, day: Integers, book: MovedBook) -> list[Part]:
    """What becomes of invoices that would be paid on ``day`` (n, k): parts whose weights are shares of their amount."""
    count = len(rows.customer)
    parts = [Part(np.ones(count), np.zeros(count), day, rows.terms)]
    for move in moves:
        if move.touches(rows).any():
            parts = [after for part in parts for after in move.apply(rows, part, book)]
    return parts


def touched(moves: Iterable[Move], rows: InvoiceRows) -> Bools:
    """Which rows any of the moves touches, shape (n,)."""
    result = np.zeros(len(rows.customer), dtype=bool)
    for move in moves:
        result |= move.touches(rows)
    return result


def later(day: Integers, days: Integers | int, floor: Integers | int = 0) -> Integers:
    """``day`` moved by ``days``, not before ``floor``; what never comes stays so."""
    coming = day != NOT_PAID
    result: Integers = np.where(coming, np.maximum(np.where(coming, day, 0) + days, floor), NOT_PAID)
    return result


def _snapped(rows: InvoiceRows, day: Integers, book: MovedBook) -> Integers:
    coming = day != NOT_PAID
    return np.where(coming, book.roster.snap(rows.customer, np.where(coming, day, 0), book.as_of), NOT_PAID)


def _where(rows: Bools, moved: Integers, before: Integers) -> Integers:
    result: Integers = np.where(rows[:, None], moved, before)
    return result
