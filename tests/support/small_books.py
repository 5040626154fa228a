"""Small ledgers from a handful of words, for tests of plans, drafts, segments and changes of habit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from duecourse.ledger.as_of import Ledger, View
from duecourse.ledger.schema import TABLES

AS_OF = date(2026, 6, 1)  # a Monday


@dataclass
class Book:
    """Collects rows; ``ledger()`` and ``view()`` turn them into the real thing."""

    as_of: date = AS_OF
    currency: str = "EUR"
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **row: Any) -> Book:
        """One row of ``table``."""
        self.rows.setdefault(table, []).append(row)
        return self

    def customer(self, customer_id: str, **row: Any) -> Book:
        """A customer with a payables contact that has an e-mail address and a phone."""
        self.add("customers", customer_id=customer_id, **{"name": f"{customer_id} Ltd", "country": "DE", **row})
        return self.add(
            "contacts", contact_id=f"{customer_id}-ap", customer_id=customer_id, name="Kim Berg", role="payables",
            email=f"ap@{customer_id.lower()}.example", phone="+49 30 1234567", timezone="Europe/Berlin",
        )  # fmt: skip

    def invoice(self, invoice_id: str, customer_id: str, *, days_late: int, minor: int = 100_000, terms: int = 30,
                paid_late: int | None = None, currency: str | None = None, **row: Any) -> Book:  # fmt: skip
        """An invoice ``days_late`` at as_of; with ``paid_late`` it was paid that many days after its due date."""
        due = self.as_of - timedelta(days=days_late)
        unit = currency or self.currency
        self.add(
            "invoices", invoice_id=invoice_id, customer_id=customer_id, issued_on=due - timedelta(days=terms),
            due_on=due, amount_minor=minor, currency=unit, **row,
        )  # fmt: skip
        if paid_late is not None:
            paid_on = due + timedelta(days=paid_late)
            self.add("payments", payment_id=f"P-{invoice_id}", received_on=paid_on, amount_minor=minor,
                     currency=unit, customer_id=customer_id)  # fmt: skip
            self.add("allocations", allocation_id=f"A-{invoice_id}", invoice_id=invoice_id, source_kind="payment",
                     source_id=f"P-{invoice_id}", applied_on=paid_on, amount_minor=minor)  # fmt: skip
        return self

    def history(self, customer_id: str, delays: Iterable[int], *, first_due: int = 400, every: int = 30,
                minor: int = 100_000) -> Book:  # fmt: skip
        """Paid invoices due every ``every`` days from ``first_due`` days before as_of, with these days late."""
        for number, delay in enumerate(delays):
            self.invoice(f"{customer_id}-H{number:03}", customer_id, days_late=first_due - number * every,
                         paid_late=delay, minor=minor)  # fmt: skip
        return self

    def contacted(self, customer_id: str, *, days_ago: int, **row: Any) -> Book:
        """An outgoing e-mail that many days before as_of."""
        number = len(self.rows.get("activities", []))
        base = {"channel": "email", "direction": "out", "tone": "soft"}
        return self.add("activities", activity_id=f"ACT{number}", customer_id=customer_id,
                        occurred_at=moment(self.as_of, -days_ago), **{**base, **row})  # fmt: skip

    def ledger(self) -> Ledger:
        """The ledger of all rows so far."""
        frames = {
            name: pl.DataFrame(
                [{column: row.get(column) for column in TABLES[name].dtypes} for row in rows],
                schema=TABLES[name].dtypes,
            )
            for name, rows in self.rows.items()
        }
        return Ledger.from_frames({"invoices": TABLES["invoices"].empty(), **frames})

    def view(self) -> View:
        """The book as known at ``as_of``."""
        return self.ledger().as_of(self.as_of)


def moment(day: date, days: int = 0, hour: int = 12) -> datetime:
    """A time of day in UTC, ``days`` after ``day``."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(days=days)


@dataclass(frozen=True)
class FixedPrediction:
    """Scores and curves that a test states outright, in the columns of the contract."""

    scores: pl.DataFrame
    curves: pl.DataFrame


def prediction(view: View, paid_within_14: Mapping[str, float], *, p_never: Mapping[str, float] | None = None,
               segment: Mapping[str, str] | None = None, horizon: int = 120) -> FixedPrediction:  # fmt: skip
    """A prediction in which each open invoice is paid within 14 days with the stated chance, evenly spread.

    After that the rest, but for ``p_never``, comes evenly until the horizon.
    """
    from duecourse.ledger.balances import invoice_balances

    frame = invoice_balances(view).filter(pl.col("open_minor") > 0).sort("invoice_id")
    scores, curves = [], []
    for row in frame.iter_rows(named=True):
        key = row["invoice_id"]
        soon, never = paid_within_14.get(key, 0.5), (p_never or {}).get(key, 0.02)
        later = max(1 - never - soon, 0.0)
        cdf = [soon * min(day + 1, 15) / 15 + later * max(day - 14, 0) / (horizon - 15) for day in range(horizon)]
        p50 = next((day for day, value in enumerate(cdf) if value >= 0.5), None)
        scores.append({
            "invoice_id": key, "customer_id": row["customer_id"], "as_of": view.as_of,
            "open_minor": row["open_minor"], "currency": row["currency"],
            "days_late": (view.as_of - row["due_on"]).days,
            "segment": (segment or {}).get(row["customer_id"], "occasional"), "p_late": 1.0, "p_late_30": 0.5,
            "p_late_60": 0.2, "p_never": never, "paid_on_p10": None,
            "paid_on_p50": None if p50 is None else view.as_of + timedelta(days=p50), "paid_on_p90": None,
            "expected_days": float(sum(1 - value for value in cdf)), "reasons": "[]", "rung": "customer_history",
            "model_id": "fixed",
        })  # fmt: skip
        curves += [{"invoice_id": key, "day": day, "cdf": value} for day, value in enumerate(cdf)]
    return FixedPrediction(
        pl.DataFrame(scores, schema_overrides={"paid_on_p50": pl.Date, "as_of": pl.Date}, infer_schema_length=None),
        pl.DataFrame(curves, schema={"invoice_id": pl.String, "day": pl.Int32, "cdf": pl.Float64}),
    )
