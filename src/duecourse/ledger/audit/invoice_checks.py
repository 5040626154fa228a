"""Checks of invoices: values that are missing or impossible, duplicates, references that lead nowhere."""

from __future__ import annotations

from datetime import date

import polars as pl

from duecourse.core.money import CURRENCIES
from duecourse.ledger.audit.evidence import Check, Evidence

EARLIEST = date(1990, 1, 1)
LONGEST_TERMS_DAYS = 730
OUTLIER_TIMES_MEDIAN = 1_000
OUTLIER_NEEDS_INVOICES = 20
USUAL_TERMS_DAYS = 7
SAME_INVOICE = ["customer_id", "issued_on", "due_on", "amount_minor", "currency"]


def _filter(table: str, condition: pl.Expr, evidence: Evidence) -> pl.DataFrame:
    return evidence.table(table).filter(condition)


def _missing_value(evidence: Evidence) -> pl.DataFrame:
    blank = (pl.col("customer_id").str.strip_chars() == "") | pl.col("customer_id").is_null()
    nothing = pl.any_horizontal(pl.col("issued_on", "due_on", "amount_minor", "currency").is_null())
    return evidence.table("invoices").filter(blank | nothing)


def _due_before_issue(evidence: Evidence) -> pl.DataFrame:
    return _filter("invoices", pl.col("due_on") < pl.col("issued_on"), evidence)


def _not_positive(evidence: Evidence) -> pl.DataFrame:
    return _filter("invoices", pl.col("amount_minor") <= 0, evidence)


def _unknown_currency(evidence: Evidence) -> pl.DataFrame:
    return _filter("invoices", ~pl.col("currency").is_in(sorted(CURRENCIES)), evidence).drop("amount_minor")


def _duplicate(evidence: Evidence) -> pl.DataFrame:
    rows = evidence.table("invoices")
    return rows.filter(pl.struct(SAME_INVOICE).is_duplicated() & ~pl.struct(SAME_INVOICE).is_first_distinct())


def _double_reference(evidence: Evidence) -> pl.DataFrame:
    same = ["customer_id", "po_number", "amount_minor", "currency"]
    rows = evidence.table("invoices").filter(pl.col("po_number").is_not_null())
    rows = rows.filter(pl.struct(SAME_INVOICE).is_first_distinct())
    return rows.filter(pl.struct(same).is_duplicated() & ~pl.struct(same).is_first_distinct())


def _similar_id(evidence: Evidence) -> pl.DataFrame:
    # Runs of letters and of digits, so that A-1-23 and A-12-3 stay apart while INV0012 and inv-12 meet.
    runs = pl.col("invoice_id").str.to_uppercase().str.extract_all(r"\p{Lu}+|[0-9]+")
    plain = runs.list.eval(pl.element().str.strip_chars_start("0")).list.join("-")
    rows = evidence.table("invoices").with_columns(plain.alias("plain_id")).filter(pl.col("plain_id") != "")
    same = pl.struct("customer_id", "plain_id")
    return rows.filter(same.is_duplicated() & ~same.is_first_distinct())


def _in_future(evidence: Evidence) -> pl.DataFrame:
    return _filter("invoices", pl.col("issued_on") >= evidence.as_of, evidence)


def _implausible_date(evidence: Evidence) -> pl.DataFrame:
    lasts = (pl.col("due_on") - pl.col("issued_on")).dt.total_days()
    return _filter(
        "invoices",
        (pl.col("issued_on") < EARLIEST) | (pl.col("due_on") < EARLIEST) | (lasts > LONGEST_TERMS_DAYS),
        evidence,
    )


def _terms_mismatch(evidence: Evidence) -> pl.DataFrame:
    lasts = (pl.col("due_on") - pl.col("issued_on")).dt.total_days()
    return _filter("invoices", pl.col("terms_days").is_not_null() & (lasts != pl.col("terms_days")), evidence)


