"""Promises and disputes: whether what was agreed came, and how long a disagreement takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.ledger.metrics.books import LEVELS, Books, Source, add_months, books_of, check_levels, result
from duecourse.ledger.metrics.collection import live_at

GRACE_BUSINESS_DAYS = 2  # Monday to Friday; holidays of the customer are not known here
PART_KEPT = 0.5


def promise_outcomes(source: Source, *, at: date | None = None, lag_days: int = 0, months: int = 12) -> pl.DataFrame:
    """Every promise whose day, settlement lag and grace have passed: promise_id, levels, amounts, outcome.

    Money counts from the day of the promise to due + ``lag_days`` + 2 business days, allocated to the invoices it
    names, or to any of the customer's invoices in its currency when it names none. kept: all of it came; part_kept:
    at least half; else broken; superseded: the customer promised anew before the deadline. The entity is the one of
    all invoices that the promise names, or of all the customer's invoices where it names none; blank when there are
    several. Sorted by promise_id.
    """
    books = books_of(source)
    day = at or books.view.as_of
    promises = (
        books.view.table("promises")
        .filter(pl.col("promised_on") < day)
        .join(books.customers.select("customer_id", "segment", "parent_id"), on="customer_id", how="left")
        .with_columns(pl.col("segment", "parent_id").fill_null(""))
    )
    promises = promises.with_columns(_deadlines(promises, lag_days))
    later = promises.select("customer_id", "currency", pl.col("promised_on").alias("again_on"))
    renewed = (
        promises.select("promise_id", "customer_id", "currency", "promised_on", "deadline")
        .join(later, on=["customer_id", "currency"], how="inner")
        .filter((pl.col("again_on") > pl.col("promised_on")) & (pl.col("again_on") <= pl.col("deadline")))
        .get_column("promise_id")
    )
    arrived = _arrived(books, promises, day)
    received = pl.col("arrived_minor")
    return (
        promises.filter(
            (pl.col("deadline") < day) & (pl.col("due_on") >= add_months(day, -months)) & (pl.col("amount_minor") > 0)
        )
        .join(arrived, on="promise_id", how="left")
        .with_columns(pl.min_horizontal(received.fill_null(0), "amount_minor").alias("arrived_minor"))
        .with_columns(
            pl.when(pl.col("promise_id").is_in(renewed.implode()))
            .then(pl.lit("superseded"))
            .when(received >= pl.col("amount_minor"))
            .then(pl.lit("kept"))
            .when(received >= PART_KEPT * pl.col("amount_minor"))
            .then(pl.lit("part_kept"))
            .otherwise(pl.lit("broken"))
            .alias("outcome")
        )
        .join(_entities(books, promises), on="promise_id", how="left")
        .with_columns(pl.col("entity_id").fill_null(""))
        .select("promise_id", *LEVELS, "currency", "amount_minor", "arrived_minor", "deadline", "outcome")
        .sort("promise_id")
    )


def _deadlines(promises: pl.DataFrame, lag_days: int) -> pl.Series:
    due = (promises.get_column("due_on").to_numpy() + np.timedelta64(lag_days, "D")).astype("datetime64[D]")
    return pl.Series("deadline", np.busday_offset(due, GRACE_BUSINESS_DAYS, roll="backward")).cast(pl.Date)


def _entities(books: Books, promises: pl.DataFrame) -> pl.DataFrame:
    """promise_id, entity_id of the promises that concern the invoices of one entity only."""
    where = books.invoices.select("invoice_id", "customer_id", "entity_id")
    names = pl.col("invoice_ids").list.len().fill_null(0)
    named = promises.filter(names > 0).select("promise_id", pl.col("invoice_ids").alias("invoice_id"))
    general = promises.filter(names == 0).select("promise_id", "customer_id")
    found = pl.concat(
        [
            named.explode("invoice_id").join(where, on="invoice_id", how="inner").select("promise_id", "entity_id"),
            general.join(where, on="customer_id", how="inner").select("promise_id", "entity_id"),
        ]
    )
    one = pl.col("entity_id").n_unique() == 1
    return found.group_by("promise_id").agg(pl.when(one).then(pl.col("entity_id").first()))


def _arrived(books: Books, promises: pl.DataFrame, day: date) -> pl.DataFrame:
    """promise_id, arrived_minor: payment allocations from the promise to its deadline."""
    promised = promises.get_column("invoice_ids").explode().drop_nulls().unique()
    promisers = promises.get_column("customer_id").unique()
    theirs = books.invoices.filter(
        pl.col("invoice_id").is_in(promised.implode()) | pl.col("customer_id").is_in(promisers.implode())
    )
    cash = (
        live_at(books, day)
        .filter(pl.col("source_kind") == "payment")
        .select("invoice_id", "applied_on", pl.col("amount_minor").alias("cash_minor"))
        .join(theirs.select("invoice_id", "customer_id", "currency"), on="invoice_id", how="inner")
    )
    columns = ["promise_id", "promised_on", "deadline", "applied_on", "cash_minor"]
    named = promises.filter(pl.col("invoice_ids").list.len() > 0).explode("invoice_ids")
    by_invoice = named.drop("customer_id").join(
        cash.drop("customer_id"), left_on=["invoice_ids", "currency"], right_on=["invoice_id", "currency"], how="inner"
    )
    general = promises.filter(pl.col("invoice_ids").list.len().fill_null(0) == 0)
    by_customer = general.join(cash.drop("invoice_id"), on=["customer_id", "currency"], how="inner")
    return (
        pl.concat([by_invoice.select(columns), by_customer.select(columns)])
        .filter(pl.col("applied_on").is_between(pl.col("promised_on"), pl.col("deadline")))
        .group_by("promise_id")
        .agg(pl.col("cash_minor").sum().alias("arrived_minor"))
    )


def promise_kept_rate(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), lag_days: int = 0, months: int = 12
) -> pl.DataFrame:
    """Promise kept rate = kept / (kept + part_kept + broken), by count and by amount.

    Unit: share. Grace: 2 business days after due and settlement lag (``lag_days``, 0 = none assumed); at least half
    is part_kept; by amount the money that arrived counts. Caution: the grace is 2 business days; say changes in
    points and relative; superseded promises are left out. Source: practice of collection teams; the grace of 2
    business days and the half are ours. Columns: levels, currency, promises, kept, part_kept, broken, promised_minor,
    arrived_minor, kept_count_share, kept_amount_share, missing.
    """
    check_levels(by)
    books = books_of(source)
    outcome = pl.col("outcome")
    sums = (
        promise_outcomes(books, at=at, lag_days=lag_days, months=months)
        .filter(outcome != "superseded")
        .group_by(*by, "currency")
        .agg(
            pl.len().cast(pl.Int64()).alias("promises"),
            *((outcome == name).sum().cast(pl.Int64()).alias(name) for name in ("kept", "part_kept", "broken")),
            pl.col("amount_minor").sum().alias("promised_minor"),
            pl.col("arrived_minor").sum(),
        )
    )
    counts = ("promises", "kept", "part_kept", "broken", "promised_minor", "arrived_minor")
    no_table = (
        pl.lit(books.view.table("promises").height == 0),
        "needs the table promises (amount, day promised, day due)",
    )
    none_due = (pl.col("promises") == 0, f"no promise of the last {months} months has fallen due")
    frame = books.fill(sums, by, *counts)
    return result(
        result(frame, "kept_count_share", pl.col("kept") / pl.col("promises"), no_table, none_due),
        "kept_amount_share",
        pl.col("arrived_minor") / pl.col("promised_minor"),
        no_table,
        none_due,
    )


def dispute_cycle(source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12) -> pl.DataFrame:
    """Dispute cycle = median and P90 of the days opened -> closed; favour ratio = (valid + partly_valid) / decided.

    Disputes closed in the last 12 months; decided = closed with an outcome that is not withdrawn. Units: days, share.
    Caution: open disputes are not in it, so a growing backlog looks fast; a favour ratio far from its norm either way
    is a warning. Source: practice of deductions management; median and P90 instead of a mean are ours. Columns:
    levels, currency, closed, open, decided, dispute_days_median, dispute_days_p90, favour_ratio, missing (of the
    days; favour_ratio is null when nothing was decided).
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    about = books.invoices.select("invoice_id", "entity_id", "segment", "parent_id", "customer_id", "currency")
    disputes = books.view.table("disputes").filter(pl.col("opened_on") < day).join(about, on="invoice_id", how="inner")
    done = pl.col("closed_on").is_between(add_months(day, -months), day, closed="left").fill_null(value=False)
    lasted = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    favour = pl.col("outcome").is_in(["valid", "partly_valid"])
    decided = done & pl.col("outcome").is_in(["valid", "partly_valid", "invalid"])
    sums = disputes.group_by(*by, "currency").agg(
        done.sum().cast(pl.Int64()).alias("closed"),
        (pl.col("closed_on").is_null() | (pl.col("closed_on") >= day)).sum().cast(pl.Int64()).alias("open"),
        decided.sum().cast(pl.Int64()).alias("decided"),
        (decided & favour).sum().cast(pl.Int64()).alias("in_favour"),
        lasted.filter(done).median().alias("median"),
        lasted.filter(done).quantile(0.9, interpolation="linear").alias("dispute_days_p90"),
    )
    frame = books.fill(sums, by, "closed", "open", "decided", "in_favour").with_columns(
        pl.when(pl.col("decided") > 0).then(pl.col("in_favour") / pl.col("decided")).alias("favour_ratio")
    )
    return result(
        frame,
        "dispute_days_median",
        pl.col("median"),
        (
            pl.lit(books.view.table("disputes").height == 0),
            "needs the table disputes (opened, closed, amount, outcome)",
        ),
        (pl.col("closed") == 0, f"no dispute was closed in the last {months} months"),
    ).drop("median", "in_favour")


