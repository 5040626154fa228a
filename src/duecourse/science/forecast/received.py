"""``cash_received``: the cash that came in, invoice by invoice, as a forecast is measured against it."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations
from duecourse.science.forecast.book import payers

COLUMNS = {
    "invoice_id": pl.String(), "parent_id": pl.String(), "currency": pl.String(), "known_on": pl.Date(),
    "received_on": pl.Date(), "amount_minor": pl.Int64(),
}  # fmt: skip


def cash_received(view: View) -> pl.DataFrame:
    """Money applied to invoices as known at ``view.as_of``, sorted by invoice and day.

    Columns: invoice_id, parent_id (the payer), currency, known_on (the day the books learnt of the invoice; it was in
    the open book of every later morning), received_on (the day the money counts for the invoice), amount_minor.
    Credits, discounts and write-offs are no cash; a payment that was taken back is not here.
    """
    first_known = "first_recorded_at" if "first_recorded_at" in view.table("invoices").columns else "recorded_at"
    invoices = (
        view.table("invoices")
        .join(payers(view), on="customer_id", how="left")
        .select("invoice_id", "parent_id", "currency", pl.col(first_known).dt.date().alias("known_on"))
    )
    return (
        live_allocations(view)
        .filter(pl.col("source_kind") == "payment")
        .select("invoice_id", pl.col("applied_on").alias("received_on"), "amount_minor")
        .join(invoices, on="invoice_id", how="inner")
        .group_by(*(name for name in COLUMNS if name != "amount_minor"))
        .agg(pl.col("amount_minor").sum())
        .select(*COLUMNS)
        .sort("invoice_id", "received_on")
    )
