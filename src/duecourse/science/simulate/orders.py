"""The invoices that a simulated company issues: Poisson per customer and week, with growth; nothing of their fate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.core.ids import uniform
from duecourse.science.simulate.customers import Codes, Customers, normal
from duecourse.science.simulate.pay_calendar import Floats, Ints, PayCalendar
from duecourse.science.simulate.world import World


@dataclass(frozen=True)
class Orders:
    """One entry per invoice, sorted by (issued, customer): customer index, keyed code, day numbers, minor units."""

    customer: Ints
    codes: Codes
    issued: Ints
    due: Ints
    amount_minor: Ints

    @property
    def ids(self) -> list[str]:
        """The invoice numbers, in order of issue."""
        return [f"INV-{100_001 + number}" for number in range(self.customer.size)]


def paired(codes: Codes, numbers: Ints) -> Codes:
    """Codes of (entity, number) pairs, for draws that belong to both."""
    with np.errstate(over="ignore"):
        spread = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93)
        return codes ^ (spread ^ (spread >> np.uint64(32)))


def make_orders(
    world: World, customers: Customers, calendar: PayCalendar, book: tuple[int, int], *, seed: int
) -> Orders:
    """All invoices issued on business days from ``book[0]`` up to, not including, ``book[1]`` (day numbers)."""
    owners: list[Ints] = []
    codes: list[Codes] = []
    days: list[Ints] = []
    last_week = (book[1] + 3) // 7
    for week in range(calendar.first_week, last_week + 1):
        years = (week * 7 - 3 - book[0]) / 365.25
        rate = customers.weekly_rate * (1 + world.orders.growth_per_year) ** years
        counts = _poisson(rate, uniform(seed, "orders", customers.codes, week))
        owner = np.repeat(np.arange(counts.size), counts)
        ordinal = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
        code = paired(customers.codes[owner], week * 1000 + ordinal)
        planned = week * 7 - 3 + (5 * uniform(seed, "issue day", code)).astype(np.int64)
        owners.append(owner)
        codes.append(code)
        days.append(calendar.next_business[planned - calendar.first_day])
    customer, code, issued = np.concatenate(owners), np.concatenate(codes), np.concatenate(days)
    inside = (issued >= book[0]) & (issued < book[1])
    customer, code, issued = customer[inside], code[inside], issued[inside]
    order = np.lexsort((code, customer, issued))
    customer, code, issued = customer[order], code[order], issued[order]
    return Orders(
        customer=customer,
        codes=code,
        issued=issued,
        due=issued + customers.terms_days[customer],
        amount_minor=_amounts(world, customers.mean_amount[customer], normal(seed, "invoice amount", code)),
    )


def _poisson(rate: Floats, draws: Floats) -> Ints:
    """Poisson counts by inversion of one uniform number each."""
    counts = np.zeros(rate.size, dtype=np.int64)
    chance = np.exp(-rate)
    reached = chance.copy()
    more = np.flatnonzero(draws >= reached)
    while more.size:
        counts[more] += 1
        chance[more] *= rate[more] / counts[more]
        reached[more] += chance[more]
        more = more[(draws[more] >= reached[more]) & (counts[more] < 100)]
    return counts


def _amounts(world: World, mean: Floats, draws: Floats) -> Ints:
    amounts = world.amounts
    value = mean * np.exp(amounts.invoice_sd * draws - amounts.invoice_sd**2 / 2)
    minor: Ints = np.round(100 * np.clip(value, amounts.smallest, amounts.largest)).astype(np.int64)
    return minor
