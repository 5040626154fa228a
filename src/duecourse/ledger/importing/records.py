"""Sorts the typed rows of invoice files into invoices, credits, payments and rows that are no receivables.

Also here: what makes a row impossible (due before issue), which rows are doubled, and when several rows with one
invoice number are one invoice (a row per line, a row per payment).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from duecourse.ledger.importing.fields import Typed, problem_rows, terms_in_days
from duecourse.ledger.importing.outcome import Guess, ImportOptions, problem_frame
from duecourse.ledger.importing.reading import ROW

_INVOICE_LEVEL = ("customer_id", "issued_on", "due_on", "amount_minor", "currency")
# A customer may pay before the invoice is written; much earlier is a wrong date (a slip of the year).
PREPAID_DAYS = 90
_PAYMENT_LEVEL = ("cleared_on", "paid_amount_minor", "payment_id")


@dataclass(frozen=True)
class InvoiceRecords:
    """The usable rows of an invoice file. ``invoices`` has one row per invoice, ``paid_rows`` one per row read.

    ``aside`` is a problem table of duplicates and rows left out. All frames carry ``file`` and ``row``.
    """

    invoices: pl.DataFrame
    paid_rows: pl.DataFrame
    credits: pl.DataFrame
    payments: pl.DataFrame
    aside: pl.DataFrame


def invoice_records(typed: Typed, options: ImportOptions) -> InvoiceRecords:
    """The records of a typed invoice file; adds its row problems and questions to ``typed``."""
    _identify(typed)
    _settle_due_dates(typed, options)
    _check_rows(typed)
    if typed.questions:
        nothing = typed.frame.clear()
        return InvoiceRecords(nothing, nothing, nothing, nothing, problem_frame())
    file = typed.raw.file
    own_number = pl.coalesce("invoice_id", pl.format("{}-{}", pl.lit(file), "row"))
    frame = typed.frame.with_columns(pl.lit(file).alias("file"), own_number.alias("invoice_id"))
    good = frame.filter(~pl.col("row").is_in(typed.bad_rows.implode()))
    aside: list[pl.DataFrame] = []
    good = _set_aside(good, typed, aside)
    doubled = _exact_duplicates(typed, good)
    aside.append(
        problem_rows(
            good,
            pl.col("row").is_in(doubled.implode()),
            file=file,
            column=None,
            value=pl.col("invoice_id"),
            expected="each record once",
            what="duplicate",
        )
    )
    good = good.filter(~pl.col("row").is_in(doubled.implode()))
    credit = (pl.col("kind") == "credit").fill_null(False) | (pl.col("amount_minor") < 0)
    payment = (pl.col("kind") == "payment").fill_null(False)
    credit_rows, payments = good.filter(credit & ~payment), good.filter(payment)
    invoices, paid_rows = _one_per_invoice(typed, good.filter(~credit & ~payment), aside)
    return InvoiceRecords(invoices, paid_rows, credit_rows, payments, pl.concat([problem_frame(), *aside]))


def _identify(typed: Typed) -> None:
    """Customer ids from names where there are none, and row numbers as ids where the file has no invoice number."""
    table = typed.table
    if (
        "customer_id" not in table.columns
        and "customer_name" not in table.columns
        and "customer_id" not in table.constants
    ):
        typed.ask(
            None,
            f"no column names the customer among: {', '.join(typed.raw.headers)}",
            "--map FILE with customer_id or customer_name, or --set customer_id=ALL",
        )
    if "customer_id" not in table.columns and "customer_name" in table.columns:
        typed.guesses.append(
            Guess(
                f"{typed.raw.file}, customer",
                f"{table.header_of('customer_name')} is name and id",
                "there is no customer number; spellings of one customer are proposed for merging",
                "--confirm-names FILE",
            )
        )
    if "amount" not in table.columns and "amount" not in table.constants:
        typed.ask(
            None,
            f"no column holds the invoice amount among: {', '.join(typed.raw.headers)}",
            "--map FILE with amount, or --set amount=1 to study dates only",
        )
    if "issued_on" not in table.columns:
        typed.ask(
            None, f"no column holds the invoice date among: {', '.join(typed.raw.headers)}", "--map FILE with issued_on"
        )
    typed.frame = typed.frame.with_columns(pl.coalesce("customer_id", "customer_name").alias("customer_id"))
    if "invoice_id" not in table.columns:
        typed.frame = typed.frame.with_columns(
            pl.format("row-{}", pl.col("row").cast(pl.String).str.zfill(7)).alias("invoice_id")
        )
        why = "no column holds an invoice number"
        typed.guesses.append(Guess(f"{typed.raw.file}, invoice id", "row-<number of the row>", why, "--map FILE"))


def _settle_due_dates(typed: Typed, options: ImportOptions) -> None:
    """Missing due dates from the row's own terms, else from --default-terms; never from when it was paid."""
    typed.frame = typed.frame.with_columns(terms_in_days(pl.col("terms_days")).alias("terms_days"))
    if "issued_on" not in typed.frame.columns or typed.questions:
        return
    missing = typed.frame.get_column("due_on").is_null()
    if not missing.any():
        return
    by_terms = pl.col("issued_on") + pl.duration(days=pl.col("terms_days"))
    typed.frame = typed.frame.with_columns(pl.coalesce("due_on", by_terms).alias("due_on"))
    left = typed.frame.get_column("due_on").is_null()
    from_terms = int(missing.sum()) - int(left.sum())
    if from_terms:
        typed.guesses.append(
            Guess(
                f"{typed.raw.file}, due date", "issue date + terms", f"{from_terms:,} rows have no due date but terms"
            )
        )
    if not left.any():
        return
    if options.default_terms is not None:
        by_default = pl.col("issued_on") + pl.duration(days=options.default_terms)
        typed.frame = typed.frame.with_columns(pl.coalesce("due_on", by_default).alias("due_on"))
        typed.guesses.append(
            Guess(
                f"{typed.raw.file}, due date",
                f"issue date + {options.default_terms} days",
                f"{int(left.sum()):,} rows have neither due date nor terms",
                "--default-terms N",
            )
        )
    elif int(left.sum()) == typed.frame.height:
        typed.ask(None, "no column holds a due date or terms", "--default-terms N, for example --default-terms 30")


