"""Invoices that are not in the books yet but known: an order book, and schedules of recurring invoices.

They join the ``View`` as invoices with an issue date on or after ``as_of``, so that the timing model gives them the
curve of their customer (or of the book) from that day on, and their volume leaves the usual business unless they are
``additional``. An expected invoice that the books hold by now is left out: its issue day has passed, its order
reference is on an invoice, or the customer has an invoice of that day and amount.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation

import polars as pl

from duecourse.core.money import Money
from duecourse.ledger.as_of import View, start_of_day
from duecourse.ledger.cells import LARGEST_MINOR
from duecourse.ledger.findings import Finding, finding
from duecourse.ledger.schema import TABLES, Column, Table
from duecourse.science.forecast.book import ADDITIONAL

EXPECTED = Table("expected", (), None, (
    Column("customer_id", required=True), Column("amount", required=True),
    Column("currency", "currency", required=True), Column("terms_days", "integer", required=True),
    Column("issue_on", "date"), Column("start_on", "date"), Column("every_months", "integer"),
    Column("until_on", "date"), Column("entity_id"), Column("order_reference"), Column("additional", "boolean"),
))  # fmt: skip
HORIZON_DAYS = 178  # schedules are followed as far as curves reach
LONGEST_TERMS = 365
ID_PREFIX = "expected "


def expected_findings(rows: pl.DataFrame) -> list[Finding]:
    """What is wrong with rows of ``EXPECTED``: amounts, terms, and dates that do not say when the invoice is issued."""
    once, every = pl.col("issue_on").is_not_null(), pl.col("start_on").is_not_null()
    months = pl.col("every_months")
    amounts = rows.with_columns(_amount_minor(rows))
    found = [
        _found(amounts, pl.col("amount_minor").is_null(), "amount",
               "an amount above 0 such as 1234.50, with no more decimals than the currency has"),
        _found(rows, ~pl.col("terms_days").is_between(0, LONGEST_TERMS), "terms_days",
               f"days of credit from 0 to {LONGEST_TERMS}"),
        _found(rows, once == every, "issue_on", "either issue_on, or start_on with every_months"),
        _found(rows, every & (months.is_null() | ~months.is_between(1, 12)), "every_months",
               "a whole number of months from 1 to 12 with start_on"),
        _found(rows, once & ~every & (months.is_not_null() | pl.col("until_on").is_not_null()), "every_months",
               "no every_months or until_on beside issue_on"),
        _found(rows, pl.col("until_on") < pl.col("start_on"), "until_on", "a day not before start_on"),
    ]  # fmt: skip
    return [each for part in found for each in part]


def _found(rows: pl.DataFrame, broken: pl.Expr, column: str, expected: str) -> list[Finding]:
    return finding(rows, broken.fill_null(False), pl.col(column), table="expected", column=column, expected=expected)


def _amount_minor(rows: pl.DataFrame) -> pl.Series:
    values = [_minor(text, code) for text, code in rows.select("amount", "currency").iter_rows()]
    return pl.Series("amount_minor", values, dtype=pl.Int64)


def _minor(text: str, currency: str) -> int | None:
    try:
        if not Decimal(text).is_finite():
            return None
        minor = Money.parse(text, currency).minor
    except (ValueError, InvalidOperation):
        return None
    return minor if 0 < minor <= LARGEST_MINOR else None


def with_expected(view: View, rows: pl.DataFrame) -> tuple[View, list[str]]:
    """``view`` with the expected invoices of ``rows`` (checked, columns of ``EXPECTED``) that it does not hold yet.

    Also gives sentences: how many were added and how many were left out, and why.
    """
    every = _each_invoice(view, rows)
    coming = every.filter(pl.col("issued_on") >= view.as_of)
    held = _held(view, coming)
    added = coming.filter(~held)
    notes = [f"{added.height} expected invoices enter with their issue dates"]
    passed = every.height - coming.height
    if passed:
        notes.append(f"{passed} expected invoices have an issue date before {view.as_of} and were left to the books")
    if int(held.sum()):
        notes.append(f"{int(held.sum())} expected invoices are in the books already and were left out")
    if added.is_empty():
        return view, notes
    known = view.table("customers").get_column("customer_id").append(view.table("invoices").get_column("customer_id"))
    strangers = added.filter(~pl.col("customer_id").is_in(known.implode())).get_column("customer_id").n_unique()
    if strangers:
        notes.append(
            f"{strangers} of their customers have no invoice in the books: they are expected to pay as others do"
        )
    return View(view.as_of, {**view.tables, "invoices": _joined(view, added)}), notes


def _each_invoice(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per invoice: schedules followed to the end of the curves, due dates by the terms, ids that repeat."""
    last = view.as_of + timedelta(days=HORIZON_DAYS - 1)
    rows = rows.with_columns(_amount_minor(rows))
    once = rows.filter(pl.col("issue_on").is_not_null()).with_columns(pl.col("issue_on").alias("issued_on"))
    start = pl.col("start_on")
    before = (view.as_of.year - start.dt.year()) * 12 + view.as_of.month - start.dt.month()
    reach = (last.year - start.dt.year()) * 12 + last.month - start.dt.month()
    every = pl.col("every_months")
    repeated = (
        rows.filter(start <= last)
        .with_columns(pl.int_ranges((before.clip(0) // every) * every, reach + 1, every).alias("months"))
        .explode("months")
        .with_columns(start.dt.offset_by(pl.format("{}mo", "months")).alias("issued_on"))
        .filter(pl.col("issued_on").is_between(view.as_of, pl.min_horizontal(pl.lit(last), pl.col("until_on"))))
        .drop("months")
    )
    shape = ["customer_id", "currency", "issued_on", "amount_minor", "terms_days", "entity_id", "order_reference"]
    name = pl.format("{}{} {} {}", pl.lit(ID_PREFIX), "customer_id", "issued_on", "number")
    return (
        pl.concat([once, repeated])
        .with_columns((pl.col("issued_on") + pl.duration(days="terms_days")).alias("due_on"))
        .sort(*shape, "additional")
        .with_columns(pl.int_range(1, pl.len() + 1).over("customer_id", "issued_on").alias("number"))
        .select(*shape, "due_on", name.alias("invoice_id"), pl.col("additional").fill_null(False).alias(ADDITIONAL))
    )


def _held(view: View, coming: pl.DataFrame) -> pl.Series:
    """Which expected invoices are in the books: by order reference, or by customer, currency, day and amount."""
    books = view.table("invoices")
    same = ["customer_id", "currency", "issued_on", "amount_minor"]
    references = books.get_column("order_reference").drop_nulls()
    twins = books.select(same).unique().with_columns(twin=pl.lit(True))
    return coming.join(twins, on=same, how="left", maintain_order="left").select(
        pl.col("order_reference").is_in(references.implode()).fill_null(False) | pl.col("twin").fill_null(False)
    ).to_series()  # fmt: skip


def _joined(view: View, added: pl.DataFrame) -> pl.DataFrame:
    known_from = start_of_day(view.as_of - timedelta(days=1))
    dtypes = TABLES["invoices"].dtypes
    complete = added.with_columns(
        pl.lit(known_from).cast(dtypes["recorded_at"]).alias("recorded_at"),
        pl.lit(known_from).cast(dtypes["recorded_at"]).alias("first_recorded_at"),
    )
    return pl.concat([view.table("invoices"), complete], how="diagonal").sort("invoice_id")
