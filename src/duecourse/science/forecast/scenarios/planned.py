"""Invoices that are not in the books yet, to prospects or customers: items with a curve like that of known payers.

The curve is the distribution of days late of the invoices of the last year, each counted once, open ones censored
(Kaplan and Meier 1958): of one customer, or of the whole book where nobody is named. A payment lies on a pay-day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from duecourse.core.calendar import epoch_day
from duecourse.core.errors import NotEnoughData
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.open_book import OpenItems
from duecourse.science.forecast.scenarios.kinds import issue_day
from duecourse.science.forecast.scenarios.moves import InvoiceRows, MovedBook
from duecourse.science.forecast.scenarios.roster import Bools, customers_of
from duecourse.science.forecast.scenarios.steps import NewBusiness, PlannedInvoice
from duecourse.science.forecast.shocks import Floats, Integers

EARLIEST, LATEST = -60, 178  # days late that a curve covers
LEAST_INVOICES = 10
WINDOW_DAYS = 365


@dataclass(frozen=True)
class PlannedItems:
    """Items of one currency and one step, the rows that describe them, and whether the base holds them too."""

    items: OpenItems
    rows: InvoiceRows
    in_base: bool


def planned_items(
    step: NewBusiness, past: Mapping[str, PastInvoices], book: MovedBook, as_of: date, days: int
) -> dict[str, PlannedItems]:
    """The invoices of a step that are issued within ``days``, by currency. Raises NotEnoughData for a thin model."""
    found: dict[str, PlannedItems] = {}
    inside = [one for one in repeated(step, as_of + timedelta(days=days)) if (one.issued_on - as_of).days < days]
    for currency in sorted({one.currency for one in inside}):
        mine = [one for one in inside if one.currency == currency]
        late = np.stack([days_late_pmf(past[currency], _like(step, one, past[currency], book), book) for one in mine])
        found[currency] = _as_items(step, mine, late, book)
    return found


def repeated(step: NewBusiness, end: date) -> list[PlannedInvoice]:
    """The invoices of the step; where they repeat, each name's last one goes on until ``end`` (not included)."""
    if step.repeats == "once":
        return list(step.invoices)
    found = []
    for first in step.invoices:
        number = 0
        while (day := issue_day(first.issued_on, step.repeats, number)) < end:
            found.append(replace(first, issued_on=day))
            number += 1
    return found


def days_late_pmf(past: PastInvoices, like: Sequence[int] | None, book: MovedBook) -> Floats:
    """P(paid d days late), d = -60..178, of the customers ``like`` (codes), of everybody where it is None.

    Sums to 1 - P(never). Raises NotEnoughData with fewer than 10 invoices of the last year.
    """
    history, chosen = past.history, _lately_issued(past, like, book)
    if int(chosen.sum()) < LEAST_INVOICES:
        raise NotEnoughData(
            f"a scenario's new invoices need {LEAST_INVOICES} invoices of the last year to be paid like, "
            f"there are {int(chosen.sum())}; leave out 'like' to take the whole book"
        )
    paid, due = history.paid_day[chosen], past.due_day[chosen]
    event = paid != NOT_PAID
    late = np.where(event, paid, history.as_of - 1) - due
    at = np.clip(late - EARLIEST, 0, LATEST - EARLIEST + 1)
    leaving = np.bincount(at, minlength=LATEST - EARLIEST + 2).astype(np.float64)
    paying = np.bincount(at[event], minlength=LATEST - EARLIEST + 2)
    at_risk = leaving[::-1].cumsum()[::-1]
    hazard = np.divide(paying, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    cdf = 1.0 - np.cumprod(1.0 - hazard)[: LATEST - EARLIEST + 1]
    return np.diff(cdf, prepend=0.0)


def _lately_issued(past: PastInvoices, like: Sequence[int] | None, book: MovedBook) -> Bools:
    recent = past.history.issue_day >= past.history.as_of - WINDOW_DAYS
    if like is None:
        return recent
    result: Bools = recent & np.isin(book.roster.codes(customers_of(past).tolist()), like)
    return result


def _like(step: NewBusiness, invoice: PlannedInvoice, past: PastInvoices, book: MovedBook) -> list[int] | None:
    """Whom the payer of an invoice is like: the one that is named, else itself where it has a past, else the book."""
    if step.like is not None:
        return book.roster.find(step.like)
    own = [book.roster.code_of(invoice.customer)]
    return own if int(_lately_issued(past, own, book).sum()) >= LEAST_INVOICES else None


def _as_items(step: NewBusiness, invoices: Sequence[PlannedInvoice], late: Floats, book: MovedBook) -> PlannedItems:
    codes = np.array([book.roster.code_of(one.customer) for one in invoices], dtype=np.int64)
    issue = np.array([epoch_day(one.issued_on) - book.as_of for one in invoices], dtype=np.int64)
    terms = np.array([one.terms_days for one in invoices], dtype=np.int64)
    rows = InvoiceRows(codes, issue, terms, np.ones(len(codes), dtype=bool))
    parents = [book.roster.parents[code] for code in codes]
    numbers = [f"{one.customer}\x1f{one.issued_on}" for one in invoices]
    ids = [f"planned\x1f{key}\x1f{numbers[:place].count(key)}" for place, key in enumerate(numbers)]
    items = OpenItems(
        invoice_id=ids,
        parent_id=parents,
        due_day=book.as_of + issue + terms,
        amount_minor=np.array([one.amount_minor for one in invoices], dtype=np.int64),
        cdf=_curves(rows, late, book),
    )
    return PlannedItems(items, rows, step.in_base)


def _curves(rows: InvoiceRows, late: Floats, book: MovedBook) -> Floats:
    """P(paid by each day after ``as_of``): issue + terms + days late, never before the issue, on a pay-day."""
    offset: Integers = np.arange(EARLIEST, LATEST + 1, dtype=np.int64)
    day = np.maximum((rows.issue + rows.terms)[:, None] + offset, rows.issue[:, None])
    day = book.roster.snap(rows.customer, day, book.as_of)
    width = int(day.max()) + 1
    row = np.broadcast_to(np.arange(len(day))[:, None], day.shape)
    mass = np.bincount(
        (row * width + day).ravel(), np.broadcast_to(late, day.shape).ravel(), minlength=len(day) * width
    )
    result: Floats = np.minimum(np.cumsum(mass.reshape(len(day), width), axis=1), 1.0)
    return result
