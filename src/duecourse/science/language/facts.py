"""``MessageFacts``: all that a message may state, typed and read from the ledger; nothing else gets into a draft."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from babel import Locale, UnknownLocaleError

from duecourse.core.calendar import add_business_days, holiday_days
from duecourse.core.money import Money
from duecourse.ledger.as_of import View
from duecourse.ledger.collectible import collectible
from duecourse.ledger.correspondence import days_unanswered

REPLY_BUSINESS_DAYS = 7  # a firm message asks for payment or an answer by then
LONGEST_NAME = 80
LANGUAGES = ("en", "de", "fr", "es", "nl")
_LANGUAGE_OF_COUNTRY = {"DE": "de", "AT": "de", "LI": "de", "FR": "fr", "MC": "fr", "NL": "nl", "ES": "es", "MX": "es",
                        "AR": "es", "CL": "es", "CO": "es", "PE": "es", "UY": "es"}  # fmt: skip
_ADDRESS = re.compile(r"[^\s<>,;:\"()@]{1,64}@[^\s<>,;:\"()@]{1,190}")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One invoice of the message: what is asked for it now, after holds, promises and credits."""

    invoice_id: str
    issued_on: date
    due_on: date
    asked: Money
    days_late: int


@dataclass(frozen=True, slots=True)
class TermsFacts:
    """What a message may offer: ``percent`` off until ``by``; or a plan of so many ``instalments`` until ``by``.

    ``first_percent`` of the debt is paid at once in a plan. Stated by the tenant, not read from the ledger.
    """

    by: date
    percent: float | None = None
    instalments: int | None = None
    first_percent: float | None = None


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """Everything one message may state. Amounts are per currency, never added across.

    Names are cleaned: no control, zero-width or direction characters, one line, at most 80 characters. ``language`` is
    one of ``LANGUAGES``, ``locale`` a Babel locale of it. ``disputed``, ``promised`` and ``netted`` are what the
    message leaves out and why; ``last_contact_on`` is when we last wrote or called, ``they_wrote`` whether a written
    message of theirs still waits for an answer; ``terms`` is what the message offers, if anything.
    """

    party_name: str
    contact_name: str
    email: str
    phone: str
    address: str
    language: str
    locale: str
    lines: tuple[InvoiceLine, ...]
    disputed: tuple[Money, ...]
    promised: tuple[Money, ...]
    netted: tuple[Money, ...]
    today: date
    reply_by: date
    last_contact_on: date | None
    sender: str = ""
    they_wrote: bool = False
    terms: TermsFacts | None = None

    @property
    def total(self) -> tuple[Money, ...]:
        """What the listed invoices add up to, per currency."""
        return _per_currency(line.asked for line in self.lines)

    @property
    def overdue(self) -> tuple[InvoiceLine, ...]:
        """The listed invoices past their due date."""
        return tuple(line for line in self.lines if line.days_late > 0)

    @property
    def total_overdue(self) -> tuple[Money, ...]:
        """What the overdue ones add up to, per currency."""
        return _per_currency(line.asked for line in self.overdue)

    @property
    def discounted(self) -> tuple[Money, ...]:
        """What settles the overdue invoices under the discount on offer, per currency; empty without one."""
        if self.terms is None or self.terms.percent is None:
            return ()
        kept = 1 - self.terms.percent / 100
        return tuple(Money(round(one.minor * kept), one.currency) for one in self.total_overdue)


