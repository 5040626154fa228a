"""``Facts``: what a conversation can be about - promises, disputes, payments, events - by day and invoice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from duecourse.ledger.as_of import Ledger
from duecourse.science.simulate.telling.background import Background

JUST_PAID_DAYS, DECIDED_DAYS = 6, 6


@dataclass(frozen=True)
class Facts:
    """Rows of the ledger by (day, invoice_id), truth by invoice, events by (day, customer_id)."""

    promises: Mapping[tuple[date, str], dict[str, Any]]
    disputes: Mapping[tuple[date, str], dict[str, Any]]
    decided: Mapping[str, date]
    received: Mapping[str, date]
    events: Mapping[tuple[date, str], tuple[str, ...]]
    articles: Mapping[str, tuple[str, str]]
    sort_of: Mapping[str, str]
    as_of: date

    def promised(self, day: date, invoice_ids: list[str]) -> list[dict[str, Any]]:
        """The promises given that day about any of these invoices, each once."""
        found = {row["promise_id"]: row for each in invoice_ids if (row := self.promises.get((day, each)))}
        return list(found.values())

    def disputed(self, day: date, invoice_ids: list[str]) -> list[dict[str, Any]]:
        """The disputes of these invoices that came to light that day."""
        return [row for each in invoice_ids if (row := self.disputes.get((day, each)))]

    def just_paid(self, day: date, invoice_ids: list[str]) -> list[str]:
        """Invoices whose money arrived in the days before a message of that day, or on it."""
        first = day - timedelta(days=JUST_PAID_DAYS)
        return [each for each in invoice_ids if first <= self.received.get(each, date.min) <= day]

    def just_decided(self, day: date, invoice_ids: list[str]) -> list[str]:
        """Invoices whose payment was decided in the week after that day."""
        last = day + timedelta(days=DECIDED_DAYS)
        return [each for each in invoice_ids if day <= self.decided.get(each, date.max) <= last]


def make_facts(ledger: Ledger, background: Background, lines: pl.DataFrame) -> Facts:
    """The facts of a ledger and its background; ``lines`` name the article that a dispute is about."""
    promises = {
        (row["promised_on"], each): row
        for row in ledger.table("promises").iter_rows(named=True)
        for each in row["invoice_ids"] or []
    }
    opened = ledger.table("disputes").sort("recorded_at").unique("dispute_id", keep="first", maintain_order=True)
    disputes = {
        (row["opened_on"], row["invoice_id"]): row
        for row in opened.iter_rows(named=True)
        if not row["dispute_id"].startswith("DS")
    }
    arrivals = background.items.join(
        ledger.table("payments").select("payment_id", "received_on"), on="payment_id", how="inner"
    )
    received = arrivals.group_by("invoice_id").agg(pl.col("received_on").min())
    events: dict[tuple[date, str], tuple[str, ...]] = {}
    for own, day, what in background.events.select("customer_id", "day", "what").iter_rows():
        events[day, own] = (*events.get((day, own), ()), what)
    listed = lines.filter(~pl.col("sku").str.ends_with("-900"))
    article = listed.unique("invoice_id", keep="first", maintain_order=True).select("invoice_id", "sku", "description")
    return Facts(
        promises, disputes, dict(background.decided.drop_nulls().iter_rows()), dict(received.iter_rows()), events,
        {each: (sku, text.split(" (-")[0]) for each, sku, text in article.iter_rows()}, background.sort_of,
        background.as_of,
    )  # fmt: skip
