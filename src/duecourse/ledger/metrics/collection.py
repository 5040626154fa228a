"""How well receivables turn into cash: CEI, dilution, bad debt, unapplied cash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.metrics.books import CUSTOMER_LEVELS, Books, Source, add_months, books_of, check_levels, result
from duecourse.ledger.metrics.dso import NO_SALES

SMALLEST_CEI_BASE = 0.05  # of the opening receivables: below it the quotient says nothing
RECEIPTS_DAYS = 30


def cei(source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 1) -> pl.DataFrame:
    """CEI = (AR_beg + S/N - AR_end) / (AR_beg + S/N - AR_end_current) * 100, N = months in S.

    AR_beg is the receivables at the start of the period. Unit: percent. Source: Credit Research Foundation.
    Caution: 100 exactly when nothing is past due at the end; with one month the formula has one reading, with more
    it mixes a monthly mean of sales with the change over the whole period. Not given when the denominator is below
    5 % of AR_beg. Columns: levels, currency, opening_minor, sales_minor, receivable_minor, past_due_minor,
    cei_percent, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    start = add_months(day, -months)
    keys = [*by, "currency"]
    opening = books.receivables(start, by).select(*keys, pl.col("receivable_minor").alias("opening_minor"))
    frame = opening.join(books.sales(start, day, by), on=keys, how="left", maintain_order="left").join(
        books.receivables(day, by), on=keys, how="left", maintain_order="left"
    )
    to_collect = pl.col("opening_minor") + pl.col("sales_minor") / months
    current = pl.col("receivable_minor") - pl.col("past_due_minor")
    base = to_collect - current
    return result(
        frame,
        "cei_percent",
        (to_collect - pl.col("receivable_minor")) / base * 100,
        (base <= 0, "nothing was there to collect in the period"),
        (
            base < SMALLEST_CEI_BASE * pl.col("opening_minor"),
            "less than 5 % of the opening receivables was collectible",
        ),
    )


def dilution(source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12) -> pl.DataFrame:
    """Dilution = (credits + deductions + write-offs) / S over the last 12 months.

    Credits are those issued (``credits``, and credit allocations whose credit is not in that table); deductions are
    disputes closed as valid or partly valid without a credit of their own; write-offs are allocations. Unit: share.
    Caution: free credits count when issued, whatever they are used for. Source: practice of receivables finance
    (securitisation, factoring). Columns: levels, currency, credited_minor, deducted_minor, written_off_minor,
    sales_minor, dilution, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    start = add_months(day, -months)
    keys = [*by, "currency"]
    parts = {
        "credited_minor": _credits(books, start, day),
        "deducted_minor": _deductions(books, start, day),
        "written_off_minor": _allocated(books, start, day, "write_off"),
    }
    sums = pl.concat(
        (rows.select(*keys, pl.col("amount_minor").alias(name)) for name, rows in parts.items()), how="diagonal"
    )
    frame = books.fill(sums.group_by(keys).agg(pl.col(*parts).sum()), by, *parts)
    sales = books.sales(start, day, by)
    return result(
        frame.join(sales, on=keys, how="left", maintain_order="left").with_columns(pl.col("sales_minor").fill_null(0)),
        "dilution",
        pl.sum_horizontal(*parts) / pl.col("sales_minor"),
        (pl.lit(_nothing_but_cash(books)), "no credit, deduction or write-off is in the books: were they exported?"),
        (pl.col("sales_minor") <= 0, NO_SALES),
    )


def bad_debt_ratio(source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12) -> pl.DataFrame:
    """Bad-debt ratio = write-offs / S over the last 12 months.

    Unit: share. Caution: the write-off policy changes it without any effect on customers; 0 may mean that nobody ever
    writes off. Source: practice of credit management; write-offs over credit sales. Columns: levels, currency,
    written_off_minor, sales_minor, bad_debt_ratio, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    start = add_months(day, -months)
    keys = [*by, "currency"]
    sums = (
        _allocated(books, start, day, "write_off")
        .group_by(keys)
        .agg(pl.col("amount_minor").sum().alias("written_off_minor"))
    )
    frame = books.fill(sums, by, "written_off_minor").join(
        books.sales(start, day, by), on=keys, how="left", maintain_order="left"
    )
    return result(
        frame,
        "bad_debt_ratio",
        pl.col("written_off_minor") / pl.col("sales_minor"),
        (pl.lit(not _has(books, "write_off")), "no write-off is in the books: are they booked, and exported?"),
        (pl.col("sales_minor") <= 0, NO_SALES),
    )


