"""A ledger in a line or two: ``books(invoice("I1"), allocation("I1", 10_000, "2026-02-01"))``.

Every builder gives one ``Row`` with sensible defaults; keyword arguments set any further column of the table. Dates may
be ISO text, timestamps ISO text (``2026-01-05`` or ``2026-01-05T08:00:00Z``). Ids that are not given are derived from
the content, so that two different facts never share one by accident.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from duecourse.ledger.as_of import Ledger, View
from duecourse.ledger.schema import TABLES


@dataclass(frozen=True)
class Row:
    """One row of one table; ``also(...)`` gives a changed copy, for instance a newer version."""

    table: str
    values: dict[str, Any]

    def also(self, **changes: Any) -> Row:
        return Row(self.table, {**self.values, **changes})


def day(text: str | date) -> date:
    """A date from ISO text."""
    return text if isinstance(text, date) else date.fromisoformat(text)


def customer(customer_id: str = "C1", **more: Any) -> Row:
    return Row("customers", {"customer_id": customer_id, "name": f"Customer {customer_id}", **more})


def contact(contact_id: str, customer_id: str = "C1", **more: Any) -> Row:
    return Row("contacts", {"contact_id": contact_id, "customer_id": customer_id, **more})


def invoice(
    invoice_id: str = "I1", amount_minor: int = 10_000, issued_on: str = "2026-01-01", due_on: str = "", **more: Any
) -> Row:
    """An invoice of 100.00 USD to C1, due 30 days after its issue."""
    due = due_on or (day(issued_on) + timedelta(days=30)).isoformat()
    values = {"invoice_id": invoice_id, "customer_id": "C1", "issued_on": issued_on, "due_on": due}
    return Row("invoices", {**values, "amount_minor": amount_minor, "currency": "USD", **more})


def credit(credit_id: str, amount_minor: int, issued_on: str, **more: Any) -> Row:
    values = {"credit_id": credit_id, "customer_id": "C1", "issued_on": issued_on}
    return Row("credits", {**values, "amount_minor": amount_minor, "currency": "USD", **more})


def payment(payment_id: str, amount_minor: int, received_on: str, **more: Any) -> Row:
    values = {"payment_id": payment_id, "customer_id": "C1", "received_on": received_on}
    return Row("payments", {**values, "amount_minor": amount_minor, "currency": "USD", **more})


def allocation(invoice_id: str, amount_minor: int, applied_on: str, source_kind: str = "payment", **more: Any) -> Row:
    """Part of a payment (unless another kind is named) against an invoice; no source_id unless given."""
    values = {
        "allocation_id": f"A/{invoice_id}/{source_kind}/{applied_on}/{amount_minor}",
        "invoice_id": invoice_id,
        "source_kind": source_kind,
        "applied_on": applied_on,
        "amount_minor": amount_minor,
    }
    return Row("allocations", {**values, **more})


def dispute(invoice_id: str, opened_on: str, disputed_minor: int | None = None, **more: Any) -> Row:
    values = {"dispute_id": f"D/{invoice_id}/{opened_on}", "invoice_id": invoice_id, "opened_on": opened_on}
    return Row("disputes", {**values, "disputed_minor": disputed_minor, **more})


def promise(promise_id: str, amount_minor: int, promised_on: str, due_on: str, **more: Any) -> Row:
    values = {"promise_id": promise_id, "customer_id": "C1", "promised_on": promised_on, "due_on": due_on}
    return Row("promises", {**values, "amount_minor": amount_minor, "currency": "USD", **more})


def plan(plan_id: str, agreed_on: str, instalments: list[str], **more: Any) -> Row:
    """A payment plan; instalments are texts such as ``2026-03-01:5000``."""
    values = {"plan_id": plan_id, "customer_id": "C1", "agreed_on": agreed_on, "currency": "USD"}
    return Row("plans", {**values, "instalments": instalments, **more})


def activity(activity_id: str, channel: str, occurred_at: str, **more: Any) -> Row:
    values = {"activity_id": activity_id, "customer_id": "C1", "channel": channel, "direction": "out"}
    return Row("activities", {**values, "occurred_at": occurred_at, **more})


def decision(decision_id: str, decided_at: str, arm: str = "email_soft", **more: Any) -> Row:
    values = {"decision_id": decision_id, "decided_at": decided_at, "customer_id": "C1", "arm": arm}
    return Row("decisions", {**values, **more})


def frames(*rows: Row) -> dict[str, pl.DataFrame]:
    """Typed frames per table, in the order of the rows."""
    by_table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_table[row.table].append(row.values)
    return {name: _frame(name, values) for name, values in by_table.items()}


def books(*rows: Row) -> Ledger:
    """A ledger that holds exactly these rows."""
    return Ledger.from_frames(frames(*rows))


def known(as_of: str | date, *rows: Row) -> View:
    """The view at the start of ``as_of`` of a ledger that holds exactly these rows."""
    return books(*rows).as_of(day(as_of))


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    table = TABLES[name]
    columns = dict.fromkeys(column for row in rows for column in row)
    series = []
    for column in columns:
        declared = table.by_name.get(column)
        values = [row.get(column) for row in rows]
        if declared is None:
            series.append(pl.Series(column, values))
            continue
        if declared.kind == "date":
            values = [day(value) if value is not None else None for value in values]
        elif declared.kind == "timestamp":
            values = [_moment(value) if value is not None else None for value in values]
        series.append(pl.Series(column, values, dtype=declared.dtype))
    return pl.DataFrame(series)


def _moment(value: str | date | datetime) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone is set in the next line
    return value if value.tzinfo else value.replace(tzinfo=UTC)
