"""How long customers take: days to pay, days beyond terms, the Kaplan-Meier median, share late, who drives it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from duecourse.ledger.metrics.ageing import reached_days_late
from duecourse.ledger.metrics.books import Books, Source, add_months, books_of, check_levels, result

LATE_STEPS = (0, 5, 30, 60, 89)  # later than so many days; more than 89 is "90 days or more"


def days_to_pay(source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12) -> pl.DataFrame:
    """Days to pay (ADP) = sum a * (cleared - issued) / sum a over invoices paid in the last 12 months.

    Unit: days. Caution: cleared invoices only, so biased low in a growing book; show ``kaplan_meier_median`` beside
    it. Credited and written-off invoices are not in it. Source: the field's average days to pay (ADP), weighed by
    amount. Columns: levels, currency, cleared, cleared_minor, days_to_pay_days, missing.
    """
    return _weighed(source, at, by, months, ("issued_on", "days_to_pay_days"))


def days_beyond_terms(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12
) -> pl.DataFrame:
    """Weighted days beyond terms = sum a * (cleared - due) / sum a over invoices paid in the last 12 months.

    Unit: days, negative when paid before due. Caution: same bias as days to pay. Source: the field's days beyond
    terms (DBT), weighed by amount over cleared invoices. Columns: levels, currency, cleared, cleared_minor,
    days_beyond_terms_days, missing.
    """
    return _weighed(source, at, by, months, ("due_on", "days_beyond_terms_days"))


def paid_between(books: Books, start: date, end: date) -> pl.DataFrame:
    """Rows of ``books.invoices`` that were closed by payment on a day in [start, end)."""
    return books.invoices.filter(
        (pl.col("closed_as") == "paid") & pl.col("cleared_on").is_between(start, end, closed="left")
    )


def _weighed(source: Source, at: date | None, by: Sequence[str], months: int, what: tuple[str, str]) -> pl.DataFrame:
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    since, name = what
    lasted = (pl.col("cleared_on") - pl.col(since)).dt.total_days()
    sums = (
        paid_between(books, add_months(day, -months), day)
        .group_by(*by, "currency")
        .agg(
            pl.len().cast(pl.Int64()).alias("cleared"),
            pl.col("amount_minor").sum().alias("cleared_minor"),
            (pl.col("amount_minor") * lasted).sum().alias("money_days"),
        )
    )
    return result(
        books.fill(sums, by, "cleared", "cleared_minor", "money_days"),
        name,
        pl.col("money_days") / pl.col("cleared_minor"),
        (pl.col("cleared_minor") <= 0, f"no invoice was paid in the last {months} months"),
    ).drop("money_days")


def kaplan_meier_median(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12
) -> pl.DataFrame:
    """Kaplan-Meier median of the days from issue to full payment, invoices issued in the last 12 months.

    The first day t with S(t) <= 1/2, S(t) = prod over u <= t of (1 - paid(u) / at_risk(u)). Open invoices are
    censored at ``at``, credited ones when credited; written-off ones stay at risk until ``at`` (they never pay).
    Counts invoices, not amounts. Unit: days. Source: Kaplan and Meier 1958. Caution: null when fewer than half have
    been paid within what can be seen. Columns: levels, currency, invoices, km_median_days, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    keys = [*by, "currency"]
    closed = (pl.col("cleared_on") < day).fill_null(value=False) & (pl.col("closed_as") != "written_off")
    until = pl.when(closed).then(pl.col("cleared_on")).otherwise(pl.lit(day))
    steps = (
        books.invoices.filter(pl.col("issued_on").is_between(add_months(day, -months), day, closed="left"))
        .with_columns(
            (until - pl.col("issued_on")).dt.total_days().clip(lower_bound=0).alias("lasted"),
            (closed & (pl.col("closed_as") == "paid")).alias("was_paid"),
        )
        .group_by(*keys, "lasted")
        .agg(pl.len().cast(pl.Int64()).alias("left"), pl.col("was_paid").sum().cast(pl.Int64()).alias("paid"))
        .sort(*keys, "lasted")
        .with_columns(
            (pl.col("left").sum().over(keys) - pl.col("left").cum_sum().over(keys) + pl.col("left")).alias("at_risk")
        )
        .with_columns((1 - pl.col("paid") / pl.col("at_risk")).cum_prod().over(keys).alias("still_open"))
    )
    # 1e-9: a product of fractions that is 1/2 on paper may come out a hair above it
    sums = steps.group_by(keys).agg(
        pl.col("left").sum().alias("invoices"),
        pl.col("lasted").filter(pl.col("still_open") <= 0.5 + 1e-9).min().alias("median"),
    )
    frame = books.groups(by).join(sums, on=keys, how="left", maintain_order="left")
    return result(
        frame.with_columns(pl.col("invoices").fill_null(0)),
        "km_median_days",
        pl.col("median"),
        (pl.col("invoices") == 0, f"no invoice was issued in the last {months} months"),
        (pl.col("median").is_null(), "fewer than half of the invoices have been paid within what can be seen"),
    ).drop("median")


