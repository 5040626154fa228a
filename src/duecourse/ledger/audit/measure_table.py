"""Every measure as one long table for spreadsheets and other programs: company, entity, segment, customer, 13 days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import polars as pl

from duecourse.ledger import metrics
from duecourse.ledger.audit.customers import FEWEST_INVOICES
from duecourse.ledger.audit.figures import SHOWN, Shown
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import Source, books_of, trend_days
from duecourse.ledger.metrics.collection import unapplied_share
from duecourse.ledger.metrics.contacts import accounts_worked_per_day, cost_per_unit_collected

LEVELS: Mapping[str, tuple[str, ...]] = {
    "company": (), "entity": ("entity_id",), "segment": ("segment",), "customer": ("customer_id",),
}  # fmt: skip
PER_CUSTOMER = ("receivable", "past_due", "past_due_share", "dso_countback", "days_to_pay", "days_beyond_terms")
_NO_ENTITY = (unapplied_share, accounts_worked_per_day, cost_per_unit_collected)
SCHEMA = {
    "level": pl.String(), "key": pl.String(), "currency": pl.String(), "metric": pl.String(), "month": pl.Date(),
    "value": pl.Float64(), "amount_minor": pl.Int64(), "unit": pl.String(), "missing": pl.String(),
}  # fmt: skip


def measure_table(source: Source, *, hourly_cost_minor: int | None = None) -> pl.DataFrame:
    """All figures of the audit at the last 12 month starts and at ``as_of``, restated from what the view knows.

    Columns: level (company / entity / segment / customer), key (its value, empty for the company), currency (empty
    where a measure has none), metric (the audit's key), month (the day from which it was measured), value (days,
    share, percent, ratio, index) or amount_minor (integer minor units), unit, missing (why there is neither). Sorted
    by all of these. Levels that no row fills are left out; customers carry the figures of ``PER_CUSTOMER`` and only
    rows that say something: a customer without a row owed nothing, or had too little to measure.
    """
    books = books_of(source)
    known = books.invoices
    tables = [pl.DataFrame(schema=SCHEMA)]
    for level, by in LEVELS.items():
        if by and not (known.get_column(by[0]) != "").any():
            continue
        tables += _of_level(books, level, by, hourly_cost_minor)
    return pl.concat(tables).sort("level", "key", "currency", "metric", "month")


def _of_level(books: Books, level: str, by: tuple[str, ...], hourly_cost_minor: int | None) -> Iterator[pl.DataFrame]:
    shown = [one for one in SHOWN if level != "customer" or one.key in PER_CUSTOMER]
    for day in trend_days(books.view.as_of):
        frames: dict[str, pl.DataFrame] = {}
        for one in shown:
            if by == ("entity_id",) and one.measure in _NO_ENTITY:
                continue
            key = f"{one.measure.__name__}{one.options}"
            if key not in frames:
                frames[key] = one.measure(books, at=day, by=by, **_options(one, level, hourly_cost_minor))
            yield _long(frames[key], one, level, by, day)


def _options(one: Shown, level: str, hourly_cost_minor: int | None) -> dict[str, int | None]:
    options: dict[str, int | None] = dict(one.options)
    if one.measure is cost_per_unit_collected:
        options["hourly_cost_minor"] = hourly_cost_minor
    if one.measure is metrics.dso_countback and level == "customer":
        options["min_invoices"] = FEWEST_INVOICES
    return options


def _long(frame: pl.DataFrame, one: Shown, level: str, by: Sequence[str], day: date) -> pl.DataFrame:
    amount = one.unit == "minor"
    figure = pl.col(one.column)
    rows = one.rows(frame).select(
        pl.lit(level).alias("level"),
        (pl.col(by[0]) if by else pl.lit("")).alias("key"),
        (pl.col("currency") if "currency" in frame.columns else pl.lit("")).alias("currency"),
        pl.lit(one.key).alias("metric"),
        pl.lit(day).alias("month"),
        (pl.lit(None) if amount else figure).cast(pl.Float64()).alias("value"),
        (figure if amount else pl.lit(None)).cast(pl.Int64()).alias("amount_minor"),
        pl.lit(one.unit).alias("unit"),
        pl.when(figure.is_null()).then("missing").otherwise(pl.lit("")).alias("missing"),
    )
    if level != "customer":
        return rows
    return rows.filter(pl.col("value").is_not_null() | (pl.col("amount_minor").fill_null(0) != 0))
