"""Random ledgers with everything that makes a metric hard.

Part payments, reversals, credits, write-offs, prepayments, several currencies, entities and parents, fees, disputes,
promises, activities, returned and unidentified payments, rows recorded late or after the day of the view, and newer
versions of rows of every table (an amount, a due date, a customer mended, a row voided), recorded before or after it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import polars as pl

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES

AS_OF = date(2026, 3, 17)
_SPAN_DAYS = 520
Rows = dict[str, list[dict[str, Any]]]


def random_ledger(seed: int, *, invoices: int = 60, customers: int = 7) -> Ledger:
    """A ledger of about ``invoices`` invoices before AS_OF and a few recorded or dated after it."""
    draw = Random(seed)
    currencies = draw.choice([("USD",), ("USD", "USD", "JPY"), ("USD", "EUR", "KWD")])
    rows: Rows = {name: [] for name in TABLES}
    first = AS_OF - timedelta(days=draw.choice([60, 200, 400, _SPAN_DAYS]))
    for number in range(customers):
        if draw.random() < 0.8:
            rows["customers"].append({
                "customer_id": f"C{number}", "name": f"N{number}", "segment": draw.choice(["big", "small", None]),
                "parent_id": draw.choice(["P", "Q", None]),
            })  # fmt: skip
    for number in range(invoices):
        _invoice(rows, draw, f"I{number:03}", f"C{draw.randrange(customers)}", first, draw.choice(currencies))
    for number in range(invoices // 3):
        _around(rows, draw, f"{number}", f"C{draw.randrange(customers)}", first, draw.choice(currencies))
    for name, values in rows.items():
        values += [_newer(draw, name, row) for row in values if draw.random() < 0.12]
    frames = {
        name: pl.DataFrame([{column: row.get(column) for column in TABLES[name].dtypes} for row in values],
                           schema=TABLES[name].dtypes)
        for name, values in rows.items()
    }  # fmt: skip
    return Ledger.from_frames(frames)


def _some_day(draw: Random, first: date) -> date:
    return first + timedelta(days=draw.randrange((AS_OF - first).days + 5))


_MENDED: dict[str, Callable[[Random, dict[str, Any]], dict[str, Any]]] = {
    "customers": lambda draw, _row: {"segment": draw.choice(["big", "small", None]), "parent_id": "P"},
    "invoices": lambda draw, row: draw.choice([
        {"amount_minor": row["amount_minor"] // 2},
        {"due_on": row["due_on"] + timedelta(days=30)},
        {"customer_id": f"C{draw.randrange(4)}"},
        {"entity_id": "E2", "kind": "invoice"},
    ]),
    "allocations": lambda draw, row: draw.choice([
        {"reversed_on": row["applied_on"] + timedelta(days=draw.randrange(40))},
        {"amount_minor": row["amount_minor"] // 3},
        {"source_kind": "write_off"},
    ]),
    "payments": lambda draw, _row: draw.choice([{"customer_id": "C1"}, {"status": "returned"}]),
    "credits": lambda _draw, row: {"amount_minor": row["amount_minor"] * 2},
    "disputes": lambda _draw, row: {"closed_on": row["opened_on"] + timedelta(days=50), "outcome": "valid"},
    "promises": lambda _draw, row: {"amount_minor": row["amount_minor"] // 4},
    "activities": lambda _draw, _row: {"minutes": 30.0, "outcome": "reached"},
}  # fmt: skip
_OWN_DAY = {"invoices": "issued_on", "allocations": "applied_on", "payments": "received_on", "credits": "issued_on",
            "disputes": "opened_on", "promises": "promised_on", "activities": "occurred_at"}  # fmt: skip


def _newer(draw: Random, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A newer version of a row, recorded 1 to 90 days after the older one, now and then a void."""
    known = row.get("recorded_at") or row.get(_OWN_DAY.get(table, ""), AS_OF - timedelta(days=90))
    recorded = _moment(known.date() if isinstance(known, datetime) else known) + timedelta(
        days=draw.randrange(1, 90), hours=draw.randrange(24)
    )
    if draw.random() < 0.25:
        return {**row, "recorded_at": recorded, "voided_at": recorded}
    return {**row, **_MENDED[table](draw, row), "recorded_at": recorded}