def late_cohort(books: Books, day: date, months: int) -> pl.DataFrame:
    """Rows of ``books.invoices`` due in the last 12 months before ``day``, without those credited away."""
    return books.invoices.filter(
        pl.col("due_on").is_between(add_months(day, -months), day, closed="left")
        & (pl.col("issued_on") < day)
        & (pl.col("closed_as").fill_null("open") != "credited")
    )


def late_share(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), more_than_days: int = 0, months: int = 12
) -> pl.DataFrame:
    """Share late = invoices (count and amount) more than k days late / invoices due in the last 12 months.

    Paid late, still open and written off count as late. Only invoices whose answer is known are counted: due at least
    k + 1 days before ``at``. Credited invoices are left out. Unit: share. Caution: a part payment counts as not paid
    until the rest has come. Source: the field's share paid late; the cohort by due date is ours, so that unpaid
    invoices count. Columns: levels, currency, invoices, late_invoices, amount_minor, late_minor, late_count_share,
    late_share (amount), missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    late = reached_days_late(day, more_than_days + 1)
    sums = (
        late_cohort(books, day, months)
        .filter((pl.lit(day) - pl.col("due_on")).dt.total_days() > more_than_days)
        .with_columns(late.alias("was_late"))
        .group_by(*by, "currency")
        .agg(
            pl.len().cast(pl.Int64()).alias("invoices"),
            pl.col("was_late").sum().cast(pl.Int64()).alias("late_invoices"),
            pl.col("amount_minor").sum(),
            pl.col("amount_minor").filter("was_late").sum().alias("late_minor"),
        )
    )
    frame = books.fill(sums, by, "invoices", "late_invoices", "amount_minor", "late_minor")
    none_due = (pl.col("amount_minor") <= 0, f"no invoice of the last {months} months is old enough to tell")
    return result(
        result(frame, "late_count_share", pl.col("late_invoices") / pl.col("invoices"), none_due),
        "late_share",
        pl.col("late_minor") / pl.col("amount_minor"),
        none_due,
    )


def late_items(source: Source, *, at: date | None = None, months: int = 12) -> pl.DataFrame:
    """The late cash, invoice by invoice: due in the last 12 months and paid late, past due or written off.

    Columns: invoice_id, levels, currency, late_minor (the invoice amount), days_late (at clearing, or so far),
    late_money_days (minor units x days); sorted by currency, late_minor descending, invoice_id.
    """
    books = books_of(source)
    day = at or books.view.as_of
    until = pl.when(pl.col("cleared_on") < day).then(pl.col("cleared_on")).otherwise(pl.lit(day))
    return (
        late_cohort(books, day, months)
        .filter(reached_days_late(day, 1) & (pl.col("amount_minor") > 0))
        .with_columns((until - pl.col("due_on")).dt.total_days().clip(lower_bound=0).alias("days_late"))
        .select(
            "invoice_id", "entity_id", "segment", "parent_id", "customer_id", "currency",
            pl.col("amount_minor").alias("late_minor"), "days_late",
            (pl.col("amount_minor") * pl.col("days_late")).alias("late_money_days"),
        )
        .sort("currency", "late_minor", "invoice_id", descending=[False, True, False])
    )  # fmt: skip


def carried_by(amounts: pl.Series, share: float = 0.8) -> int | None:
    """How few of the amounts, largest first, carry ``share`` of their sum; None when the sum is not positive.

    Source: the Pareto or Lorenz count of the field ("20 % of the accounts are 80 % of the late cash").
    """
    total = int(amounts.sum() or 0)
    if total <= 0:
        return None
    running = amounts.sort(descending=True).cum_sum()
    return int((running < share * total).sum()) + 1
