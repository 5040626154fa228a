"""Whether the order in which customers are contacted agrees with who pays late: Spearman and overlap of the top 20."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from duecourse.ledger.audit.model import ContactOrder
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.contacts import NO_ACTIVITIES, WINDOW_DAYS, contacts

TOP = 20
FEWEST_CUSTOMERS = 3


def contact_orders(books: Books, late: pl.DataFrame) -> dict[str, tuple[ContactOrder, ...]]:
    """Currency -> the present order and the two usual ones against the behaviour rank.

    Ranked are the customers that owe something, or that were contacted in the last 90 days. Behaviour rank: late
    money-days (amount x days late of invoices due in the last 12 months, ``late_items``), largest first. Present
    order: number of outgoing contacts in the last 90 days, then the most recent one.
    """
    behaviour = late.group_by("customer_id", "currency").agg(pl.col("late_money_days").sum())
    items = books.open_items().group_by("customer_id", "currency")
    owing = items.agg(
        pl.col("open_minor").sum().alias("largest_first"), pl.col("days_late").max().alias("oldest_first")
    )
    day = books.view.as_of
    made = (
        contacts(books, day - timedelta(days=WINDOW_DAYS), day)
        .group_by("customer_id")
        .agg(pl.len().alias("contacts"), (pl.lit(day) - pl.col("occurred_on").max()).dt.total_days().alias("ago"))
        .select("customer_id", (pl.col("contacts") * 1_000 - pl.col("ago")).alias("present"))
    )
    has_activities = books.view.table("activities").height > 0
    result: dict[str, tuple[ContactOrder, ...]] = {}
    for currency in books.groups().get_column("currency").drop_nulls():
        own = pl.col("currency") == currency
        theirs = books.invoices.filter(own).select("customer_id").unique()
        ranked = (
            owing.filter(own)
            .drop("currency")
            .join(made.join(theirs, on="customer_id", how="semi"), on="customer_id", how="full", coalesce=True)
            .join(behaviour.filter(own).drop("currency"), on="customer_id", how="left")
            .with_columns(
                pl.col("late_money_days", "largest_first", "present").fill_null(0),
                pl.col("oldest_first").fill_null(pl.col("oldest_first").min() - 1).fill_null(0),
            )
            .sort("customer_id")
        )
        present = "" if has_activities else NO_ACTIVITIES
        if has_activities and not (ranked.get_column("present") > 0).any():
            present = f"nobody was contacted in the last {WINDOW_DAYS} days"
        result[currency] = (
            _compare(ranked, "present", present),
            _compare(ranked, "oldest_first", ""),
            _compare(ranked, "largest_first", ""),
        )
    return result


def _compare(ranked: pl.DataFrame, order: str, missing: str) -> ContactOrder:
    size = min(TOP, ranked.height)
    if not missing and ranked.height < FEWEST_CUSTOMERS:
        missing = f"needs at least {FEWEST_CUSTOMERS} customers that owe something"
    if not missing and min(ranked.get_column(column).n_unique() for column in (order, "late_money_days")) < 2:
        missing = "every customer has the same rank"
    if missing:
        return ContactOrder(order, ranked.height, None, size, None, missing)
    ranks = ranked.select(pl.col(order, "late_money_days").rank("average"))
    spearman = ranks.select(pl.corr(order, "late_money_days")).item()
    tops = [
        set(ranked.sort(column, "customer_id", descending=[True, False]).head(size).get_column("customer_id"))
        for column in (order, "late_money_days")
    ]
    return ContactOrder(order, ranked.height, float(spearman), size, len(tops[0] & tops[1]), "")
