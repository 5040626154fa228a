"""What enters the forecast from the books: open items with their curves, and the past that coming invoices copy."""

from __future__ import annotations

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.collectible import collectible
from duecourse.science.forecast.inflow import NOT_PAID, IssuedHistory
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.open_book import OpenItems

DILUTION_SHRINKAGE = 20  # invoices at which a customer's own share of credits weighs as much as the book's


def open_items(view: View, curves: pl.DataFrame) -> dict[str, OpenItems]:
    """Open items by currency: what may still arrive of each, and its payment curve.

    The amount is open less the disputed part and less the customer's unapplied cash and free credits (that money is
    here already), times one minus the customer's dilution. ``curves`` has the columns invoice_id, day, cdf with the
    same days for every invoice. Raises ValueError when an invoice has fewer days than another.
    """
    ordered = curves.sort("invoice_id", "day")
    ids = ordered.get_column("invoice_id").unique(maintain_order=True)
    if not len(ids):
        return {}
    if ordered.height % len(ids):
        raise ValueError("curves must hold the same days for every invoice")
    cdf = ordered.get_column("cdf").to_numpy().reshape(len(ids), -1)
    rows = (
        pl.DataFrame({"invoice_id": ids})
        .with_row_index("row")
        .join(_amounts(view), on="invoice_id", how="inner")
        .filter(pl.col("amount_minor") > 0)
        .sort("row")
    )
    return {
        currency: OpenItems(
            invoice_id=part.get_column("invoice_id").to_list(),
            parent_id=part.get_column("parent_id").to_list(),
            due_day=_days(part.get_column("due_on")),
            amount_minor=part.get_column("amount_minor").to_numpy(),
            cdf=cdf[part.get_column("row").to_numpy()],
            customer_id=part.get_column("customer_id").to_list(),
        )
        for (currency,), part in sorted(rows.group_by("currency", maintain_order=True), key=lambda item: item[0])
    }


def past_invoices(view: View) -> dict[str, PastInvoices]:
    """By currency, every invoice issued before ``as_of``: what the coming weeks are drawn from."""
    issued = (
        invoice_balances(view)
        .filter(pl.col("issued_on") < view.as_of)
        .join(payers(view), on="customer_id", how="left", maintain_order="left")
        .sort("invoice_id")
    )
    as_of = _days(pl.Series([view.as_of]))[0]
    return {
        currency: PastInvoices(
            IssuedHistory(
                as_of=int(as_of),
                issue_day=_days(part.get_column("issued_on")),
                paid_day=part.get_column("paid_on").cast(pl.Int32).cast(pl.Int64).fill_null(NOT_PAID).to_numpy(),
                amount_minor=part.get_column("amount_minor").to_numpy(),
            ),
            parent_id=part.get_column("parent_id").to_numpy(),
            due_day=_days(part.get_column("due_on")),
            customer_id=part.get_column("customer_id").to_numpy(),
        )
        for (currency,), part in sorted(issued.group_by("currency", maintain_order=True), key=lambda item: item[0])
    }


def payers(view: View) -> pl.DataFrame:
    """customer_id, parent_id: the paying parent of every customer that has invoices (itself where none is known)."""
    known = view.table("customers").select("customer_id", "parent_id")
    return (
        view.table("invoices")
        .select("customer_id")
        .unique()
        .join(known, on="customer_id", how="left")
        .select("customer_id", pl.coalesce("parent_id", "customer_id").alias("parent_id"))
        .sort("customer_id")
    )


def dilution(view: View) -> pl.DataFrame:
    """customer_id, dilution: share of the invoiced amount that ended as a credit, shrunk n/(n+20)."""
    closed = invoice_balances(view).filter(pl.col("closed_as").is_not_null())
    lost = pl.col("amount_minor").filter(pl.col("closed_as") == "credited").sum()
    total = int(closed.get_column("amount_minor").sum())
    book = closed.select(lost).item() / total if total else 0.0
    own = closed.group_by("customer_id").agg(
        (lost / pl.col("amount_minor").sum()).alias("own"), pl.len().cast(pl.Float64).alias("n")
    )
    weight = pl.col("n") / (pl.col("n") + DILUTION_SHRINKAGE)
    return own.select(
        "customer_id", (weight * pl.col("own").fill_nan(0.0) + (1 - weight) * book).alias("dilution")
    ).sort("customer_id")


def _amounts(view: View) -> pl.DataFrame:
    """invoice_id, currency, customer_id, parent_id, due_on, amount_minor of every open invoice."""
    expected = pl.col("open_minor") - pl.col("disputed_minor") - pl.col("netted_minor")
    return (
        collectible(view)
        .join(view.table("invoices").select("invoice_id", "due_on"), on="invoice_id", how="left")
        .join(payers(view), on="customer_id", how="left")
        .join(dilution(view), on="customer_id", how="left")
        .with_columns(
            (expected * (1.0 - pl.col("dilution").fill_null(0.0))).round().cast(pl.Int64).alias("amount_minor")
        )
        .select("invoice_id", "currency", "customer_id", "parent_id", "due_on", "amount_minor")
    )


def _days(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    result: np.ndarray[tuple[int], np.dtype[np.int64]] = column.cast(pl.Int32).cast(pl.Int64).to_numpy()
    return result
