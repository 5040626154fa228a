"""A clean ledger and a way to spoil it for each kind of fault that the audit knows: every planted fault must be found.

``clean()`` gives frames without any fault. Each ``Plant`` changes a copy of them so that exactly ``rows`` rows show the
fault ``code``; ``also`` names further codes that the same change cannot avoid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from duecourse.ledger.schema import TABLES

AS_OF = date(2026, 4, 1)
START = date(2025, 4, 1)
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Plant:
    code: str
    rows: int
    spoil: Callable[[Frames], Frames]
    also: frozenset[str] = frozenset()


def frame(table: str, rows: list[Mapping[str, Any]]) -> pl.DataFrame:
    """Typed frame of a table from rows; absent columns are null."""
    dtypes = TABLES[table].dtypes
    return pl.DataFrame([{name: row.get(name) for name in dtypes} for row in rows], schema=dtypes)


def clean() -> Frames:
    """Twelve customers with 60 invoices, 48 of them paid, and a little of everything else; no fault in it."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES if name not in ("decisions", "plans")}
    for number in range(12):
        key = f"C{number:02}"
        rows["customers"].append({"customer_id": key, "name": f"Customer number {number}", "country": "DE",
                                  "currency": "EUR", "credit_limit_minor": 5_000_000})  # fmt: skip
        rows["contacts"].append({"contact_id": f"K{number:02}", "customer_id": key, "email": f"ap{number}@example.com"})
    for number in range(60):
        _invoice(rows, number)
    rows["credits"].append({"credit_id": "G1", "customer_id": "C00", "issued_on": START + timedelta(days=40),
                            "amount_minor": 1_000, "currency": "EUR", "invoice_id": "INV-A-000"})  # fmt: skip
    rows["activities"].append({"activity_id": "T1", "customer_id": "C01", "channel": "email", "direction": "out",
                               "occurred_at": _moment(AS_OF - timedelta(days=30))})  # fmt: skip
    rows["promises"].append({"promise_id": "V1", "customer_id": "C01", "promised_on": AS_OF - timedelta(days=29),
                             "due_on": AS_OF - timedelta(days=20), "amount_minor": 5_000,
                             "currency": "EUR"})  # fmt: skip
    rows["disputes"].append({"dispute_id": "D1", "invoice_id": "INV-C-002", "opened_on": START + timedelta(days=40),
                             "closed_on": START + timedelta(days=60), "disputed_minor": 500,
                             "outcome": "valid"})  # fmt: skip
    return {name: frame(name, values) for name, values in rows.items()}


def _invoice(rows: dict[str, list[dict[str, Any]]], number: int) -> None:
    customer = number % 12
    key = f"INV-{chr(65 + customer)}-{number:03}"
    issued = START + timedelta(days=number * 6)
    amount = 10_000 + 137 * number
    rows["invoices"].append({
        "invoice_id": key, "customer_id": f"C{customer:02}", "issued_on": issued, "terms_days": 30,
        "due_on": issued + timedelta(days=30), "amount_minor": amount, "currency": "EUR", "po_number": f"PO{number}",
        "delivered_on": issued + timedelta(days=1),
    })  # fmt: skip
    if number < 48:
        paid = issued + timedelta(days=28 + number % 9)
        rows["payments"].append({"payment_id": f"PAY{number:03}", "customer_id": f"C{customer:02}", "received_on": paid,
                                 "amount_minor": amount, "currency": "EUR", "reference": f"REF{number}"})  # fmt: skip
        rows["allocations"].append({"allocation_id": f"AL{number:03}", "invoice_id": key, "source_kind": "payment",
                                    "source_id": f"PAY{number:03}", "applied_on": paid,
                                    "amount_minor": amount})  # fmt: skip


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def change(table: str, count: int, **values: Any) -> Callable[[Frames], Frames]:
    """Overwrites columns in the first ``count`` rows; values may be expressions."""

    def spoil(frames: Frames) -> Frames:
        rows = frames[table].with_row_index("row")
        hit = pl.col("row") < count
        changed = rows.with_columns(
            pl.when(hit)
            .then(value if isinstance(value, pl.Expr) else pl.lit(value, dtype=TABLES[table].by_name[name].dtype))
            .otherwise(pl.col(name))
            .alias(name)
            for name, value in values.items()
        )
        return {**frames, table: changed.drop("row")}

    return spoil


