"""Made-up books with habits for timing tests: customers with their own delay, weekday and forgetfulness, seeded."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import Ledger

FIRST_DAY = date(2024, 1, 1)


def habit_frames(
    *, customers: int = 25, invoices: int = 900, days: int = 300, seed: int = 1, weekend: bool = False
) -> dict[str, pl.DataFrame]:
    """Frames of invoices, payments and allocations; customer k pays about k % 15 days late, mostly on one weekday."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, invoices)
    issue = rng.integers(0, days, invoices)
    terms = np.array([14, 30, 45])[who % 3]
    delay = np.round(rng.normal(who % 15 - 2, 1 + who % 4)).astype(int) + 40 * (rng.random(invoices) < 0.03)
    paid = np.maximum(issue + terms + delay, issue)
    weekday = paid % 7  # FIRST_DAY is a Monday
    paid = paid + (0 if weekend else np.where(weekday >= 5, 7 - weekday, 0))
    known = paid + rng.integers(0, 3, invoices) * (rng.random(invoices) < 0.1)
    ids = [f"I{number:05d}" for number in range(invoices)]
    frame = pl.DataFrame(
        {
            "invoice_id": ids,
            "customer_id": [f"C{number:03d}" for number in who],
            "issued_on": _dates(issue),
            "due_on": _dates(issue + terms),
            "amount_minor": rng.integers(1_000, 900_000, invoices),
            "currency": ["USD"] * invoices,
            "recorded_at": _moments(issue + (rng.random(invoices) < 0.1)),
        }
    )
    allocations = pl.DataFrame(
        {
            "allocation_id": [f"A{one}" for one in ids],
            "invoice_id": ids,
            "source_kind": ["payment"] * invoices,
            "source_id": [f"P{one}" for one in ids],
            "applied_on": _dates(paid),
            "amount_minor": frame.get_column("amount_minor"),
            "recorded_at": _moments(known),
        }
    )
    payments = pl.DataFrame(
        {
            "payment_id": [f"P{one}" for one in ids],
            "customer_id": frame.get_column("customer_id"),
            "received_on": _dates(paid),
            "amount_minor": frame.get_column("amount_minor"),
            "currency": ["USD"] * invoices,
            "recorded_at": _moments(known),
        }
    )
    return {"invoices": frame, "payments": payments, "allocations": allocations}


def habit_ledger(**options: int | bool) -> Ledger:
    """``habit_frames`` as a ledger."""
    return Ledger.from_frames(habit_frames(**options))  # type: ignore[arg-type]


def day_of(offset: int) -> date:
    """The day ``offset`` days after the books begin."""
    return FIRST_DAY + timedelta(days=offset)


def _dates(offset: np.ndarray) -> pl.Series:
    return pl.Series([day_of(int(one)) for one in offset], dtype=pl.Date)


def _moments(offset: np.ndarray) -> pl.Series:
    return _dates(offset).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