class FactReader:
    """Reads the facts of messages from one ``View``; tables are indexed once."""

    def __init__(self, view: View) -> None:
        self._as_of = view.as_of
        self._customers = _by(view.table("customers"), "customer_id")
        self._contacts = _by(view.table("contacts"), "contact_id")
        self._invoices = _by(view.table("invoices"), "invoice_id")
        balances = collectible(view).filter(pl.col("open_minor") > 0)
        self._balances = _by(balances, "invoice_id")
        self._of_customer: dict[str, list[dict[str, Any]]] = {}
        for row in balances.iter_rows(named=True):
            self._of_customer.setdefault(row["customer_id"], []).append(row)
        out = view.table("activities").filter(
            (pl.col("direction") == "out") & pl.col("channel").is_in(["email", "sms", "call", "letter"])
        )
        last = out.group_by("customer_id").agg(pl.col("occurred_at").max().dt.date().alias("day"))
        self._last_contact: dict[str, date] = dict(last.iter_rows())
        self._activities: dict[str, list[dict[str, Any]]] = {}
        for row in view.table("activities").sort("occurred_at", "activity_id").iter_rows(named=True):
            self._activities.setdefault(row["customer_id"], []).append(row)

    def read(self, customer_id: str, invoice_ids: Sequence[str], contact_id: str | None, *,
             sender: str = "") -> MessageFacts:  # fmt: skip
        """The facts of one message to ``customer_id`` about ``invoice_ids``, oldest due date first.

        Invoices on which nothing may be asked are left out. Raises KeyError for an invoice that is not in the view.
        """
        customer = self._customers.get(customer_id, {})
        contact = self._contacts.get(contact_id or "", {})
        lines = sorted((self._line(key) for key in invoice_ids), key=lambda line: (line.due_on, line.invoice_id))
        owners = sorted({customer_id, *(self._invoices[key]["customer_id"] for key in invoice_ids)})
        rows = [row for owner in owners for row in self._of_customer.get(owner, [])]
        country = str(contact.get("country") or customer.get("country") or "")
        language = _language(contact.get("language"), customer.get("language"), country)
        days = [self._last_contact[owner] for owner in owners if owner in self._last_contact]
        holidays = holiday_days(country, self._as_of, add_business_days(self._as_of, 30)) if country else None
        reply_by = add_business_days(self._as_of, REPLY_BUSINESS_DAYS, *(() if holidays is None else (holidays,)))
        email = clean(contact.get("email"))
        return MessageFacts(
            party_name=clean(customer.get("name")) or clean(customer_id), contact_name=clean(contact.get("name")),
            email=email if _ADDRESS.fullmatch(email) else "",
            phone=clean(contact.get("phone") or contact.get("mobile")),
            address=clean(contact.get("address")), language=language, locale=locale_of(language, country),
            lines=tuple(line for line in lines if line.asked.minor > 0), disputed=_held(rows, "disputed_minor"),
            promised=_held(rows, "promised_minor", "planned_minor"), netted=_held(rows, "netted_minor"),
            today=self._as_of, reply_by=reply_by, last_contact_on=max(days, default=None), sender=clean(sender),
            they_wrote=any(self._waits_for_answer(owner) for owner in owners),
        )  # fmt: skip

    def _waits_for_answer(self, customer_id: str) -> bool:
        return days_unanswered(self._activities.get(customer_id, ()), self._as_of) is not None

    def _line(self, invoice_id: str) -> InvoiceLine:
        invoice, balance = self._invoices[invoice_id], self._balances.get(invoice_id)
        asked = 0 if balance is None else balance["collectible_minor"]
        return InvoiceLine(
            clean(invoice_id), invoice["issued_on"], invoice["due_on"], Money(asked, invoice["currency"]),
            (self._as_of - invoice["due_on"]).days,
        )  # fmt: skip


def clean(value: object) -> str:
    """Text fit for one line of a message: no control, zero-width or direction-changing characters, at most 80 long.

    Letters of every script stay as they are.
    """
    text = unicodedata.normalize("NFC", str(value or ""))
    spaced = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    kept = "".join(char for char in spaced if unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn"))
    joined = " ".join(kept.split())
    return joined if len(joined) <= LONGEST_NAME else joined[: LONGEST_NAME - 1] + "…"


def _language(*preferred: object) -> str:
    """The contact's language, else the customer's, else the usual one of the country (last), else English."""
    *tags, country = preferred
    for tag in tags:
        code = str(tag or "").replace("_", "-").split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return _LANGUAGE_OF_COUNTRY.get(str(country), "en")


def locale_of(language: str, country: str) -> str:
    """A Babel locale: the language as written in the country, else as usual."""
    usual = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "nl": "nl_NL"}[language]
    if len(country) != 2 or not country.isalpha():
        return usual
    try:
        return str(Locale.parse(f"{language}_{country.upper()}"))
    except (UnknownLocaleError, ValueError):
        return usual


def _per_currency(amounts: Any) -> tuple[Money, ...]:  # noqa: ANN401 - any iterable of Money
    sums: dict[str, int] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))


def _held(rows: Sequence[dict[str, Any]], *columns: str) -> tuple[Money, ...]:
    held = (Money(row[column], row["currency"]) for row in rows for column in columns if row[column])
    return _per_currency(held)


def _by(frame: pl.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in frame.iter_rows(named=True)}
