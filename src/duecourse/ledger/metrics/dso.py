"""Days sales outstanding in its several definitions, side by side: none of them is "the" DSO.

In all of them S = credit sales (invoices and debit notes issued in the period, credits not deducted), n = days of the
period, AR = open amount of all items; unapplied cash and free credits are NOT netted (see ``unapplied_share``).
Source of the family: Credit Research Foundation, "The DSO handbook"; definitions as fixed in docs/reference/metrics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.metrics.books import Source, add_months, books_of, check_levels, result, trend_days

PERIOD_DAYS = 90
NO_SALES = "nothing was invoiced in the period"


def dso_simple(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = PERIOD_DAYS
) -> pl.DataFrame:
    """DSO simple = AR_end / S * n.

    Unit: days. Caution: moves with sales, even when nobody pays differently. Source: Credit Research Foundation,
    National Summary of Domestic Trade Receivables. Columns: levels, currency, receivable_minor, sales_minor,
    dso_days, missing.
    """
    return _over_sales(source, at, by, days, ("receivable_minor", "dso_days"))


def best_possible_dso(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = PERIOD_DAYS
) -> pl.DataFrame:
    """Best-possible DSO = AR not yet due / S * n: what DSO would be if everything due had been paid.

    Unit: days. Caution: not "the best DSO we ever had"; it moves with terms and sales. Source: Credit Research
    Foundation, National Summary of Domestic Trade Receivables. Columns: levels, currency, receivable_minor,
    past_due_minor, current_minor, sales_minor, best_possible_dso_days, missing.
    """
    return _over_sales(source, at, by, days, ("current_minor", "best_possible_dso_days"))


def average_days_delinquent(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = PERIOD_DAYS
) -> pl.DataFrame:
    """ADD = DSO simple - best-possible DSO = AR past due / S * n, the part that collection can influence.

    Unit: days. Caution: inherits the dependence on sales. Source: Credit Research Foundation, National Summary of
    Domestic Trade Receivables. Columns as best_possible_dso, value average_days_delinquent_days.
    """
    return _over_sales(source, at, by, days, ("past_due_minor", "average_days_delinquent_days"))


def _over_sales(source: Source, at: date | None, by: Sequence[str], days: int, what: tuple[str, str]) -> pl.DataFrame:
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    frame = (
        books.receivables(day, by)
        .with_columns((pl.col("receivable_minor") - pl.col("past_due_minor")).alias("current_minor"))
        .join(books.sales(day - timedelta(days=days), day, by), on=[*by, "currency"], how="left", maintain_order="left")
    )
    top, name = what
    value = pl.col(top) / pl.col("sales_minor") * days
    uncovered = pl.lit(books.starts_after(day - timedelta(days=days)))
    return result(
        frame,
        name,
        value,
        (uncovered, f"the books do not cover the {days} days before"),
        (pl.col("sales_minor") <= 0, NO_SALES),
    )


def dso_countback(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), min_invoices: int = 0
) -> pl.DataFrame:
    """Count-back DSO: take the latest calendar months' sales off AR until it is used up; sum their days.

    The month in which AR is used up counts pro rata, the running month with its days so far. With ``min_invoices`` a
    group needs that many invoices in the last 12 months (3 for a single customer). Unit: days. Caution: the figure of
    the dashboard; needs the sales of as many months as AR reaches back. Source: the count-back or exhaustion method
    of credit management; calendar months and pro rata by days are ours. Columns: levels, currency, receivable_minor,
    dso_days, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    keys = [*by, "currency"]
    monthly = (
        books.monthly_sales(day, by)
        .filter(pl.col("sales_minor") > 0)
        .sort(*keys, "month", descending=[False] * len(keys) + [True])
        .with_columns(
            pl.min_horizontal(pl.col("month").dt.offset_by("1mo"), pl.lit(day)).alias("ends_on"),
            (pl.col("sales_minor").cum_sum().over(keys) - pl.col("sales_minor")).alias("later_minor"),
        )
    )
    receivable = books.receivables(day, by).drop("past_due_minor")
    into_month = (pl.col("receivable_minor") - pl.col("later_minor")) / pl.col("sales_minor")
    month_days = (pl.col("ends_on") - pl.col("month")).dt.total_days()
    used_up = (
        monthly.join(receivable, on=keys, how="inner", maintain_order="left")
        .filter(pl.col("later_minor") + pl.col("sales_minor") >= pl.col("receivable_minor"))
        .with_columns(
            ((pl.lit(day) - pl.col("ends_on")).dt.total_days() + month_days * into_month).alias("counted"),
        )
        .group_by(keys)
        .agg(pl.col("counted").sort_by("month", descending=True).first())
    )
    year = pl.col("issued_on").is_between(add_months(day, -12), day, closed="left")
    counts = books.invoices.filter(year).group_by(keys).agg(pl.len().alias("invoices"))
    frame = receivable.join(used_up, on=keys, how="left", maintain_order="left").join(
        counts, on=keys, how="left", maintain_order="left"
    )
    value = pl.when(pl.col("receivable_minor") == 0).then(0.0).otherwise(pl.col("counted"))
    return result(
        frame,
        "dso_days",
        value,
        (pl.lit(books.starts_after(day, slack_days=-1)), "nothing had been invoiced yet"),
        (pl.col("invoices").fill_null(0) < min_invoices, f"fewer than {min_invoices} invoices in the last 12 months"),
        (
            pl.col("counted").is_null() & (pl.col("receivable_minor") > 0),
            "the receivables are larger than all sales that the books hold",
        ),
    ).drop("counted", "invoices")


