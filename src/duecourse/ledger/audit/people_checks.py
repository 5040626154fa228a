"""Checks of customers, contacts, activities, promises and disputes, and of the second clock of every table."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.audit.evidence import Check, Evidence
from duecourse.ledger.schema import TABLES

_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def _without_parent_row(table: str, column: str, of: str) -> Check:
    """A reference of ``table`` to a customer or invoice that no row of ``of`` explains."""
    key = TABLES[table].key[0]

    def find(evidence: Evidence) -> pl.DataFrame:
        known = evidence.table(of).select(column)
        if of == "customers":
            known = pl.concat([known, evidence.table("invoices").select(column)])
        return evidence.table(table).join(known.unique(), on=column, how="anti")

    what = of.rstrip("s")
    return Check(
        f"{table.rstrip('s').replace('activitie', 'activity')}_without_{what}", table, "warning",
        f"its {what} is not in the ledger", f"a row of {table} names an existing {what}",
        f"export the missing {of}; until then these rows are not used", (key, column), find,
    )  # fmt: skip


def _same_name(evidence: Evidence) -> pl.DataFrame:
    plain = pl.col("name").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    rows = evidence.table("customers").with_columns(plain.alias("plain")).filter(pl.col("plain") != "")
    same = pl.struct("plain", pl.col("country").fill_null(""))
    return rows.filter(same.is_duplicated() & ~same.is_first_distinct())


def _parent_unknown(evidence: Evidence) -> pl.DataFrame:
    rows = evidence.table("customers").filter(pl.col("parent_id").is_not_null())
    known = evidence.table("customers").select(pl.col("customer_id").alias("parent_id"))
    return rows.join(known, on="parent_id", how="anti")


def _own_parent(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("customers").filter(pl.col("parent_id") == pl.col("customer_id"))


def _negative_limit(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("customers").filter(pl.col("credit_limit_minor") < 0)


def _unreachable(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("contacts").filter(
        pl.all_horizontal(pl.col("email", "phone", "mobile", "address").fill_null("").str.strip_chars() == "")
    )


def _malformed_email(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("contacts").filter(
        pl.col("email").is_not_null() & ~pl.col("email").str.strip_chars().str.contains(_EMAIL)
    )


def _activity_in_future(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("activities").filter(pl.col("occurred_at").dt.date() >= evidence.as_of)


def _promise_due_before(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("promises").filter(pl.col("due_on") < pl.col("promised_on"))


def _promise_not_positive(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("promises").filter(pl.col("amount_minor") <= 0)


def _closed_before_opened(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("disputes").filter(pl.col("closed_on") < pl.col("opened_on"))


def _more_than_invoice(evidence: Evidence) -> pl.DataFrame:
    invoices = evidence.table("invoices").select("invoice_id", "amount_minor", "currency")
    rows = evidence.table("disputes").join(invoices, on="invoice_id", how="inner", maintain_order="left")
    return rows.filter(pl.col("disputed_minor") > pl.col("amount_minor"))


def _closed_without_outcome(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("disputes").filter(pl.col("closed_on").is_not_null() & pl.col("outcome").is_null())


def _recorded_too_early(table: str) -> Check:
    """Rows that the books knew before they happened."""
    own, key = TABLES[table].known_from or "", TABLES[table].key[0]
    day = pl.col(own).dt.date() if TABLES[table].by_name[own].kind == "timestamp" else pl.col(own)

    def find(evidence: Evidence) -> pl.DataFrame:
        return evidence.table(table).filter(pl.col("recorded_at").dt.date() < day)

    return Check(
        f"{table}_recorded_early", table, "warning", f"recorded before its own date ({own})",
        "recorded_at is stamped by the system and never typed",
        "a planned row is fine; otherwise one of the two clocks is wrong",
        (key, own, "recorded_at"), find,
    )  # fmt: skip


def _duplicate_version(table: str) -> Check:
    """Two rows with one id and one time of recording: which of them holds cannot be known."""
    key = TABLES[table].key

    def find(evidence: Evidence) -> pl.DataFrame:
        if table not in evidence.ledger.has_versions:
            return evidence.table(table).clear()
        same = pl.struct(*key, "recorded_at")
        return evidence.versions(table).filter(same.is_duplicated() & ~same.is_first_distinct())

    return Check(
        f"{table}_duplicate_id", table, "error", "the same id twice, recorded at the same moment",
        f"{' and '.join(key)} is unique",
        "remove one of the two, or give the newer one its own recorded_at",
        (*key, "recorded_at"), find,
    )  # fmt: skip


_OWN_DATE = ("invoices", "payments", "allocations", "credits", "activities", "promises", "disputes")
_WITH_ID = (*_OWN_DATE, "customers", "contacts")

PEOPLE_CHECKS = (
    Check(
        "scattered_customer", "customers", "warning", "the same name and country under another customer id",
        "a new customer is searched by name, tax number and address before it is created",
        "confirm which belong together: habits, limits and reminders are split between them",
        ("customer_id", "name"), _same_name,
    ),
    Check(
        "parent_unknown", "customers", "warning", "its parent is not in the ledger",
        "a parent is an existing customer",
        "export the parent too",
        ("customer_id", "parent_id"), _parent_unknown,
    ),
    Check(
        "own_parent", "customers", "warning", "its own parent",
        "a customer is never its own parent",
        "leave the parent empty",
        ("customer_id", "parent_id"), _own_parent,
    ),
    Check(
        "negative_credit_limit", "customers", "error", "a credit limit below zero",
        "a credit limit is zero or above",
        "use 0 for prepayment only",
        ("customer_id", "credit_limit_minor"), _negative_limit,
    ),
    Check(
        "contact_unreachable", "contacts", "warning", "no e-mail, telephone or postal address",
        "a contact has at least one address",
        "find an address: nobody can be asked for money here",
        ("contact_id", "customer_id"), _unreachable,
    ),
    Check(
        "malformed_email", "contacts", "warning", "an e-mail address that cannot be one",
        "e-mail addresses are checked for their form when they are entered",
        "correct the address",
        ("contact_id", "email"), _malformed_email,
    ),
    Check(
        "activity_in_future", "activities", "warning", "happened on or after the day of the audit",
        "an activity is logged when it has happened",
        "planned tasks do not belong here",
        ("activity_id", "occurred_at"), _activity_in_future,
    ),
    Check(
        "promise_due_before_made", "promises", "error", "due before it was made",
        "the promised day lies on or after the day of the promise",
        "correct the dates",
        ("promise_id", "promised_on", "due_on"), _promise_due_before,
    ),
    Check(
        "promise_not_positive", "promises", "error", "an amount of zero or below",
        "a promise states an amount above zero",
        "fill in the amount that was promised",
        ("promise_id", "amount_minor"), _promise_not_positive,
    ),
    Check(
        "dispute_closed_before_opened", "disputes", "error", "closed before it was opened",
        "the closing day lies on or after the opening day",
        "correct the dates",
        ("dispute_id", "opened_on", "closed_on"), _closed_before_opened,
    ),
    Check(
        "disputed_more_than_invoice", "disputes", "warning", "the disputed amount exceeds the invoice",
        "a dispute is at most the invoice",
        "split the dispute over the invoices it concerns",
        ("dispute_id", "invoice_id", "disputed_minor"), _more_than_invoice,
    ),
    Check(
        "dispute_closed_without_outcome", "disputes", "note", "closed without an outcome",
        "closing a dispute asks who was right",
        "fill in the outcome: without it nothing can be learnt from the dispute",
        ("dispute_id", "closed_on"), _closed_without_outcome,
    ),
    _without_parent_row("activities", "customer_id", "customers"),
    _without_parent_row("contacts", "customer_id", "customers"),
    _without_parent_row("promises", "customer_id", "customers"),
    _without_parent_row("disputes", "invoice_id", "invoices"),
    *(_recorded_too_early(table) for table in _OWN_DATE),
    *(_duplicate_version(table) for table in _WITH_ID),
)  # fmt: skip