def unapplied_share(source: Source, *, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
    """Unapplied share = (unapplied + unidentified cash) / receipts of the last 30 days.

    Unapplied = payments of a known customer less their live allocations; unidentified = payments without a customer,
    which stand under the blank level. Returned payments are no receipts; a payment has no entity. Unit: share (may
    exceed 1: the stock is of any age). Caution: explains most gaps between two DSO figures. Source: practice of cash
    application; the 30 days are ours. Columns: levels, currency, unapplied_minor, unidentified_minor,
    receipts_minor, unapplied_share, missing.
    """
    check_levels(by, CUSTOMER_LEVELS)
    books = books_of(source)
    day = at or books.view.as_of
    payments = books.view.table("payments").filter(
        (pl.col("received_on") < day) & (pl.col("status").fill_null("cleared") != "returned")
    )
    used = (
        live_at(books, day)
        .filter(pl.col("source_kind") == "payment")
        .group_by("source_id")
        .agg(pl.col("amount_minor").sum().alias("used_minor"))
    )
    free = (pl.col("amount_minor") - pl.col("used_minor").fill_null(0)).clip(lower_bound=0)
    recent = pl.col("received_on") >= day - timedelta(days=RECEIPTS_DAYS)
    known = pl.col("customer_id").is_not_null()
    sums = (
        payments.join(used, left_on="payment_id", right_on="source_id", how="left")
        .join(books.customers.select(CUSTOMER_LEVELS), on="customer_id", how="left")
        .group_by(*(pl.col(level).fill_null("") for level in by), "currency")
        .agg(
            free.filter(known).sum().alias("unapplied_minor"),
            free.filter(~known).sum().alias("unidentified_minor"),
            pl.col("amount_minor").filter(recent).sum().alias("receipts_minor"),
        )
    )
    return result(
        books.fill(sums, by, "unapplied_minor", "unidentified_minor", "receipts_minor"),
        "unapplied_share",
        (pl.col("unapplied_minor") + pl.col("unidentified_minor")) / pl.col("receipts_minor"),
        (pl.lit(payments.height == 0), "needs the table payments"),
        (pl.col("receipts_minor") <= 0, "no payment was received in the last 30 days"),
    )


def live_at(books: Books, day: date) -> pl.DataFrame:
    """Allocations of the view that count at the start of ``day``: applied before it and not reversed before it."""
    return books.view.table("allocations").filter(
        (pl.col("applied_on") < day) & (pl.col("reversed_on").is_null() | (pl.col("reversed_on") >= day))
    )


def _has(books: Books, kind: str) -> bool:
    return bool((books.view.table("allocations").get_column("source_kind") == kind).any())


def _nothing_but_cash(books: Books) -> bool:
    tables = ("credits", "disputes")
    kinds = ("credit", "write_off")
    return not any(books.view.table(name).height for name in tables) and not any(_has(books, kind) for kind in kinds)


def _about(books: Books) -> pl.DataFrame:
    return books.invoices.select("invoice_id", "entity_id", "segment", "parent_id", "customer_id", "currency")


def _allocated(books: Books, start: date, day: date, kind: str) -> pl.DataFrame:
    """Live allocations of one kind applied in [start, day), with the levels of their invoice."""
    rows = live_at(books, day).filter((pl.col("source_kind") == kind) & (pl.col("applied_on") >= start))
    return rows.select("invoice_id", "source_id", "amount_minor").join(_about(books), on="invoice_id", how="inner")


def _credits(books: Books, start: date, day: date) -> pl.DataFrame:
    levels = ["entity_id", "segment", "parent_id", "customer_id", "currency", "amount_minor"]
    about_customer = books.customers.select("customer_id", "segment", "parent_id")
    entity = _about(books).select("invoice_id", "entity_id")
    issued = (
        books.view.table("credits")
        .filter(pl.col("issued_on").is_between(start, day, closed="left"))
        .select("customer_id", "currency", "amount_minor", "invoice_id")
        .join(about_customer, on="customer_id", how="inner")
        .join(entity, on="invoice_id", how="left")
        .with_columns(pl.col("entity_id").fill_null(""))
        .select(levels)
    )
    booked = books.view.table("credits").get_column("credit_id")
    loose = _allocated(books, start, day, "credit").filter(
        pl.col("source_id").is_null() | ~pl.col("source_id").is_in(booked.implode())
    )
    return pl.concat([issued, loose.select(levels)])


def _deductions(books: Books, start: date, day: date) -> pl.DataFrame:
    closed = books.view.table("disputes").filter(
        pl.col("closed_on").is_between(start, day, closed="left")
        & pl.col("outcome").is_in(["valid", "partly_valid"])
        & pl.col("credit_id").is_null()
    )
    valid = closed.select("invoice_id", pl.coalesce("valid_minor", "disputed_minor").fill_null(0).alias("amount_minor"))
    return valid.join(_about(books), on="invoice_id", how="inner")
