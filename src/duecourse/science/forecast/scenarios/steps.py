"""A what-if question as data: a scenario and its steps, as a person wrote them and before they met a book.

Amounts are minor units with their currency, shares 0..1, days calendar days. ``place`` says where in the file a step
stands ("step 2 (terms)"), for messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

COST_OF_CAPITAL = 0.10  # a year; our assumption where a file names none


@dataclass(frozen=True, kw_only=True)
class Customers:
    """Whom a step is about: customers by id or name, or the ``top`` largest by recent invoices; neither: everybody."""

    names: tuple[str, ...] = ()
    top: int = 0

    @property
    def everybody(self) -> bool:
        """Whether nobody is left out."""
        return not self.names and not self.top


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Invoices issued from ``start`` on are net ``to_net``; only those that were net ``from_net``, where it is given.

    With ``open_invoices`` those that are open already move too.
    """

    place: str
    customers: Customers
    start: date
    to_net: int
    from_net: int | None = None
    open_invoices: bool = False


@dataclass(frozen=True, kw_only=True)
class Discount:
    """``percent`` off for payment within ``days`` on invoices issued from ``start`` on.

    ``take_up`` holds its lowest and highest share of the amount, or None: each customer's own past, shrunk.
    ``real_pay_days`` and ``monthly_volume_minor`` (with ``currency``) replace what the books show, in the economics.
    """

    place: str
    customers: Customers
    start: date
    percent: float
    days: int
    net: int | None = None
    take_up: tuple[float, float] | None = None
    real_pay_days: int | None = None
    monthly_volume_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Every payment of these customers from ``start`` on (None: at once) comes ``days`` later."""

    place: str
    customers: Customers
    days: int
    start: date | None = None


@dataclass(frozen=True, kw_only=True)
class Loss:
    """These customers order nothing from ``start`` on (None: at once); their open invoices are paid, or never."""

    place: str
    customers: Customers
    start: date | None = None
    open_invoices: Literal["never", "paid"] = "never"


@dataclass(frozen=True, kw_only=True)
class Shock:
    """Everybody pays as late as in a bad year: the shared shock G fixed at ``severity`` (1 or 2 standard deviations).

    ``inflow_factor`` multiplies what is still to be invoiced; the customers in ``never`` pay nothing any more.
    """

    place: str
    severity: int
    inflow_factor: float = 1.0
    never: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Volume:
    """Invoices issued from ``start`` on are ``factor`` times as much."""

    place: str
    customers: Customers
    start: date
    factor: float


@dataclass(frozen=True, kw_only=True)
class PlannedInvoice:
    """One invoice that is expected to be issued: to a customer, or to a prospect without history."""

    customer: str
    issued_on: date
    amount_minor: int
    currency: str
    terms_days: int


@dataclass(frozen=True, kw_only=True)
class NewBusiness:
    """Further invoices, one by one; they are paid like those of ``like`` (a customer), else like the whole book's.

    ``repeats`` (month or week) goes on with the last invoice of each name until the end of the forecast. ``in_base``
    puts them into the base as well, where the question is their terms and not whether they come.
    """

    place: str
    invoices: tuple[PlannedInvoice, ...]
    repeats: Literal["month", "week", "once"] = "once"
    like: str | None = None
    in_base: bool = False


@dataclass(frozen=True, kw_only=True)
class Uplift:
    """What more contact was measured to do: days earlier of payments that come after the due date, as P10, P50, P90."""

    source: str
    measured_by: Literal["randomised", "doubly_robust"]
    accounts: int
    effective_sample_size: float
    overlap: float
    days_earlier: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Collections:
    """More contact, with the measured effect ``uplift``; None as long as ``uplift_file`` has not been read."""

    place: str
    customers: Customers
    start: date | None = None
    uplift_file: str | None = None
    uplift: Uplift | None = None


Step = Terms | Discount | Delay | Loss | Shock | Volume | NewBusiness | Collections


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A named question: its steps in the order in which they act. ``file`` is where it was written, for messages."""

    name: str
    file: str
    steps: tuple[Step, ...]
    cost_of_capital: float = COST_OF_CAPITAL
    question: str = ""