def dso_true(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """True DSO = sum over open items of age * open amount / sales of the month in which the item was issued.

    Unit: days. Caution: needs the sales of every month with an open item; weighs by age, so one old item in a weak
    month moves it a lot, and its level is not comparable with the other definitions. Source: the per-invoice DSO of
    credit management; the calendar month as period is ours. Columns: levels, currency, dso_true_days, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    keys = [*by, "currency", "month"]
    month = pl.col("issued_on").dt.month_start().alias("month")
    parts = (
        books.open_items(day)
        .group_by(*by, "currency", month)
        .agg(((pl.lit(day) - pl.col("issued_on")).dt.total_days() * pl.col("open_minor")).sum().alias("money_days"))
        .join(books.monthly_sales(day, by), on=keys, how="left")
        .group_by(*by, "currency")
        .agg(
            (pl.col("money_days") / pl.col("sales_minor")).sum().alias("weighed"),
            (pl.col("sales_minor").fill_null(0) <= 0).any().alias("no_sales"),
        )
    )
    frame = books.groups(by).join(parts, on=[*by, "currency"], how="left", maintain_order="left")
    return result(
        frame,
        "dso_true_days",
        pl.col("weighed").fill_null(0.0),
        (pl.col("no_sales"), "an open item was issued in a month without sales"),
    ).drop("weighed", "no_sales")


def receivables_turnover(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """AR turnover = S / mean AR, S of the last 12 months, mean AR of the 12 month starts before and of today.

    Unit: turns a year. Caution: needs 12 months of invoices. Source: ratio analysis of annual accounts; 13 points for
    the mean are ours. Columns: levels, currency, sales_minor, mean_receivable_minor, turnover, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    keys = [*by, "currency"]
    days = trend_days(day)
    mean = (
        pl.concat(books.receivables(point, by) for point in days)
        .group_by(keys)
        .agg((pl.col("receivable_minor").sum() / len(days)).alias("mean_receivable_minor"))
    )
    frame = books.sales(add_months(day, -12), day, by).join(mean, on=keys, how="left", maintain_order="left")
    return result(
        frame,
        "turnover",
        pl.col("sales_minor") / pl.col("mean_receivable_minor"),
        (pl.lit(books.starts_after(add_months(day, -12))), "needs 12 months of invoices"),
        (pl.col("mean_receivable_minor") <= 0, "nothing was owed in the last 12 months"),
    )
