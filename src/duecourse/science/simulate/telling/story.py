"""``tell`` puts the told tables together; ``Told`` is the ledger and the truth of its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES
from duecourse.science.simulate.pay_calendar import Ints
from duecourse.science.simulate.telling.background import Background
from duecourse.science.simulate.telling.conversations import Talk, converse
from duecourse.science.simulate.telling.directory import make_directory
from duecourse.science.simulate.telling.facts import make_facts
from duecourse.science.simulate.telling.failures import told_failures
from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.lines import invoice_lines
from duecourse.science.simulate.telling.papers import payer_columns, told_invoices
from duecourse.science.simulate.telling.people import told_contacts, told_customers
from duecourse.science.simulate.telling.plans import told_plans
from duecourse.science.simulate.telling.remittance import stray_payments, told_payments
from duecourse.science.simulate.telling.threads import told_disputes

# Columns that the plain ledger fills for want of words, and the told one fills with them.
REWRITTEN: Mapping[str, tuple[str, ...]] = {"payments": ("remittance_text",), "promises": ("source",)}
_TRUTH_MESSAGES: Mapping[str, Any] = {
    "activity_id": pl.String, "customer_id": pl.String, "language": pl.String, "style": pl.String,
    "intents": pl.List(pl.String), "spans": pl.List(pl.String),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """``ledger`` in words; ``truth``: ``messages`` (intents and their spans) and ``remittances`` (what they mean)."""

    ledger: Ledger
    truth: Mapping[str, pl.DataFrame]


def item_frame(items: pl.DataFrame, short_minor: Ints, discount_minor: Ints) -> pl.DataFrame:
    """``Background.items`` from ``books.payment_items`` and what was held back or kept per invoice.

    Both are said with the last payment of an invoice (its whole or its rest).
    """
    row, last = items["row"].to_numpy(), (items["part"] != 1).to_numpy()
    return items.select("payment_id", "invoice_id", "amount_minor", "part").with_columns(
        pl.Series("short_minor", short_minor[row] * last), pl.Series("discount_minor", discount_minor[row] * last)
    )


def tell(ledger: Ledger, background: Background, *, held_out: bool = False) -> Told:
    """``ledger`` with all words; existing rows keep every value but those of REWRITTEN and gain empty columns.

    With ``held_out`` everybody writes in the styles kept for tests. Same ledger and background, same bytes.
    """
    luck = Luck(background.seed)
    customers, invoices = ledger.table("customers"), ledger.table("invoices")
    lines = invoice_lines(invoices, customers, luck)
    contacts = told_contacts(ledger.table("contacts"), customers, luck, background.as_of)
    directory = make_directory(customers, contacts, invoices, luck, held_out=held_out)
    talk = Talk(make_facts(ledger, background, lines), directory, luck)
    activities = converse(ledger.table("activities"), talk)
    told_failures(background.events, talk)
    disputes = told_disputes(ledger.table("disputes"), talk, _told_in_answers(talk))
    plans = told_plans(activities, talk, TABLES["plans"].dtypes)
    payments, remittances = _payments(ledger, background, luck)
    tables = dict(ledger.tables) | {
        "customers": told_customers(customers, luck), "contacts": contacts,
        "invoices": told_invoices(invoices, luck, background.as_of), "invoice_lines": lines, "payments": payments,
        "activities": _all_activities(activities, talk), "promises": _promises(ledger.table("promises"), talk),
        "disputes": disputes, "plans": plans,
    }  # fmt: skip
    messages = pl.DataFrame(talk.truth, schema=_TRUTH_MESSAGES).sort("activity_id")
    return Told(Ledger.from_frames(tables), {"messages": messages, "remittances": remittances})


def _told_in_answers(talk: Talk) -> set[str]:
    """Disputes whose claim already stands in an answer."""
    said = {row["activity_id"]: row for row in talk.rows if row["activity_id"].startswith("REP-")}
    told: set[str] = set()
    for row in talk.truth:
        answer = said.get(row["activity_id"])
        if answer is not None and "dispute" in row["intents"]:
            day = answer["occurred_at"].date()
            told |= {each["dispute_id"] for each in talk.facts.disputed(day, answer["invoice_ids"] or [])[:3]}
    return told


def _payments(ledger: Ledger, background: Background, luck: Luck) -> tuple[pl.DataFrame, pl.DataFrame]:
    customers, payments = ledger.table("customers"), ledger.table("payments")
    named = payer_columns(payments, customers, luck)
    told, truth = told_payments(named, background.items, ledger.table("invoices"), customers, luck)
    strays, stray_truth = stray_payments(told, luck, background.as_of)
    return pl.concat([told, strays.select(told.columns)]), pl.concat([truth, stray_truth])


def _all_activities(activities: pl.DataFrame, talk: Talk) -> pl.DataFrame:
    new = pl.DataFrame(talk.rows, schema=activities.schema)
    return pl.concat([activities, new]).sort("occurred_at", "activity_id", maintain_order=True)


def _promises(promises: pl.DataFrame, talk: Talk) -> pl.DataFrame:
    """The sentence of each promise, and whether it was written or said."""
    told = [talk.quotes.get(each) for each in promises["promise_id"]]
    source = [one[0] if one else before for one, before in zip(told, promises["source"], strict=True)]
    return promises.with_columns(
        pl.Series("source", source, dtype=pl.String),
        pl.Series("quote", [one[1] if one else None for one in told], dtype=pl.String),
    )
