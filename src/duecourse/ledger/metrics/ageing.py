"""How old the open amount is: ageing buckets, past-due share, and how balances move from bucket to bucket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.balances import CLOSED_AS
from duecourse.ledger.metrics.books import Source, add_months, books_of, check_levels, month_start, result

BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")
ROLL_DAYS = 30  # one bucket is 30 days wide, so a balance that is not paid moves exactly one bucket in 30 days


def bucket_of(days_late: pl.Expr) -> pl.Expr:
    """The ageing bucket of a number of days past due (0 and below is current)."""
    return (
        pl.when(days_late <= 0)
        .then(pl.lit("current"))
        .when(days_late <= 30)
        .then(pl.lit("1-30"))
        .when(days_late <= 60)
        .then(pl.lit("31-60"))
        .when(days_late <= 90)
        .then(pl.lit("61-90"))
        .otherwise(pl.lit("91+"))
    )


def ageing(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """Open amount by days past due: current, 1-30, 31-60, 61-90, 91+; five rows per group, in that order.

    Unit: minor units, and share of the group's open amount. Caution: by due date and gross; unapplied cash and free
    credits are not in it (they age by their own date). The buckets sum to the receivables. Source: the aged trial
    balance; the buckets are those of the field. Columns: levels, currency, bucket, invoices, open_minor, share (null
    when nothing is open).
    """
    check_levels(by)
    books = books_of(source)
    keys = [*by, "currency", "bucket"]
    sums = (
        books.open_items(at)
        .with_columns(bucket_of(pl.col("days_late")).alias("bucket"))
        .group_by(keys)
        .agg(pl.len().cast(pl.Int64()).alias("invoices"), pl.col("open_minor").sum())
    )
    order = pl.DataFrame({"bucket": BUCKETS, "order": range(len(BUCKETS))})
    total = pl.col("open_minor").sum().over(*by, "currency")
    return (
        books.groups(by)
        .join(order, how="cross")
        .join(sums, on=keys, how="left")
        .with_columns(pl.col("invoices", "open_minor").fill_null(0))
        .with_columns(pl.when(total > 0).then(pl.col("open_minor") / total).alias("share"))
        .sort(*by, "currency", "order")
        .drop("order")
    )


def past_due_share(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """Past-due share = AR past due / AR.

    Unit: share. Caution: an amount due today is not past due; unapplied cash is not netted. Source: Credit Research
    Foundation, National Summary of Domestic Trade Receivables (its per cent current, turned round). Columns: levels,
    currency, receivable_minor, past_due_minor, past_due_share, missing.
    """
    check_levels(by)
    return result(
        books_of(source).receivables(at, by),
        "past_due_share",
        pl.col("past_due_minor") / pl.col("receivable_minor"),
        (pl.col("receivable_minor") <= 0, "nothing is open"),
    )


def roll_rates(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """Roll rate k -> k+1 = balance in bucket k+1 / balance in bucket k 30 days earlier.

    Buckets are 30 days wide, the last one 91-120, so that old stock does not count as newly rolled. The balance
    "current" is everything not yet due, whatever its terms. Unit: share. Caution: the product of rolls is the flow to
    loss only if the Markov assumption holds, which must be tested; invoices issued and due within the 30 days can
    push the first rate above 1. Source: Cyert, Davidson and Thompson 1962, Management Science 8(3), with balances of
    two dates instead of accounts followed. Columns: levels, currency, from_bucket, to_bucket, from_minor, to_minor,
    roll_rate, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    steps = pl.DataFrame(
        {"step": [0, 1, 2, 3], "from_bucket": BUCKETS[:4], "to_bucket": ("1-30", "31-60", "61-90", "91-120")}
    )
    ends = {"from": (day - timedelta(days=ROLL_DAYS), 0), "to": (day, 1)}
    frame = books.groups(by).join(steps, how="cross")
    for side, (when, ahead) in ends.items():
        late = pl.col("days_late")
        step = pl.when(late <= 0).then(0).otherwise((late + 29) // 30)
        sums = (
            books.open_items(when)
            .with_columns((step - ahead).cast(pl.Int64()).alias("step"))
            .group_by(*by, "currency", "step")
            .agg(pl.col("open_minor").sum().alias(f"{side}_minor"))
        )
        frame = frame.join(sums, on=[*by, "currency", "step"], how="left").with_columns(
            pl.col(f"{side}_minor").fill_null(0)
        )
    return result(
        frame.sort(*by, "currency", "step").drop("step"),
        "roll_rate",
        pl.col("to_minor") / pl.col("from_minor"),
        (pl.col("from_minor") <= 0, "nothing was in the bucket 30 days earlier"),
    )


def cure_rate(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """Cure rate = balance that was past due 30 days before and has been paid since / that balance.

    Unit: share. Caution: credits and write-offs are no cure; it is a self-cure only where nobody was contacted.
    Source: practice of credit risk; 30 days are ours. Columns: levels, currency, delinquent_minor, cured_minor,
    cure_rate, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    before = day - timedelta(days=ROLL_DAYS)
    delinquent = books.open_items(before).filter(pl.col("days_late") > 0)
    ways = [kind for kind, way in CLOSED_AS.items() if way == "paid"]
    paid = (
        books.view.table("allocations")
        .filter(
            pl.col("source_kind").is_in(ways)
            & pl.col("applied_on").is_between(before, day, closed="left")
            & (pl.col("reversed_on").is_null() | (pl.col("reversed_on") >= day))
        )
        .join(books.invoices.select("item", "invoice_id"), on="invoice_id", how="inner")
        .group_by("item")
        .agg(pl.col("amount_minor").sum().alias("paid_minor"))
    )
    sums = (
        delinquent.join(paid, on="item", how="left")
        .group_by(*by, "currency")
        .agg(
            pl.col("open_minor").sum().alias("delinquent_minor"),
            pl.min_horizontal("open_minor", pl.col("paid_minor").fill_null(0)).sum().alias("cured_minor"),
        )
    )
    return result(
        books.fill(sums, by, "delinquent_minor", "cured_minor"),
        "cure_rate",
        pl.col("cured_minor") / pl.col("delinquent_minor"),
        (pl.col("delinquent_minor") <= 0, "nothing was past due 30 days earlier"),
    )


def at_risk_rate(
    source: Source,
    *,
    at: date | None = None,
    by: Sequence[str] = (),
    months: int = 12,
    days: int = 90,
    each_month: bool = True,
) -> pl.DataFrame:
    """At-risk rate: share (count and amount) of the invoices of a due month that reached 90 or more days late.

    Cohorts by due month, only mature ones: every invoice of the month must have been due more than ``days`` days
    before ``at``. Reached = cleared ``days`` or more days after due, still open, or written off. Unit: share.
    Caution: the newest cohort is at least three months old. Source: practice of credit risk (90 days past due, as in
    Basel III and IFRS 9 B5.5.37), counted by vintage. One row per group and month (``due_month``), the last
    ``months`` mature ones; with ``each_month`` off one row per group for all of them together. Columns: levels,
    currency, due_month, invoices, reached, amount_minor, reached_minor, at_risk_count_share, at_risk_share (amount),
    missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    last = month_start(day - timedelta(days=days))  # a month whose last day is due + days < at ends before this
    reached = reached_days_late(day, days)
    keys = [*by, "currency", *(["due_month"] if each_month else [])]
    sums = (
        books.invoices.filter(
            pl.col("due_on").is_between(add_months(last, -months), last, closed="left") & (pl.col("issued_on") < day)
        )
        .with_columns(pl.col("due_on").dt.month_start().alias("due_month"), reached.alias("was_reached"))
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64()).alias("invoices"),
            pl.col("was_reached").sum().cast(pl.Int64()).alias("reached"),
            pl.col("amount_minor").sum(),
            pl.col("amount_minor").filter("was_reached").sum().alias("reached_minor"),
        )
        .sort(keys)
        .with_columns((pl.col("reached") / pl.col("invoices")).alias("at_risk_count_share"))
    )
    return result(
        sums,
        "at_risk_share",
        pl.col("reached_minor") / pl.col("amount_minor"),
        (pl.col("amount_minor") <= 0, "nothing fell due in time"),
    )


def reached_days_late(day: date, days: int) -> pl.Expr:
    """Whether an invoice (a row of ``Books.invoices``) was ``days`` or more late, as known at the start of ``day``.

    Written off counts as late; credited in time does not. Only meaningful for ``due_on + days < day``.
    """
    closed_before = pl.col("cleared_on").is_not_null() & (pl.col("cleared_on") < day)
    in_time = closed_before & ((pl.col("cleared_on") - pl.col("due_on")).dt.total_days() < days)
    return ~(in_time & (pl.col("closed_as") != "written_off")).fill_null(value=False)
