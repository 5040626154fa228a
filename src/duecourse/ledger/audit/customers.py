"""Every customer's days to pay against its terms."""

from __future__ import annotations

from typing import Any

import polars as pl

from duecourse.ledger import metrics
from duecourse.ledger.audit.model import CustomerRow
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import add_months, trend_days

LEVEL = ("customer_id",)
KEYS = ["customer_id", "currency"]
FEWEST_INVOICES = 3  # below, a customer's own DSO says nothing; its days to pay are shown
LATENESS_MONTHS = 3  # a month alone holds too few payments of one customer


def customer_rows(books: Books, late: pl.DataFrame) -> dict[str, tuple[CustomerRow, ...]]:
    """Currency -> its customers, the most late cash first, then the most open."""
    frame = _measured(books, late).sort("currency", "late_minor", "open_minor", "customer_id",
                                        descending=[False, True, True, False])  # fmt: skip
    days = trend_days(books.view.as_of)
    for number, day in enumerate(days):
        dso = metrics.dso_countback(books, at=day, by=LEVEL, min_invoices=FEWEST_INVOICES)
        late_by = metrics.days_beyond_terms(books, at=day, by=LEVEL, months=LATENESS_MONTHS)
        for measured, column, name in ((dso, "dso_days", "dso"), (late_by, "days_beyond_terms_days", "late")):
            trend = measured.select(*KEYS, pl.col(column).alias(f"{name}_{number}"))
            frame = frame.join(trend, on=KEYS, how="left", maintain_order="left")
    result: dict[str, list[CustomerRow]] = {}
    for row in frame.iter_rows(named=True):
        if row["currency"] is not None:
            result.setdefault(row["currency"], []).append(_row(row, len(days)))
    return {currency: tuple(rows) for currency, rows in result.items()}


def _measured(books: Books, late: pl.DataFrame) -> pl.DataFrame:
    """One row per customer and currency with every field but the trend."""
    day = books.view.as_of
    recent = books.invoices.filter(
        pl.col("issued_on").is_between(add_months(day, -12), day, closed="left") | (pl.col("open_minor") > 0)
    )
    terms = recent.group_by(KEYS).agg((pl.col("due_on") - pl.col("issued_on")).dt.total_days().median().alias("terms"))
    owing = books.open_items().group_by(KEYS)
    open_now = owing.agg(
        pl.len().alias("open_invoices"),
        pl.col("open_minor").sum(),
        pl.col("open_minor").filter(pl.col("days_late") > 0).sum().alias("past_due_minor"),
    )
    paid = metrics.days_to_pay(books, by=LEVEL)
    frame = books.groups(LEVEL).join(
        books.customers.select("customer_id", "name"), on="customer_id", how="left", maintain_order="left"
    )
    parts = (
        terms,
        open_now,
        paid.select(*KEYS, "cleared", "days_to_pay_days"),
        metrics.kaplan_meier_median(books, by=LEVEL).select(*KEYS, "km_median_days"),
        metrics.days_beyond_terms(books, by=LEVEL).select(*KEYS, "days_beyond_terms_days"),
        metrics.late_share(books, by=LEVEL).select(*KEYS, "late_count_share"),
        late.group_by(KEYS).agg(pl.col("late_minor").sum()),
    )
    for part in parts:
        frame = frame.join(part, on=KEYS, how="left", maintain_order="left")
    return frame.with_columns(
        pl.col("open_invoices", "open_minor", "past_due_minor", "cleared", "late_minor").fill_null(0)
    )


def _row(row: dict[str, Any], points: int) -> CustomerRow:
    trend = tuple(row[f"dso_{number}"] for number in range(points))
    return CustomerRow(
        customer_id=row["customer_id"],
        name=row["name"],
        cleared=row["cleared"],
        open_invoices=row["open_invoices"],
        open_minor=row["open_minor"],
        past_due_minor=row["past_due_minor"],
        terms_days=row["terms"],
        days_to_pay_days=row["days_to_pay_days"],
        km_median_days=row["km_median_days"],
        days_beyond_terms_days=row["days_beyond_terms_days"],
        late_count_share=row["late_count_share"],
        late_minor=row["late_minor"],
        dso_days=trend[-1],
        dso_trend_days=trend,
        lateness_trend_days=tuple(row[f"late_{number}"] for number in range(points)),
    )
