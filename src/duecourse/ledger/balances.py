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
PAID_PERCENT = 95  # an invoice counts as paid once cash covers this share of its undisputed amount


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
    invoices = view.table("invoices").with_row_index("row")
    live = (
        live_allocations(view)
        .select(
            "invoice_id", "source_kind", "applied_on", "amount_minor", pl.col("recorded_at").dt.date().alias("known_on")
        )
        .join(invoices.select("invoice_id", "row"), on="invoice_id", how="inner")
        .drop("invoice_id")
    )  # from here on by row number: text keys cost most of the time
    return (
        invoices.join(_applied(live), on="row", how="left")
        .join(_cash_reached(live, _cash_needed(view, invoices)), on="row", how="left")
        .sort("row")
        .with_columns(pl.col("applied_minor", "paid", "credited", "written_off").fill_null(0))
        .with_columns((pl.col("amount_minor") - pl.col("applied_minor")).clip(lower_bound=0).alias("open_minor"))
        .with_columns(_closing())
        .with_columns(
            _first_for_paid("cash_on", "cleared_on").alias("paid_on"),
            _first_for_paid("cash_known_on", "cleared_known_on").alias("paid_known_on"),
        )
        .drop("row", "last_applied_on", "last_known_on", "paid", "credited", "written_off", "cash_on", "cash_known_on")
    )


def _applied(live: pl.DataFrame) -> pl.DataFrame:
    """Per invoice row: applied_minor, its parts by what they close an invoice as, and the last day of each clock."""
    closes_as = pl.col("source_kind").replace_strict(CLOSED_AS)
    return live.group_by("row").agg(
        pl.col("amount_minor").sum().alias("applied_minor"),
        pl.col("applied_on").max().alias("last_applied_on"),
        pl.col("known_on").max().alias("last_known_on"),
        *(
            pl.col("amount_minor").filter(closes_as == way).sum().alias(way)
            for way in ("paid", "credited", "written_off")
        ),
    )


def _closing() -> list[pl.Expr]:
    """cleared_on, cleared_known_on and closed_as from the sums of ``_applied``; all null while something is open."""
    cleared = pl.col("open_minor") == 0
    # An invoice over nothing is closed from the start, and known to be so when the invoice itself is.
    learnt = pl.max_horizontal(pl.coalesce("last_known_on", pl.col("recorded_at").dt.date()), "last_applied_on")
    written_off_most = (pl.col("written_off") > 0) & (pl.col("written_off") >= pl.max_horizontal("paid", "credited"))
    credited_most = (pl.col("credited") > 0) & (pl.col("credited") >= pl.col("paid"))
    return [
        pl.when(cleared).then(pl.coalesce("last_applied_on", "issued_on")).alias("cleared_on"),
        pl.when(cleared).then(learnt).alias("cleared_known_on"),
        pl.when(~cleared)
        .then(pl.lit(None, dtype=pl.String()))
        .when(written_off_most)
        .then(pl.lit("written_off"))
        .when(credited_most)
        .then(pl.lit("credited"))
        .otherwise(pl.lit("paid"))
        .alias("closed_as"),
    ]


def _first_for_paid(cash: str, cleared: str) -> pl.Expr:
    return pl.when(pl.col("closed_as") == "paid").then(pl.min_horizontal(cash, cleared)).otherwise(pl.col(cash))


def _cash_needed(view: View, invoices: pl.DataFrame) -> pl.DataFrame:
    """row, need_minor: the undisputed amount of each invoice that has one."""
    return (
        invoices.select("row", "invoice_id", "amount_minor")
        .join(open_disputes(view), on="invoice_id", how="left")
        .select("row", (pl.col("amount_minor") - pl.col("disputed_minor").fill_null(0)).alias("need_minor"))
        .filter(pl.col("need_minor") > 0)
    )


def _cash_reached(live: pl.DataFrame, need: pl.DataFrame) -> pl.DataFrame:
    """row, cash_on, cash_known_on: the day on which payments reached 95 % of the need, and when the books saw that.

    The two are counted separately: money that was applied first may have been recorded last.
    """
    cash = live.filter(pl.col("source_kind") == "payment").join(need, on="row", how="inner")
    enough = pl.col("cash_minor") * 100 >= pl.col("need_minor") * PAID_PERCENT
    at_once = (
        cash.filter(pl.col("row").is_unique())  # nearly all invoices, and they need no running sum
        .rename({"amount_minor": "cash_minor"})
        .filter(enough)
        .select("row", pl.col("applied_on").alias("cash_on"), pl.col("known_on").alias("cash_known_on"))
    )
    in_parts = cash.filter(pl.col("row").is_duplicated())

    def reached(day: str, name: str) -> pl.DataFrame:
        return (
            in_parts.sort("row", day)
            .with_columns(pl.col("amount_minor").cum_sum().over("row").alias("cash_minor"))
            .filter(enough)
            .group_by("row")
            .agg(pl.col(day).min().alias(name))
        )

    by_parts = reached("applied_on", "cash_on").join(reached("known_on", "cash_known_on"), on="row", how="inner")
    return pl.concat([at_once, by_parts]).with_columns(
        pl.max_horizontal("cash_on", "cash_known_on").alias("cash_known_on")
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