def _check_rows(typed: Typed) -> None:
    """Reports rows that cannot be: without customer, number, dates or amount, or with dates in the wrong order."""
    if typed.questions:
        return
    header = typed.table.header_of
    blank = pl.lit(None, pl.String)
    skipped = (pl.col("kind") == "skip").fill_null(False) | (pl.col("status") == "skip").fill_null(False)
    invoice = ~skipped & ~pl.col("kind").is_in(["credit", "payment"]).fill_null(False)
    numbered = ~pl.col("kind").is_in(["credit", "payment"]).fill_null(False)  # these may have no number of their own
    unread = pl.col("row").is_in(typed.bad_rows.implode())
    for name, what, cure in (
        ("customer_id", "a customer", "fill the cell"),
        ("invoice_id", "an invoice number", "fill the cell"),
        ("issued_on", "an invoice date", "fill the cell"),
        ("amount_minor", "an amount", "fill the cell"),
    ):
        column = header(name.removesuffix("_minor")) or (header("customer_name") if name == "customer_id" else None)
        needs = ~skipped & numbered if name == "invoice_id" else ~skipped
        typed.report(pl.col(name).is_null() & needs & ~unread, column, blank, what, cure)
    typed.report(
        invoice & pl.col("due_on").is_null() & ~unread & (pl.col("amount_minor") > 0),
        header("due_on"),
        blank,
        "a due date or terms",
        "fill the cell, or give --default-terms N for blank ones",
    )
    charged = invoice & (pl.col("amount_minor") > 0)
    issued = pl.col("issued_on")
    expected = pl.format("a date on or after the invoice date {}", issued)
    typed.report(
        charged & (pl.col("due_on") < issued), header("due_on"), pl.col("due_on"), expected,
        "correct one of the two dates",
    )  # fmt: skip
    paid = pl.col("cleared_on")
    ahead = (issued - paid).dt.total_days()
    expected = pl.format("a payment at most {} days before the invoice date {}", pl.lit(PREPAID_DAYS), issued)
    typed.report(charged & (ahead > PREPAID_DAYS), header("cleared_on"), paid, expected, "correct one of the two dates")
    prepaid = int(typed.frame.select((charged & (ahead > 0) & (ahead <= PREPAID_DAYS)).sum()).item() or 0)
    if prepaid:
        why = f"{prepaid:,} invoices were paid before their own date"
        typed.guesses.append(Guess(f"{typed.raw.file}, prepayments", "applied on the day of the invoice", why))
    amounts = typed.frame.filter(invoice).get_column("amount_minor")
    negative, positive = int((amounts < 0).sum()), int((amounts > 0).sum())
    if negative > positive and negative > 3:
        typed.ask(
            header("amount"),
            f"{negative:,} amounts are negative and only {positive:,} positive",
            "export with invoices as positive amounts, or say in map.toml which rows are credits",
        )


