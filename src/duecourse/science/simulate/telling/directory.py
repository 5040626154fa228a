"""``Directory``: who writes to whom - customers, their people and the invoices they write about, looked up by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from duecourse.science.simulate.names import COUNTRIES
from duecourse.science.simulate.telling.keyed import Fortune, Luck
from duecourse.science.simulate.telling.words import data, joined, language_of, money

STYLES = ("formal", "plain", "terse", "chatty", "lower")
STYLE_EDGES = (0.24, 0.62, 0.78, 0.9)  # [A] shares of styles, as edges
HELD_OUT = ("official", "breathless")
NAMED_AT_MOST = 3
_ROLES = {
    "en": {"payables": "Accounts Payable", "buyer": "Purchasing", "executive": "Managing Director", "owner": "Owner"},
    "de": {"payables": "Kreditorenbuchhaltung", "buyer": "Einkauf", "executive": "Geschäftsführung",
           "owner": "Inhaber"},
    "fr": {"payables": "Comptabilité fournisseurs", "buyer": "Achats", "executive": "Direction", "owner": "Gérance"},
    "nl": {"payables": "Crediteuren", "buyer": "Inkoop", "executive": "Directie", "owner": "Eigenaar"},
    "es": {"payables": "Cuentas a pagar", "buyer": "Compras", "executive": "Dirección", "owner": "Propietario"},
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody at a customer; ``style`` is how they write."""

    contact_id: str
    name: str
    role: str
    email: str
    phone: str
    style: str

    @property
    def first(self) -> str:
        """First name."""
        return self.name.split(" ")[0]

    @property
    def family(self) -> str:
        """Family name."""
        return self.name.split(" ", 1)[-1]


@dataclass(frozen=True)
class Customer:
    """A customer as the writers know it; ``people`` begins with who pays."""

    customer_id: str
    name: str
    language: str
    country: str
    currency: str
    place: str
    collector: str
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Bill:
    """What a text says of an invoice."""

    invoice_id: str
    customer_id: str
    issued_on: date
    due_on: date
    amount_minor: int
    currency: str
    po_number: str

    def named(self, style: str) -> str:
        """The number as people of that style write it."""
        if style in ("terse", "breathless"):
            return self.invoice_id.removeprefix("INV-")
        return self.invoice_id.lower() if style == "lower" else self.invoice_id


@dataclass(frozen=True)
class Directory:
    """Customers and bills by id."""

    customers: Mapping[str, Customer]
    bills: Mapping[str, Bill]

    def amount(self, invoice_ids: Iterable[str]) -> int:
        """Sum of the face amounts, minor units."""
        return sum(self.bills[each].amount_minor for each in invoice_ids)


def make_directory(
    customers: pl.DataFrame, contacts: pl.DataFrame, invoices: pl.DataFrame, luck: Luck, *, held_out: bool = False
) -> Directory:
    """The directory of a ledger; with ``held_out`` everybody writes in the styles that are kept for tests."""
    people = _people(contacts, luck, held_out=held_out)
    known = {}
    for row in customers.unique("customer_id", maintain_order=True).iter_rows(named=True):
        own = row["customer_id"]
        place = " ".join(str(row[part]) for part in ("postcode", "region") if row[part])
        known[own] = Customer(
            own, row["name"], language_of(row["language"]), row["country"], row["currency"], place,
            row["collector"] or "", tuple(people.get(own, ())),
        )  # fmt: skip
    first = invoices.group_by("invoice_id").agg(pl.all().sort_by("recorded_at").first())
    columns = ("invoice_id", "customer_id", "issued_on", "due_on", "amount_minor", "currency", "po_number")
    bills = {row[0]: Bill(*row) for row in first.select(columns).iter_rows()}
    return Directory(known, bills)


def _people(contacts: pl.DataFrame, luck: Luck, *, held_out: bool) -> dict[str, list[Person]]:
    firsts = contacts.filter(pl.col("voided_at").is_null()).unique("contact_id", keep="first", maintain_order=True)
    draws = luck.of("author style", firsts["contact_id"])
    people: dict[str, list[Person]] = {}
    for row, draw in zip(firsts.iter_rows(named=True), draws.tolist(), strict=True):
        style = HELD_OUT[int(2 * draw)] if held_out else STYLES[sum(draw >= edge for edge in STYLE_EDGES)]
        person = Person(
            row["contact_id"], row["name"], row["role"] or "", row["email"] or "", row["phone"] or "", style
        )
        people.setdefault(row["customer_id"], []).append(person)
    return people


def role_text(person: Person, language: str) -> str:
    """The role as it stands in a signature."""
    return _ROLES[language].get(person.role, _ROLES[language]["payables"])


def colleague_of(customer: Customer, fortune: Fortune) -> str:
    """The name of a colleague of whoever writes: the second contact, or somebody not on file."""
    if len(customer.people) > 1:
        return customer.people[1].name
    country = next((each for each in COUNTRIES if each.code == customer.country), COUNTRIES[0])
    return f"{fortune.pick('colleague', country.first_names)} {fortune.pick('family', country.families)}"


def named_bills(bills: list[Bill], style: str, language: str) -> str:
    """Numbers in words, at most a few of them."""
    shown = [bill.named(style) for bill in bills]
    if len(shown) > NAMED_AT_MOST:
        return f"{', '.join(shown[:2])} (+{len(shown) - 2})"
    return joined(shown, language)


def amount_text(minor: int, customer: Customer) -> str:
    """An amount as this customer writes it."""
    return money(minor, customer.currency, customer.language, american=customer.country == "US")


def house_name(currency: str) -> str:
    """The company of the house that bills in that currency."""
    entities = data("house")["entities"]
    return str(entities.get(currency, entities["EUR"])["name"])


def house_phone(currency: str) -> str:
    """Its telephone number."""
    entities = data("house")["entities"]
    return str(entities.get(currency, entities["EUR"])["phone"])