def _missing_term(evidence: Evidence) -> pl.DataFrame:
    lasts = (pl.col("due_on") - pl.col("issued_on")).dt.total_days()
    at_once = (lasts == 0) & (pl.col("terms_days").fill_null(1) != 0)
    return _filter("invoices", at_once & (lasts.median().over("customer_id") >= USUAL_TERMS_DAYS), evidence)


def _customer_unknown(evidence: Evidence) -> pl.DataFrame:
    rows = evidence.table("invoices")
    if not evidence.holds("customers"):
        return rows.clear()
    return rows.join(evidence.table("customers").select("customer_id"), on="customer_id", how="anti")


def _currency_of_customer(evidence: Evidence) -> pl.DataFrame:
    usual = evidence.table("customers").select("customer_id", pl.col("currency").alias("customer_currency"))
    rows = evidence.table("invoices").join(usual, on="customer_id", how="inner", maintain_order="left")
    return rows.filter(pl.col("currency") != pl.col("customer_currency"))


def _outlier(evidence: Evidence) -> pl.DataFrame:
    median = pl.col("amount_minor").median().over("currency")
    enough = pl.len().over("currency") >= OUTLIER_NEEDS_INVOICES
    return _filter("invoices", enough & (pl.col("amount_minor") > OUTLIER_TIMES_MEDIAN * median), evidence)


def _delivered_before_issue(evidence: Evidence) -> pl.DataFrame:
    return _filter("invoices", pl.col("delivered_on") < pl.col("issued_on"), evidence)


def _paid_before_issue(evidence: Evidence) -> pl.DataFrame:
    first = evidence.table("allocations").group_by("invoice_id").agg(pl.col("applied_on").min().alias("first_paid_on"))
    rows = evidence.table("invoices").join(first, on="invoice_id", how="inner", maintain_order="left")
    return rows.filter(pl.col("first_paid_on") < pl.col("issued_on"))


def _over_allocated(evidence: Evidence) -> pl.DataFrame:
    return evidence.books.invoices.filter(
        (pl.col("applied_minor") > pl.col("amount_minor")) & (pl.col("amount_minor") > 0)
    )


def _reused_id(evidence: Evidence) -> pl.DataFrame:
    if "invoices" not in evidence.ledger.has_versions:
        return evidence.table("invoices").clear()
    owners = (
        evidence.versions("invoices")
        .group_by("invoice_id")
        .agg(pl.struct("customer_id", "currency").n_unique().alias("owners"))
    )
    reused = owners.filter(pl.col("owners") > 1).select("invoice_id")
    return evidence.table("invoices").join(reused, on="invoice_id", how="semi", maintain_order="left")


