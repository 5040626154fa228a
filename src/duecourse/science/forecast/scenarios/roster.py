"""The customers of a book as a scenario sees them: found by id or name, with the weekdays on which each one pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.calendar import weekday
from duecourse.ledger.as_of import View
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.shocks import Integers

WEEK = 7
Bools = npt.NDArray[np.bool_]
PAYING_SHARE = 0.05  # of a payer's payments: a weekday with fewer is no pay-day
LEAST_PAYMENTS = 10  # fewer say nothing about a customer's own weekdays: the book's count
PAY_DAY_WINDOW = 365  # days of payments that are looked at


class UnknownCustomer(Exception):
    """A name that no customer of the book bears, or that several do; ``cure`` says what to write instead."""

    def __init__(self, name: str, cure: str) -> None:
        super().__init__(name)
        self.name, self.cure = name, cure


@dataclass(frozen=True)
class Roster:
    """Customers by code (their place in ``ids``): id, name, paying parent, and ``wait`` (codes, 7).

    ``wait[c, w]`` is how many days after a day of weekday w (Monday 0) customer c pays next: 0 on a pay-day.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    parents: tuple[str, ...]
    wait: Integers

    def codes(self, customer_id: Iterable[str]) -> Integers:
        """The code of each customer id, shape (n,). Raises KeyError for an id that is not in the roster."""
        place = {one: code for code, one in enumerate(self.ids)}
        return np.fromiter((place[one] for one in customer_id), dtype=np.int64)

    def find(self, wanted: str) -> list[int]:
        """The customers with this id or under this parent, else the one with this name. Raises UnknownCustomer."""
        pairs = enumerate(zip(self.ids, self.parents, strict=True))
        found = [code for code, (own, parent) in pairs if wanted in (own, parent)]
        if found:
            return found
        named = [code for code, name in enumerate(self.names) if name.casefold() == wanted.casefold()]
        if len(named) == 1:
            return named
        if named:
            raise UnknownCustomer(wanted, "several bear this name; write one of " + ", ".join(
                repr(self.ids[code]) for code in named[:5]))  # fmt: skip
        raise UnknownCustomer(wanted, self._near(wanted))

    def code_of(self, wanted: str) -> int:
        """The one customer with this id, else the first that ``find`` gives."""
        return self.ids.index(wanted) if wanted in self.ids else self.find(wanted)[0]

    def snap(self, customer: Integers, day: Integers, as_of: int) -> Integers:
        """The next pay-day on or after each ``day`` (n, k) after ``as_of`` of the customers (n,)."""
        result: Integers = day + self.wait[customer[:, None], weekday(as_of + day)]
        return result

    def with_prospects(self, names: Iterable[str]) -> Roster:
        """The roster with customers that are not in the books yet; they pay on the book's weekdays (its last row)."""
        fresh = tuple(dict.fromkeys(name for name in names if name not in self.ids))
        wait = np.concatenate([self.wait, np.repeat(self.wait[-1:], len(fresh), axis=0)])
        return Roster(self.ids + fresh, self.names + fresh, self.parents + fresh, wait)

    def _near(self, wanted: str) -> str:
        by_spelling = {text.casefold(): own for own, name in zip(self.ids, self.names, strict=True)
                       for text in (own, name)}  # fmt: skip
        near = dict.fromkeys(by_spelling[text] for text in get_close_matches(wanted.casefold(), by_spelling, 3, 0.5))
        if not near:
            return "write an id or a name of the table customers"
        names = dict(zip(self.ids, self.names, strict=True))
        shown = (repr(one) if names[one] == one else f"{one!r} ({names[one]})" for one in near)
        return f"did you mean {' or '.join(shown)}?"


def roster_of(view: View, past: Mapping[str, PastInvoices]) -> Roster:
    """All customers that the books know at ``view.as_of``; the last code is nobody: the book as a whole."""
    known = view.table("customers").select("customer_id", "name", "parent_id")
    invoiced = view.table("invoices").select("customer_id").unique()
    frame = (
        pl.concat([known.select("customer_id"), invoiced])
        .unique()
        .join(known, on="customer_id", how="left")
        .sort("customer_id")
        .with_columns(pl.coalesce("name", "customer_id"), pl.coalesce("parent_id", "customer_id"))
    )
    ids = tuple(frame.get_column("customer_id").to_list())
    names, parents = (tuple(frame.get_column(column).to_list()) for column in ("name", "parent_id"))
    place = {one: code for code, one in enumerate(ids)}
    return Roster((*ids, ""), (*names, ""), (*parents, ""), _wait(_paying_weekdays(past, place)))


def customers_of(past: PastInvoices) -> npt.NDArray[np.object_]:
    """Whose each past invoice is: the customer, or the paying parent where only that is known."""
    return past.parent_id if past.customer_id is None else past.customer_id


def _paying_weekdays(past: Mapping[str, PastInvoices], place: Mapping[str, int]) -> Bools:
    """Which weekdays are pay-days, shape (customers + 1, 7); the last row is the book's."""
    counts = np.zeros((len(place) + 1, WEEK))
    for one in past.values():
        paid = one.history.paid_day
        seen = (paid != NOT_PAID) & (paid >= one.history.as_of - PAY_DAY_WINDOW)
        code = np.fromiter((place[name] for name in customers_of(one)[seen]), dtype=np.int64)
        np.add.at(counts, (code, weekday(paid[seen])), 1.0)
    counts[-1] = counts.sum(axis=0)
    total = counts.sum(axis=1, keepdims=True)
    paying: Bools = (counts >= PAYING_SHARE * total) & (counts > 0)
    if not paying[-1].any():
        paying[-1] = True
    return np.where(total >= LEAST_PAYMENTS, paying, paying[-1])


def _wait(paying: Bools) -> Integers:
    ahead = (np.arange(WEEK)[:, None] + np.arange(WEEK)[None, :]) % WEEK
    result: Integers = paying[:, ahead].argmax(axis=2).astype(np.int64)
    return result