def _set_aside(good: pl.DataFrame, typed: Typed, aside: list[pl.DataFrame]) -> pl.DataFrame:
    """Removes rows that are no receivables of a customer: drafts, voids, other documents, amounts of nothing."""
    file, header = typed.raw.file, typed.table.header_of
    rules = (
        ((pl.col("kind") == "skip"), header("kind"), "an invoice, credit or payment of a customer"),
        ((pl.col("status") == "skip"), header("status"), "a posted document (not draft, void or cancelled)"),
        ((pl.col("amount_minor") == 0), header("amount"), "an amount other than 0"),
    )
    for mask, column, expected in rules:
        value = pl.col("invoice_id")
        aside.append(
            problem_rows(good, mask, file=file, column=column, value=value, expected=expected, what="left_out")
        )
        good = good.filter(~mask.fill_null(False))
    return good


def _exact_duplicates(typed: Typed, good: pl.DataFrame) -> pl.Series:
    """Rows that repeat an earlier row in every cell of the file."""
    headers = list(typed.raw.headers)
    if "invoice_id" not in typed.table.columns:
        return pl.Series("row", [], dtype=pl.Int64)  # without numbers two equal invoices cannot be told from a copy
    cells = typed.raw.frame.filter(pl.col(ROW).is_in(good.get_column("row").implode()))
    return cells.filter(~pl.struct(headers).is_first_distinct()).get_column(ROW)


def _one_per_invoice(typed: Typed, rows: pl.DataFrame, aside: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per invoice number, and the rows that carry payments. Contradicting rows are refused."""
    file = typed.raw.file
    again = rows.filter(pl.col("invoice_id").is_duplicated())
    if again.height == 0:
        return rows, rows
    groups = again.group_by("invoice_id").agg(
        contradicts=pl.any_horizontal(pl.col(name).n_unique() > 1 for name in _INVOICE_LEVEL),
        payments=pl.any_horizontal(pl.col(name).n_unique() > 1 for name in _PAYMENT_LEVEL),
        rows=pl.col("row").sort().head(4).cast(pl.String).str.join(", "),
        sums=pl.col("paid_amount_minor").sum() <= pl.col("amount_minor").first(),
    )
    again = again.join(groups, on="invoice_id", how="left", maintain_order="left")
    per_payment = pl.col("payments") & pl.col("sums") & pl.lit("paid_amount" in typed.table.columns)
    wrong = pl.col("contradicts") | (pl.col("payments") & ~per_payment)
    expected = pl.format("one content for one invoice number (rows {})", pl.col("rows_right"))
    again = again.rename({"rows": "rows_right"})
    typed.problems.append(
        problem_rows(
            again,
            wrong,
            file=file,
            column=typed.table.header_of("invoice_id"),
            value=pl.col("invoice_id"),
            expected=expected,
            cure="keep the right one; if the rows are invoice lines, export one row per invoice",
        )
    )
    refused = again.filter(wrong).get_column("row")
    rest = rows.filter(~pl.col("row").is_in(refused.implode()))
    first = rest.unique("invoice_id", keep="first", maintain_order=True)
    paying = again.filter(~wrong & per_payment).get_column("row")
    lines = rest.filter(~pl.col("row").is_in(first.get_column("row").implode()), ~pl.col("row").is_in(paying.implode()))
    aside.append(
        problem_rows(
            lines,
            pl.lit(True),
            file=file,
            column=None,
            value=pl.col("invoice_id"),
            expected="one row per invoice",
            what="left_out",
        )
    )
    if lines.height:
        typed.guesses.append(
            Guess(
                f"{file}, rows",
                "several rows of one invoice are its lines",
                f"{lines.height:,} rows repeat number, dates and amount of an earlier one",
            )
        )
    if len(paying):
        typed.guesses.append(
            Guess(
                f"{file}, rows", "one row per payment", f"{len(paying):,} rows repeat an invoice with another payment"
            )
        )
    return first, rest.filter(~pl.col("row").is_in(lines.get_column("row").implode()))
