"""The real sets of ``../shared/data`` as ledgers, for tests and benchmarks; skips loudly where they are absent."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger

RECEIVABLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "receivables"


def _read(relative: str) -> pl.DataFrame:
    path = RECEIVABLES / relative
    if not path.exists():
        pytest.skip(f"real data set {relative} is absent (expected at {path})")
    return pl.read_csv(path, infer_schema=False)


def _ledger(frame: pl.DataFrame) -> Ledger:
    """A ledger from invoice_id, customer_id, issued_on, due_on, amount_minor, currency, paid_on and recorded_at."""
    paid = frame.filter(pl.col("paid_on").is_not_null())
    payments = paid.select(
        ("P-" + pl.col("invoice_id")).alias("payment_id"),
        "customer_id",
        pl.col("paid_on").alias("received_on"),
        "amount_minor",
        "currency",
    )
    allocations = paid.select(
        ("A-" + pl.col("invoice_id")).alias("allocation_id"),
        "invoice_id",
        pl.lit("payment").alias("source_kind"),
        ("P-" + pl.col("invoice_id")).alias("source_id"),
        pl.col("paid_on").alias("applied_on"),
        "amount_minor",
    )
    return Ledger.from_frames({"invoices": frame.drop("paid_on"), "payments": payments, "allocations": allocations})


@cache
def highradius_ledger() -> Ledger:
    """23,122 invoices of a food supplier as known on 2019-09-01 (USD), each clearing one payment of its own."""
    frame = _read("highradius/invoices_known_2019-09-01.csv")
    return _ledger(
        frame.select(
            "invoice_id",
            "customer_id",
            pl.col("issue_date").str.to_date().alias("issued_on"),
            pl.col("due_date").str.to_date().alias("due_on"),
            (pl.col("amount").cast(pl.Float64) * 100).round().cast(pl.Int64).alias("amount_minor"),
            pl.lit("USD").alias("currency"),
            pl.col("clear_date").replace("", None).str.to_date().alias("paid_on"),
        )
    )


@cache
def cassandra_ledger() -> Ledger:
    """6,956 supplier invoices as known on 2016-08-04 (GBP assumed), recorded on their own ``created_at``."""
    frame = _read("cassandra/invoices_known_2016-08-04.csv")
    return _ledger(
        frame.select(
            "invoice_id",
            pl.col("vendor_name").alias("customer_id"),
            pl.col("invoice_date").str.to_date().alias("issued_on"),
            pl.col("due_date").str.to_date().alias("due_on"),
            (pl.col("amount").cast(pl.Float64) * 100).round().cast(pl.Int64).alias("amount_minor"),
            pl.lit("GBP").alias("currency"),
            pl.col("payment_date").replace("", None).str.to_date().alias("paid_on"),
            pl.col("created_at")
            .str.slice(0, 10)
            .str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC")
            .alias("recorded_at"),
        )
    )