def days_deductions_outstanding(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 90
) -> pl.DataFrame:
    """Days deductions outstanding = open disputed amount / disputed amount opened per day, last 90 days.

    A dispute without amount counts with its whole invoice. Unit: days. Caution: moves with the inflow of disputes.
    Source: the field's days deductions outstanding (DDO). Columns: levels, currency, open_disputed_minor,
    opened_minor, days_deductions_outstanding, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    about = books.invoices.select(
        "invoice_id", "entity_id", "segment", "parent_id", "customer_id", "currency", "amount_minor"
    )
    amount = pl.min_horizontal(pl.coalesce("disputed_minor", "amount_minor"), "amount_minor")
    still = pl.col("closed_on").is_null() | (pl.col("closed_on") >= day)
    sums = (
        books.view.table("disputes")
        .filter(pl.col("opened_on") < day)
        .join(about, on="invoice_id", how="inner")
        .group_by(*by, "currency")
        .agg(
            amount.filter(still).sum().alias("open_disputed_minor"),
            amount.filter(pl.col("opened_on") >= day - timedelta(days=days)).sum().alias("opened_minor"),
        )
    )
    return result(
        books.fill(sums, by, "open_disputed_minor", "opened_minor"),
        "days_deductions_outstanding",
        pl.col("open_disputed_minor") / pl.col("opened_minor") * days,
        (pl.lit(books.view.table("disputes").height == 0), "needs the table disputes"),
        (pl.col("opened_minor") <= 0, f"no dispute was opened in the last {days} days"),
    )
