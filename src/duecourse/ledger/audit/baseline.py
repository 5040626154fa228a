"""The baseline of each currency: figures, ageing, lateness and its drivers, trend, every customer beside its terms."""

from __future__ import annotations

from datetime import date

import polars as pl

from duecourse.core.money import CURRENCIES, exponent
from duecourse.ledger import metrics
from duecourse.ledger.audit.contact_order import contact_orders
from duecourse.ledger.audit.customers import customer_rows
from duecourse.ledger.audit.figures import company_frames, figures
from duecourse.ledger.audit.model import (
    AgeingBucket,
    Concentration,
    CurrencyBook,
    LateCustomer,
    LateDrivers,
    LateShare,
    TrendPoint,
)
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import add_months, trend_days

LARGEST = 20
CURVE_POINTS = 100
_LATE_LABELS = {0: "late", 5: "> 5 days", 30: "> 30 days", 60: "> 60 days", 89: "90+ days"}


def currency_books(books: Books, *, hourly_cost_minor: int | None, customers_limit: int) -> tuple[CurrencyBook, ...]:
    """One baseline per currency of the book, sorted by currency code."""
    frames = company_frames(books, hourly_cost_minor=hourly_cost_minor)
    late = metrics.late_items(books)
    everyone = customer_rows(books, late)
    trends = _trend(books)
    ageing = metrics.ageing(books)
    shares = metrics.customer_shares(books).join(_names(books), on="customer_id", how="left", maintain_order="left")
    orders = contact_orders(books, late)
    steps = {step: metrics.late_share(books, more_than_days=step) for step in metrics.LATE_STEPS}
    result = []
    for currency in books.groups().get_column("currency").drop_nulls():
        own = pl.col("currency") == currency
        rows = everyone.get(currency, ())
        result.append(
            CurrencyBook(
                currency=currency,
                exponent=exponent(currency) if currency in CURRENCIES else 2,
                figures=figures(currency, frames),
                ageing=tuple(
                    AgeingBucket(*row)
                    for row in ageing.filter(own).select("bucket", "invoices", "open_minor", "share").iter_rows()
                ),
                late=tuple(_late_share(step, frame.filter(own)) for step, frame in steps.items()),
                trend=tuple(trends[currency]),
                drivers=_drivers(late.filter(own), _names(books)),
                concentration=tuple(
                    Concentration(*row)
                    for row in shares.filter(own)
                    .head(LARGEST)
                    .select("customer_id", "name", "open_minor", "share")
                    .iter_rows()
                ),
                contact_orders=orders[currency],
                customers=rows[:customers_limit],
                customers_left_out=max(len(rows) - customers_limit, 0),
            )
        )
    return tuple(result)


def _names(books: Books) -> pl.DataFrame:
    return books.customers.select("customer_id", "name")


def _late_share(step: int, frame: pl.DataFrame) -> LateShare:
    row = frame.row(0, named=True)
    return LateShare(
        label=_LATE_LABELS[step],
        more_than_days=step,
        invoices=row["invoices"],
        late_invoices=row["late_invoices"],
        count_share=row["late_count_share"],
        amount_share=row["late_share"],
        missing=row["missing"],
    )


def _trend(books: Books) -> dict[str, list[TrendPoint]]:
    """Currency -> 13 points, oldest first: the last 12 month starts and as_of."""
    points: dict[str, list[TrendPoint]] = {
        currency: [] for currency in books.groups().get_column("currency").drop_nulls()
    }
    for day in trend_days(books.view.as_of):
        frame = _trend_frame(books, day)
        for row in frame.iter_rows(named=True):
            if row["currency"] is not None:
                points[row.pop("currency")].append(TrendPoint(month=day, **row))
    return points


def _trend_frame(books: Books, day: date) -> pl.DataFrame:
    """One row per currency with the fields of a TrendPoint but its month."""
    late_days = "average_days_delinquent_days"
    parts = (
        (metrics.dso_simple(books, at=day), "dso_days", "dso_simple_days"),
        (metrics.dso_countback(books, at=day), "dso_days", "dso_countback_days"),
        (metrics.best_possible_dso(books, at=day), "best_possible_dso_days", "best_possible_dso_days"),
        (metrics.average_days_delinquent(books, at=day), late_days, late_days),
        (metrics.cei(books, at=day), "cei_percent", "cei_percent"),
        (metrics.days_to_pay(books, at=day, months=3), "days_to_pay_days", "days_to_pay_days"),
        (metrics.days_beyond_terms(books, at=day, months=3), "days_beyond_terms_days", "days_beyond_terms_days"),
    )  # fmt: skip
    frame = books.receivables(day).join(books.sales(add_months(day, -1), day), on="currency", how="left")
    for part, column, name in parts:
        frame = frame.join(part.select("currency", pl.col(column).alias(name)), on="currency", how="left")
    return frame


def _drivers(late: pl.DataFrame, names: pl.DataFrame) -> LateDrivers:
    """Who carries the late cash of one currency."""
    total = int(late.get_column("late_minor").sum())
    if total <= 0:
        return LateDrivers(0, 0, 0, None, None, (), (), "nothing that fell due in the last 12 months was late")
    customers = (
        late.group_by("customer_id")
        .agg(pl.col("late_minor").sum(), pl.len().alias("late_invoices"), pl.col("late_money_days").sum())
        .sort("late_minor", "customer_id", descending=[True, False])
        .join(names, on="customer_id", how="left", maintain_order="left")
        .with_columns((pl.col("late_minor") / total).alias("share"))
    )
    fields = ("customer_id", "name", "late_minor", "share", "late_invoices", "late_money_days")
    return LateDrivers(
        late_minor=total,
        late_invoices=late.height,
        late_customers=customers.height,
        invoices_for_80=metrics.carried_by(late.get_column("late_minor")),
        customers_for_80=metrics.carried_by(customers.get_column("late_minor")),
        curve=_curve(customers.get_column("late_minor"), total),
        top=tuple(LateCustomer(*row) for row in customers.head(LARGEST).select(fields).iter_rows()),
        missing="",
    )


def _curve(amounts: pl.Series, total: int) -> tuple[tuple[float, float], ...]:
    """Share of customers against share of late cash, largest first, from (0, 0) to (1, 1), thinned to 101 points."""
    running = amounts.cum_sum().to_list()
    count = len(running)
    step = max(count / CURVE_POINTS, 1.0)
    marks = sorted({min(round(step * number), count) for number in range(1, CURVE_POINTS + 1)} | {count})
    return ((0.0, 0.0), *((mark / count, running[mark - 1] / total) for mark in marks))
