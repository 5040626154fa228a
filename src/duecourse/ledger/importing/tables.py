"""The ledger's tables from the records of an import."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.importing.settling import Settlements
from duecourse.ledger.schema import TABLES

_ISO_COUNTRY = r"^[A-Z]{2}$"
_INVOICE_KINDS = ("invoice", "debit_note", "interest", "fee")


def ledger_frames(invoices: pl.DataFrame, credit_rows: pl.DataFrame, settled: Settlements) -> dict[str, pl.DataFrame]:
    """Frames for ``Ledger.from_frames``, and ``spellings`` (customer_id, name, rows) for name proposals."""
    people = pl.concat([invoices, credit_rows], how="diagonal_relaxed")
    frames = {
        "customers": _customers(people),
        "invoices": _as_table(
            invoices.with_columns(
                pl.when(pl.col("kind").is_in(_INVOICE_KINDS)).then("kind").otherwise(pl.lit("invoice")).alias("kind")
            ),
            "invoices",
        ),
        "payments": _as_table(settled.payments.with_columns(pl.lit("cleared").alias("status")), "payments"),
        "allocations": _as_table(settled.allocations, "allocations"),
    }
    free = _credits(credit_rows)
    if free.height:
        frames["credits"] = free
    contacts = _contacts(people)
    if contacts.height:
        frames["contacts"] = contacts
    frames["spellings"] = (
        people.filter(pl.col("customer_name").is_not_null())
        .group_by("customer_id", name="customer_name")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .sort("customer_id", "name")
    )
    return frames


def _as_table(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns of one table of the contract, those that the frame has, in order of its key."""
    table = TABLES[name]
    return frame.select(
        pl.col(column).cast(dtype) for column, dtype in table.dtypes.items() if column in frame.columns
    ).sort(table.key)


def _customers(people: pl.DataFrame) -> pl.DataFrame:
    """One row per customer: its most frequent spelling (the latest of equals), country where it is an ISO code."""
    named = (
        people.group_by("customer_id", "customer_name")
        .agg(pl.len().alias("n"), pl.col("issued_on").max().alias("last"))
        .sort("customer_id", "n", "last", "customer_name", descending=[False, True, True, False])
        .unique("customer_id", keep="first", maintain_order=True)
    )
    others = (
        people.sort("issued_on", "invoice_id")
        .group_by("customer_id")
        .agg(
            pl.col("country").filter(pl.col("country").str.contains(_ISO_COUNTRY)).last(),
            pl.col("region").drop_nulls().last(),
        )
    )
    return (
        named.join(others, on="customer_id", how="left")
        .select("customer_id", pl.coalesce("customer_name", "customer_id").alias("name"), "country", "region")
        .sort("customer_id")
    )


def _contacts(people: pl.DataFrame) -> pl.DataFrame:
    seen = people.filter(pl.col("email").str.contains("@") | pl.col("phone").is_not_null())
    return (
        seen.sort("issued_on", "invoice_id")
        .group_by("customer_id")
        .agg(pl.col("email", "phone").drop_nulls().last())
        .select(pl.format("C-{}", "customer_id").alias("contact_id"), "customer_id", "email", "phone")
        .sort("contact_id")
    )


def _credits(credit_rows: pl.DataFrame) -> pl.DataFrame:
    """Credits with what is still free of them; a credit that is used up says nothing about the open book."""
    amount = pl.coalesce(pl.col("open_amount_minor").abs(), pl.col("amount_minor").abs())
    free = credit_rows.with_columns(amount.alias("amount_minor")).filter(pl.col("amount_minor") > 0)
    free = free.unique("invoice_id", keep="first", maintain_order=True)
    return free.select(
        pl.col("invoice_id").alias("credit_id"), "customer_id", "issued_on", "amount_minor", "currency", "recorded_at"
    ).sort("credit_id")