INVOICE_CHECKS = (
    Check(
        "missing_value", "invoices", "error", "an invoice without customer, date, amount or currency",
        "customer, issue date, due date, amount and currency are mandatory when an invoice is posted",
        "fill them in at the source; until then these rows carry no prediction",
        ("invoice_id", "customer_id", "issued_on", "due_on", "amount_minor", "currency"), _missing_value,
    ),
    Check(
        "due_before_issue", "invoices", "error", "due before it was issued",
        "due date must not lie before the issue date",
        "correct the due date at the source: days late are counted from it",
        ("invoice_id", "issued_on", "due_on"), _due_before_issue,
    ),
    Check(
        "amount_not_positive", "invoices", "error", "an amount of zero or below",
        "an invoice amount must be above zero; a reduction is a credit memo",
        "export credits to the table credits, with the invoice they belong to",
        ("invoice_id", "amount_minor", "currency"), _not_positive,
    ),
    Check(
        "unknown_currency", "invoices", "error", "a currency code that ISO 4217 does not list",
        "currency is picked from ISO 4217, never typed",
        "correct the code; amounts in an unknown currency cannot be scaled",
        ("invoice_id", "currency"), _unknown_currency,
    ),
    Check(
        "reused_invoice_id", "invoices", "error", "one invoice number for different customers or currencies",
        "an invoice number is unique and is never used again",
        "add the entity or the year to the number in the export",
        ("invoice_id", "customer_id", "currency"), _reused_id,
    ),
    Check(
        "over_allocated_invoice", "invoices", "error", "more is allocated to it than its amount",
        "an allocation must not exceed the open amount of the invoice",
        "look for a payment that was booked twice or an invoice that is missing",
        ("invoice_id", "amount_minor", "applied_minor", "currency"), _over_allocated,
    ),
    Check(
        "duplicate_invoice", "invoices", "warning",
        "same customer, dates, amount and currency as another invoice (the first one is not counted)",
        "warn when customer, date and amount equal an existing invoice",
        "compare the papers; cancel the second one with a credit if it is a duplicate",
        ("invoice_id", "customer_id", "issued_on", "amount_minor", "currency"), _duplicate,
    ),
    Check(
        "double_reference", "invoices", "warning",
        "same customer, purchase order number and amount as another invoice of another date",
        "warn when a purchase order number is billed again with the same amount",
        "check whether the order was billed twice",
        ("invoice_id", "customer_id", "po_number", "amount_minor", "currency"), _double_reference,
    ),
    Check(
        "similar_invoice_id", "invoices", "warning",
        "the same number as another invoice of the customer but for punctuation, case or leading zeros",
        "invoice numbers come from one counter, in one form",
        "check whether both papers exist",
        ("invoice_id", "customer_id", "issued_on"), _similar_id,
    ),
    Check(
        "issued_in_future", "invoices", "warning", "issued on or after the day of the audit",
        "an invoice must not be dated after the day it is posted",
        "correct the date, or give the day of posting as recorded_at",
        ("invoice_id", "issued_on"), _in_future,
    ),
    Check(
        "implausible_date", "invoices", "warning", "dated before 1990, or due more than two years after issue",
        "dates outside the open periods and terms above two years need a second person",
        "look for a swapped century, day and month, or a placeholder date",
        ("invoice_id", "issued_on", "due_on"), _implausible_date,
    ),
    Check(
        "terms_mismatch", "invoices", "warning", "due date is not issue date + terms",
        "the due date is computed from the terms, never typed",
        "say which of the two the customer has agreed to",
        ("invoice_id", "issued_on", "due_on", "terms_days"), _terms_mismatch,
    ),
    Check(
        "missing_term", "invoices", "warning", "due on the day of issue although the customer usually has terms",
        "payment terms are mandatory; without them an invoice is not posted",
        "fill in the terms: these invoices look late from the first day",
        ("invoice_id", "customer_id", "issued_on", "due_on"), _missing_term,
    ),
    Check(
        "customer_unknown", "invoices", "warning", "its customer is not in the table customers",
        "an invoice can only be posted to an existing customer",
        "export the missing customers too: no contact, no parent and no segment is known for them",
        ("invoice_id", "customer_id"), _customer_unknown,
    ),
    Check(
        "paid_before_issue", "invoices", "warning", "money was allocated before the invoice was issued",
        "the value date of a payment and the invoice date are kept as they were, never back-dated",
        "prepaid invoices are fine; otherwise the issue date was overwritten",
        ("invoice_id", "issued_on", "first_paid_on"), _paid_before_issue,
    ),
    Check(
        "implausible_amount", "invoices", "note", "more than 1,000 times the median amount of its currency",
        "amounts far above the usual need a second person",
        "check the decimal point; one such invoice moves every average",
        ("invoice_id", "amount_minor", "currency"), _outlier,
    ),
    Check(
        "currency_of_customer", "invoices", "note", "not in the customer's own currency",
        "the currency of an invoice is taken from the customer unless somebody changes it on purpose",
        "nothing to do if the customer is billed in several currencies",
        ("invoice_id", "customer_id", "currency", "customer_currency"), _currency_of_customer,
    ),
    Check(
        "delivered_before_issue", "invoices", "note", "delivered before it was issued",
        "the day of delivery is recorded by the system that sends, not typed",
        "correct the day of delivery",
        ("invoice_id", "issued_on", "delivered_on"), _delivered_before_issue,
    ),
)  # fmt: skip