def _invoice(rows: Rows, draw: Random, key: str, customer: str, first: date, currency: str) -> None:
    issued = _some_day(draw, first)
    due = issued + timedelta(days=draw.choice([0, 14, 30, 60]))
    amount = draw.choice([0, 1, 99, 12_345, 1_000_001, draw.randrange(1, 500_000)])
    rows["invoices"].append({
        "invoice_id": key, "customer_id": customer, "issued_on": issued, "due_on": due, "amount_minor": amount,
        "currency": currency, "entity_id": draw.choice(["E1", "E2", None]),
        "kind": draw.choice(["invoice", None, "debit_note", "fee"]),
        "recorded_at": draw.choice([None, None, _moment(issued + timedelta(days=draw.randrange(40)))]),
    })  # fmt: skip
    left = amount
    for part in range(draw.choice([0, 1, 1, 2, 3])):
        share = draw.choice([left, left, left, left // 2, left // 3, left + 1 if draw.random() < 0.1 else left])
        if share <= 0:
            continue
        applied = due + timedelta(days=draw.randrange(-25, 130))
        kind = draw.choice(["payment"] * 6 + ["credit", "write_off", "discount", "fee"])
        reversed_on = applied + timedelta(days=draw.randrange(-1, 30)) if draw.random() < 0.1 else None
        payment = f"PAY-{key}-{part}"
        rows["allocations"].append({
            "allocation_id": f"{key}-{part}", "invoice_id": key, "source_kind": kind, "applied_on": applied,
            "amount_minor": share, "reversed_on": reversed_on,
            "source_id": payment if kind == "payment" else draw.choice([None, f"CR-{key}-{part}"]),
            "recorded_at": draw.choice([None, None, None, _moment(applied + timedelta(days=draw.randrange(20)))]),
        })  # fmt: skip
        if kind == "payment" and draw.random() < 0.9:
            rows["payments"].append({
                "payment_id": payment, "received_on": applied - timedelta(days=draw.randrange(3)),
                "amount_minor": share + draw.choice([0, 0, 500]), "currency": currency,
                "customer_id": draw.choice([customer, customer, None]),
                "status": draw.choice(["cleared", None, None, "returned"]),
            })  # fmt: skip
        if kind == "credit" and draw.random() < 0.5:
            rows["credits"].append({
                "credit_id": f"CR-{key}-{part}", "customer_id": customer, "issued_on": applied, "amount_minor": share,
                "currency": currency, "invoice_id": draw.choice([key, None]),
            })  # fmt: skip
        left -= share
    if draw.random() < 0.3:
        opened = issued + timedelta(days=draw.randrange(40))
        rows["disputes"].append({
            "dispute_id": f"D-{key}", "invoice_id": key, "opened_on": opened,
            "disputed_minor": draw.choice([None, amount // 2, amount]),
            "closed_on": draw.choice([None, opened + timedelta(days=draw.randrange(60))]),
            "outcome": draw.choice(["valid", "partly_valid", "invalid", "withdrawn", None]),
            "valid_minor": draw.choice([None, amount // 4]), "credit_id": draw.choice([None, "CR"]),
        })  # fmt: skip


def _around(rows: Rows, draw: Random, number: str, customer: str, first: date, currency: str) -> None:
    """An activity, a promise, and now and then a free payment."""
    day = _some_day(draw, first)
    named = [f"I{draw.randrange(60):03}" for _ in range(draw.randrange(3))]
    rows["activities"].append({
        "activity_id": f"A{number}", "customer_id": customer, "occurred_at": _moment(day, 9),
        "channel": draw.choice(["email", "sms", "call", "letter", "portal", "meeting", "note"]),
        "direction": draw.choice(["out", "out", "in"]), "minutes": draw.choice([None, 0.0, 5.0, 12.5]),
        "outcome": draw.choice([None, "delivered", "clicked", "replied"]), "invoice_ids": draw.choice([None, named]),
    })  # fmt: skip
    rows["promises"].append({
        "promise_id": f"V{number}", "customer_id": customer, "promised_on": day,
        "due_on": day + timedelta(days=draw.randrange(30)), "amount_minor": draw.choice([0, 5_000, 200_000]),
        "currency": draw.choice([currency, currency, "JPY"]), "invoice_ids": draw.choice([None, [], named]),
    })  # fmt: skip
    if draw.random() < 0.25:
        rows["payments"].append({
            "payment_id": f"FREE{number}", "received_on": day, "amount_minor": draw.randrange(1, 90_000),
            "currency": currency, "customer_id": draw.choice([customer, None]),
        })  # fmt: skip


def _moment(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