def again(table: str, count: int, **values: Any) -> Callable[[Frames], Frames]:
    """Appends copies of the first ``count`` rows with other values in some columns."""

    def spoil(frames: Frames) -> Frames:
        rows = frames[table].head(count)
        copies = rows.with_columns(
            (value if isinstance(value, pl.Expr) else pl.lit(value, dtype=TABLES[table].by_name[name].dtype)).alias(
                name
            )
            for name, value in values.items()
        )
        return {**frames, table: pl.concat([frames[table], copies])}

    return spoil


def both(*spoils: Callable[[Frames], Frames]) -> Callable[[Frames], Frames]:
    """One change after the other."""

    def spoil(frames: Frames) -> Frames:
        for each in spoils:
            frames = each(frames)
        return frames

    return spoil


def _days(column: str, days: int) -> pl.Expr:
    return pl.col(column) + pl.duration(days=days)


def _new_id(column: str) -> pl.Expr:
    return pl.lit("Z") + pl.col(column)


def _late(column: str) -> pl.Expr:
    """A recording time after the row's own date, so that the copy is a later version."""
    return (pl.col(column).cast(pl.Datetime("us")) + pl.duration(days=3)).dt.replace_time_zone("UTC")


def _same_time(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


_EARLY = {"recorded_at": datetime(2025, 1, 1, tzinfo=UTC)}
_SOON = datetime(2026, 3, 1, tzinfo=UTC)

PLANTS: tuple[Plant, ...] = (
    Plant("missing_value", 2, change("invoices", 2, customer_id="  "), frozenset({"customer_unknown", "customer_mix"})),
    Plant("missing_value", 3, change("invoices", 3, due_on=None, terms_days=None)),
    Plant("due_before_issue", 4, change("invoices", 4, due_on=_days("issued_on", -1), terms_days=None)),
    Plant("amount_not_positive", 2, again("invoices", 2, invoice_id=pl.lit("N") + pl.col("invoice_id"), amount_minor=0,
                                          po_number=None, customer_id="C11")),
    Plant("amount_not_positive", 1, again("invoices", 1, invoice_id="CREDIT-1", amount_minor=-500, po_number=None)),
    Plant("unknown_currency", 3, again("invoices", 3, invoice_id=_new_id("invoice_id"), currency="EUX", po_number=None),
          frozenset({"currency_of_customer"})),
    Plant("reused_invoice_id", 2, again("invoices", 2, customer_id="C05", recorded_at=_late("issued_on")),
          frozenset({"customer_mix"})),
    Plant("over_allocated_invoice", 3, again("allocations", 3, allocation_id=_new_id("allocation_id"),
                                             source_kind="write_off", source_id=None)),
    Plant("duplicate_invoice", 5, again("invoices", 5, invoice_id=_new_id("invoice_id"))),
    Plant("double_reference", 4, again("invoices", 4, invoice_id=_new_id("invoice_id"), issued_on=_days("issued_on", 9),
                                       due_on=_days("due_on", 9), delivered_on=None)),
    Plant("similar_invoice_id", 3, again("invoices", 3, invoice_id=pl.col("invoice_id").str.replace_all("-", "/")
                                         .str.to_lowercase(), amount_minor=777, po_number=None)),
    Plant("issued_in_future", 2, change("invoices", 2, issued_on=_days("issued_on", 400), due_on=_days("due_on", 400),
                                        delivered_on=None, recorded_at=_SOON),
          frozenset({"paid_before_issue", "invoices_recorded_early"})),
    Plant("implausible_date", 2, change("invoices", 2, due_on=_days("issued_on", 3_650), terms_days=None)),
    Plant("implausible_date", 1, change("invoices", 1, issued_on=date(1900, 1, 1), due_on=date(1900, 1, 31))),
    Plant("terms_mismatch", 6, change("invoices", 6, terms_days=14)),
    Plant("missing_term", 3, change("invoices", 3, due_on=pl.col("issued_on"), terms_days=None)),
    Plant("customer_unknown", 5, lambda frames: {**frames, "customers": frames["customers"].filter(
        pl.col("customer_id") != "C03"), "contacts": frames["contacts"].filter(pl.col("customer_id") != "C03")}),
    Plant("paid_before_issue", 2, both(change("allocations", 2, applied_on=_days("applied_on", -40)),
                                       change("payments", 2, received_on=_days("received_on", -40)))),
    Plant("implausible_amount", 1, change("invoices", 1, amount_minor=90_000_000_000)),
    Plant("currency_of_customer", 5, change("customers", 1, currency="USD")),
    Plant("delivered_before_issue", 4, change("invoices", 4, delivered_on=_days("issued_on", -2))),
    Plant("payment_not_positive", 2, again("payments", 2, payment_id=_new_id("payment_id"), amount_minor=-100,
                                           reference=None)),
    Plant("over_allocated_payment", 3, change("payments", 3, amount_minor=100)),
    Plant("duplicate_payment", 4, again("payments", 4, payment_id=_new_id("payment_id"))),
    Plant("duplicate_payment", 2, both(change("payments", 2, reference=None),
                                       again("payments", 2, payment_id=_new_id("payment_id")))),
    Plant("payment_in_future", 1, again("payments", 1, payment_id="FUTURE", received_on=date(2027, 1, 1),
                                        recorded_at=_SOON), frozenset({"payments_recorded_early"})),
    Plant("unidentified_payment", 3, change("payments", 3, customer_id=None)),
    Plant("allocation_without_invoice", 2, change("allocations", 2, invoice_id="LOST")),
    Plant("reversed_before_applied", 2, change("allocations", 2, reversed_on=_days("applied_on", -1))),
    Plant("allocation_not_positive", 1, again("allocations", 1, allocation_id="NEGATIVE", amount_minor=-100)),
    Plant("currency_mix", 2, change("payments", 2, currency="USD")),
    Plant("allocation_without_source", 3, change("allocations", 3, source_id="LOST")),
    Plant("allocation_before_money", 2, change("allocations", 2, applied_on=_days("applied_on", -5))),
    Plant("customer_mix", 2, change("payments", 2, customer_id="C09")),
    Plant("duplicate_allocation", 2, again("allocations", 2, allocation_id=_new_id("allocation_id")),
          frozenset({"over_allocated_invoice", "over_allocated_payment"})),
    Plant("credit_not_positive", 1, change("credits", 1, amount_minor=0)),
    Plant("credit_without_invoice", 1, change("credits", 1, invoice_id="LOST")),
    Plant("scattered_customer", 2, again("customers", 2, customer_id=_new_id("customer_id"),
                                         name=pl.col("name").str.to_uppercase() + pl.lit("."))),
    Plant("parent_unknown", 3, change("customers", 3, parent_id="LOST")),
    Plant("own_parent", 2, change("customers", 2, parent_id=pl.col("customer_id"))),
    Plant("negative_credit_limit", 1, change("customers", 1, credit_limit_minor=-1)),
    Plant("contact_unreachable", 4, change("contacts", 4, email=None)),
    Plant("malformed_email", 2, change("contacts", 2, email="accounts payable")),
    Plant("activity_in_future", 1, change("activities", 1, occurred_at=datetime(2026, 9, 1, tzinfo=UTC),
                                          recorded_at=_SOON), frozenset({"activities_recorded_early"})),
    Plant("promise_due_before_made", 1, change("promises", 1, due_on=_days("promised_on", -3))),
    Plant("promise_not_positive", 1, change("promises", 1, amount_minor=0)),
    Plant("dispute_closed_before_opened", 1, change("disputes", 1, closed_on=_days("opened_on", -3))),
    Plant("disputed_more_than_invoice", 1, change("disputes", 1, disputed_minor=9_999_999)),
    Plant("dispute_closed_without_outcome", 1, change("disputes", 1, outcome=None)),
    Plant("activity_without_customer", 1, change("activities", 1, customer_id="LOST")),
    Plant("contact_without_customer", 2, change("contacts", 2, customer_id="LOST")),
    Plant("promise_without_customer", 1, change("promises", 1, customer_id="LOST")),
    Plant("dispute_without_invoice", 1, change("disputes", 1, invoice_id="LOST")),
    *(Plant(f"{table}_recorded_early", 1, change(table, 1, **_EARLY))
      for table in ("invoices", "payments", "allocations", "credits", "disputes", "promises", "activities")),
    *(Plant(f"{table}_duplicate_id", 1, again(table, 1, **{column: value}))
      for table, column, value in (
          ("invoices", "po_number", "OTHER"), ("payments", "reference", "OTHER"), ("credits", "reason", "other"),
          ("allocations", "source_kind", "rounding"), ("activities", "template", "other"),
          ("promises", "source", "other"), ("disputes", "owner", "other"), ("customers", "name", "Another name"),
          ("contacts", "name", "Another name"))),
)  # fmt: skip
