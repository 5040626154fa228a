"""A book of payers with known habits, for tests of backtests: thousands of invoices from a few lines and a seed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import Ledger

FIRST = date(2025, 1, 1)
LAST = date(2025, 12, 31)  # nothing later is recorded


def payers(*, customers: int = 40, per_month: int = 6, seed: int = 0, habit: bool = True) -> Ledger:
    """A year of invoices, terms 14 days; customer k pays 4 k % 23 days after due, give or take (or all alike).

    Payments after 2025-12-31 are not in it. With ``habit`` False all customers share one distribution of delays.
    """
    rng = np.random.default_rng(seed)
    n = customers * per_month * 12
    customer = np.arange(n) % customers
    issued = np.sort(rng.integers(0, 365, n))
    usual = (4 * customer) % 23 if habit else np.full(n, 10)
    delay = usual + rng.integers(-3, 4, n) if habit else rng.integers(-5, 26, n)
    paid = np.maximum(issued + 14 + delay, issued)
    frame = pl.DataFrame(
        {
            "invoice_id": [f"I{k:05d}" for k in range(n)],
            "customer_id": [f"C{k:03d}" for k in customer],
            "issued_on": [FIRST + timedelta(days=int(k)) for k in issued],
            "due_on": [FIRST + timedelta(days=int(k) + 14) for k in issued],
            "amount_minor": rng.integers(1_000, 100_000, n),
            "currency": ["EUR"] * n,
            "paid_on": [FIRST + timedelta(days=int(k)) for k in paid],
        }
    )
    cleared = frame.filter(pl.col("paid_on") <= LAST).select(
        ("A" + pl.col("invoice_id")).alias("allocation_id"),
        "invoice_id",
        pl.lit("payment").alias("source_kind"),
        pl.col("paid_on").alias("applied_on"),
        "amount_minor",
    )
    return Ledger.from_frames({"invoices": frame.drop("paid_on"), "allocations": cleared})
