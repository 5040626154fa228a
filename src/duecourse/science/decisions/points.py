"""``ContactPoint``: whom one message goes to, with everything it is about and everything known of earlier contacts.

A contact point is the payables contact of the paying parent, else of the customer: one consolidated message lists all
its collectible invoices. The records here are values; ``gather`` (contact_points.py) reads them from a ``View``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from duecourse.science.decisions.habit import Habit
from duecourse.science.decisions.offers import NO_OFFERS, OfferHistory
from duecourse.science.decisions.stake import Outlook

LISTED_BEFORE_DUE_DAYS = 7  # an invoice that is due within a week belongs on the list
CARRYING_SHARE = 0.05  # [A] a leftover below this share of the list does not set the tone


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One open invoice: what may be asked for, what holds the rest back, and when it is expected."""

    invoice_id: str
    customer_id: str
    currency: str
    due_on: date
    days_late: int
    open_minor: int
    collectible_minor: int
    disputed_minor: int
    promised_minor: int
    planned_minor: int
    netted_minor: int
    segment: str
    rung: str
    outlook: Outlook

    @property
    def stake_minor(self) -> float:
        """Collectible money x P(not paid soon) x what waiting costs."""
        return self.collectible_minor * self.outlook.loss_share


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or mailbox; consents are granted / withdrawn / unknown."""

    contact_id: str
    name: str
    has_email: bool
    has_phone: bool
    email_consent: str
    sms_consent: str
    call_consent: str
    timezone: str
    country: str


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """What was said to and by the contact point, as days before ``as_of`` (None: never)."""

    days_since_out: int | None = None
    days_since_call: int | None = None
    days_since_conversation: int | None = None
    days_since_routed: int | None = None
    outgoing_30_days: int = 0
    calls_7_days: int = 0
    firm_before: bool = False
    unanswered_days: int | None = None
    bounced_days: int | None = None


@dataclass(frozen=True, slots=True)
class Disputes:
    """Open disputes of the contact point: how many, how many of them nobody owns yet, and the money they hold."""

    number: int = 0
    unowned: int = 0
    cash_at_stake_minor: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One unit of decision. ``customer_id`` is the paying parent, else the customer itself."""

    customer_id: str
    name: str
    members: tuple[str, ...]
    items: tuple[OpenItem, ...]
    contact: Contact | None
    contacts_on_file: bool
    habit: Habit
    history: ContactHistory
    disputes: Disputes
    currency: str
    typical_minor: Mapping[str, float]
    strategic: bool = False
    debtor_kind: str = "unknown"
    timezone: str = ""
    country: str = ""
    broken_promise_days: int | None = None
    money_unmatched: bool = False
    offers: OfferHistory = NO_OFFERS

    @property
    def listed(self) -> tuple[OpenItem, ...]:
        """What one message asks for: collectible and overdue, or due within 7 days; oldest first."""
        listed = (item for item in self.items if item.collectible_minor > 0)
        return tuple(item for item in listed if item.days_late >= -LISTED_BEFORE_DUE_DAYS)

    @property
    def carrying(self) -> OpenItem | None:
        """The oldest listed invoice that is more than a leftover; it drives the sequence and the tone."""
        listed = self.listed
        total = sum(self.relative(item) for item in listed)
        for item in listed:
            if self.relative(item) >= CARRYING_SHARE * total:
                return item
        return listed[0] if listed else None

    def relative(self, item: OpenItem) -> float:
        """The collectible amount in units of the book's median open invoice of that currency: never summed across."""
        return item.collectible_minor / self.typical_minor[item.currency]

    @property
    def relative_stake(self) -> float:
        """The stake of all listed invoices in units of the median open invoice of each currency."""
        return sum(item.stake_minor / self.typical_minor[item.currency] for item in self.listed)

    def stake_of(self, arm: str) -> float:
        """The stake that ``arm`` works on, in the contact point's currency (others at par of their median invoice).

        Settling a dispute works on everything that the disputes hold, any other arm on what may be asked for.
        """
        relative = self.relative_stake
        if arm == "route_dispute":
            held = (item for item in self.items if item.disputed_minor > 0)
            relative = sum(
                item.open_minor * item.outlook.loss_share / self.typical_minor[item.currency] for item in held
            )
        return relative * self.typical_minor[self.currency]

    @property
    def relative_collectible(self) -> float:
        """What may be asked for now, in units of the median open invoice of each currency."""
        return sum(self.relative(item) for item in self.listed)

    @property
    def paid_soon(self) -> float:
        """Share of the listed money that is expected within 14 days by itself."""
        total = self.relative_collectible
        if total <= 0:
            return 0.0
        return sum(self.relative(item) * item.outlook.paid_soon for item in self.listed) / total

    def sum_minor(self, field: str, *, listed: bool = False) -> int:
        """Sum of one ``..._minor`` field in the contact point's own currency."""
        items = self.listed if listed else self.items
        return sum(int(getattr(item, field)) for item in items if item.currency == self.currency)

    @property
    def days_late_max(self) -> int:
        """Days late of the oldest open invoice; negative before anything is due."""
        return max(item.days_late for item in self.items)

    @property
    def beyond_habit_days(self) -> int:
        """Days by which the carrying invoice is later than the customer's P80; 0 without a habit of its own."""
        carrying = self.carrying
        if carrying is None or not self.habit.is_known:
            return 0
        return max(carrying.days_late - max(self.habit.late_end_days, 0), 0)
