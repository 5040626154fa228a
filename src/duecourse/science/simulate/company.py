"""``simulate`` lives a company through its months and gives its ledger, with the truth kept aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from duecourse.ledger.as_of import Ledger
from duecourse.science.simulate.books import (
    Company,
    closing_allocations,
    credit_table,
    dispute_table,
    invoice_table,
    payment_tables,
)
from duecourse.science.simulate.claims import make_claims
from duecourse.science.simulate.customers import contact_frame, customer_frame, make_customers
from duecourse.science.simulate.fates import live_through
from duecourse.science.simulate.ladder import contact_tables
from duecourse.science.simulate.orders import make_orders
from duecourse.science.simulate.pay_calendar import Ints, PayCalendar, day_number, pay_calendar
from duecourse.science.simulate.world import World


@dataclass(frozen=True)
class Truth:
    """What no learner may see: the latent payers, the fate of every invoice, also beyond the end of the book."""

    company: Company
    calendar: PayCalendar

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row number of each invoice id in the arrays of ``company``."""
        return {invoice_id: row for row, invoice_id in enumerate(self.company.orders.ids)}

    def rows(self, invoice_ids: list[str]) -> Ints:
        """Row numbers of these invoices. Raises KeyError for an unknown id."""
        return np.array([self.row_of[each] for each in invoice_ids], dtype=np.int64)


@dataclass(frozen=True)
class Simulated:
    """A simulated company: ``ledger`` is what its books know at the end, ``truth`` what really is."""

    ledger: Ledger
    truth: Truth


def simulate(world: World, *, customers: int | None = None, months: int | None = None, seed: int) -> Simulated:
    """The company of ``world`` that ends on ``world.ends_on``; same world, size and seed give the same bytes.

    ``customers`` and ``months`` default to the world's own size. Raises ValueError when one of them is below 1.
    """
    count, length = world.customers if customers is None else customers, world.months if months is None else months
    if count < 1 or length < 1:
        raise ValueError(f"customers and months must be at least 1, got {count} and {length}")
    start = months_before(world.ends_on, length)
    book = (day_number(start), day_number(world.ends_on))
    calendar = pay_calendar(world, start, world.ends_on)
    people = make_customers(world, count, seed)
    orders = make_orders(world, people, calendar, book, seed=seed)
    fates = live_through(world, people, orders, calendar, seed=seed)
    claims = make_claims(world, orders, fates, calendar, seed=seed)
    company = Company(world, seed, book, people, orders, fates, claims)
    return Simulated(_ledger(company), Truth(company, calendar))


def months_before(day: date, months: int) -> date:
    """The same day of the month (at most the 28th) so many months earlier."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, min(day.day, 28))


def _ledger(company: Company) -> Ledger:
    customers = customer_frame(company.customers, company.seed)
    contacts = contact_frame(company.customers, customers["name"], company.seed)
    credit = credit_table(company)
    payments, allocations = payment_tables(company)
    activities, promises = contact_tables(company, contacts)
    return Ledger.from_frames({
        "customers": customers,
        "contacts": contacts,
        "invoices": invoice_table(company),
        "credits": credit,
        "payments": payments,
        "allocations": allocations.vstack(closing_allocations(company, credit).select(allocations.columns)),
        "activities": activities,
        "promises": promises,
        "disputes": dispute_table(company),
    })  # fmt: skip
