"""What each invoice still owes and when it was closed, derived from allocations and never stored."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View

# What closes an invoice, by the source of the larger part. A discount taken, a tax withheld, a bank fee and a rounding
# difference come with a payment and are part of paying; only credits and write-offs close without payment.
CLOSED_AS = {
    "payment": "paid", "discount": "paid", "withholding": "paid", "fee": "paid", "rounding": "paid",
    "credit": "credited", "write_off": "written_off",
}  # fmt: skip
PAID_SHARE = 0.95  # an invoice counts as paid once cash covers this share of its undisputed amount


def live_allocations(view: View) -> pl.DataFrame:
    """Allocations that count at ``view.as_of``: applied before it and not reversed before it."""
    day = pl.lit(view.as_of)
    return view.table("allocations").filter(
        (pl.col("applied_on") < day) & (pl.col("reversed_on").is_null() | (pl.col("reversed_on") >= day))
    )


def invoice_balances(view: View) -> pl.DataFrame:
    """One row per visible invoice, sorted by invoice_id: all its columns and what is known of its balance.

    Adds applied_minor, open_minor (never below 0), cleared_on (first day after which nothing is open, null while open),
    cleared_known_on (the day the books learnt of it; visible from the next day on), closed_as (paid / credited /
    written_off, null while open), paid_on (first day on which cash reached 95 % of the undisputed amount, or the
    clearing day of an invoice closed as paid) and paid_known_on.
    """
    live = live_allocations(view).with_columns(pl.col("recorded_at").dt.date().alias("known_on"))
    sums = live.group_by("invoice_id").agg(
        pl.col("amount_minor").sum().alias("applied_minor"),
        pl.col("applied_on").max().alias("last_applied_on"),
        pl.col("known_on").max().alias("last_known_on"),
        *(
            pl.col("amount_minor").filter(pl.col("source_kind").replace_strict(CLOSED_AS) == way).sum().alias(way)
            for way in ("paid", "credited", "written_off")
        ),
    )
    cleared = pl.col("open_minor") == 0
    return (
        view.table("invoices")
        .join(sums, on="invoice_id", how="left", maintain_order="left")
        .with_columns(pl.col("applied_minor", "paid", "credited", "written_off").fill_null(0))
        .with_columns((pl.col("amount_minor") - pl.col("applied_minor")).clip(lower_bound=0).alias("open_minor"))
        .with_columns(
            pl.when(cleared).then(pl.coalesce("last_applied_on", "issued_on")).alias("cleared_on"),
            pl.when(cleared)
            .then(pl.max_horizontal(pl.coalesce("last_known_on", "issued_on"), "last_applied_on"))
            .alias("cleared_known_on"),
            pl.when(~cleared)
            .then(pl.lit(None, dtype=pl.String()))
            .when((pl.col("written_off") >= pl.col("paid")) & (pl.col("written_off") >= pl.col("credited"))
                  & (pl.col("written_off") > 0))
            .then(pl.lit("written_off"))
            .when((pl.col("credited") >= pl.col("paid")) & (pl.col("credited") > 0))
            .then(pl.lit("credited"))
            .otherwise(pl.lit("paid"))
            .alias("closed_as"),
        )
        .drop("last_applied_on", "last_known_on", "paid", "credited", "written_off")
        .join(_cash_reached(view, live), on="invoice_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("closed_as") == "paid")
            .then(pl.min_horizontal("cash_on", "cleared_on"))
            .otherwise("cash_on")
            .alias("paid_on"),
            pl.when(pl.col("closed_as") == "paid")
            .then(pl.min_horizontal("cash_known_on", "cleared_known_on"))
            .otherwise("cash_known_on")
            .alias("paid_known_on"),
        )
        .drop("cash_on", "cash_known_on")
    )  # fmt: skip


def _cash_reached(view: View, live: pl.DataFrame) -> pl.DataFrame:
    """invoice_id, cash_on, cash_known_on: when payments reached 95 % of the amount that is not disputed."""
    disputed = open_disputes(view)
    need = (
        view.table("invoices")
        .select("invoice_id", "amount_minor")
        .join(disputed, on="invoice_id", how="left")
        .select(
            "invoice_id",
            (PAID_SHARE * (pl.col("amount_minor") - pl.col("disputed_minor").fill_null(0))).alias("need_minor"),
        )
        .filter(pl.col("need_minor") > 0)
    )
    cash = live.filter(pl.col("source_kind") == "payment").select(
        "invoice_id", "applied_on", "known_on", "amount_minor"
    )
    return (
        cash.sort("invoice_id", "applied_on")
        .with_columns(pl.col("amount_minor").cum_sum().over("invoice_id").alias("cash_minor"))
        .join(need, on="invoice_id", how="inner")
        .filter(pl.col("cash_minor") >= pl.col("need_minor"))
        .group_by("invoice_id")
        .agg(pl.col("applied_on").min().alias("cash_on"), pl.col("known_on").min().alias("cash_known_on"))
        .with_columns(pl.max_horizontal("cash_on", "cash_known_on").alias("cash_known_on"))
    )


def open_disputes(view: View) -> pl.DataFrame:
    """invoice_id, disputed_minor: the amount in open disputes, at most the invoice (no amount: all of it)."""
    day = pl.lit(view.as_of)
    still_open = view.table("disputes").filter(pl.col("closed_on").is_null() | (pl.col("closed_on") >= day))
    return (
        still_open.join(view.table("invoices").select("invoice_id", "amount_minor"), on="invoice_id", how="inner")
        .group_by("invoice_id")
        .agg(
            pl.coalesce("disputed_minor", "amount_minor").sum().alias("disputed_minor"),
            pl.col("amount_minor").first().alias("amount_minor"),
        )
        .select("invoice_id", pl.min_horizontal("disputed_minor", "amount_minor").alias("disputed_minor"))
        .sort("invoice_id")
    )
