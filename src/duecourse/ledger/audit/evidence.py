"""What a check of the data looks at, and how a check is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from duecourse.ledger.as_of import Ledger, View, start_of_day
from duecourse.ledger.audit.model import Fault, Severity
from duecourse.ledger.metrics import Books
from duecourse.ledger.schema import TABLES

EXAMPLES = 5


@dataclass(frozen=True)
class Evidence:
    """A ledger with all its versions, what of it was known at ``view.as_of``, and the balances of that view."""

    ledger: Ledger
    books: Books

    @property
    def view(self) -> View:
        """The audited view."""
        return self.books.view

    @property
    def as_of(self) -> date:
        """The audited morning."""
        return self.view.as_of

    def table(self, name: str) -> pl.DataFrame:
        """Visible rows of a table."""
        return self.view.table(name)

    def versions(self, name: str) -> pl.DataFrame:
        """All versions of the rows of a table that were recorded before the audited morning."""
        moment = start_of_day(self.as_of)
        return self.ledger.table(name).filter(pl.col("recorded_at").is_null() | (pl.col("recorded_at") < moment))

    def holds(self, name: str) -> bool:
        """Whether the view has any row of the table; without any, references to it cannot be checked."""
        return self.table(name).height > 0

    @cached_property
    def allocations(self) -> pl.DataFrame:
        """Allocations beside their invoice (columns of it suffixed _i) where there is one."""
        about = self.table("invoices").select(
            "invoice_id",
            pl.col("customer_id", "issued_on", "amount_minor", "currency").name.suffix("_i"),
            pl.lit(value=True).alias("has_invoice"),
        )
        return self.table("allocations").join(about, on="invoice_id", how="left", maintain_order="left")

    @cached_property
    def payment_allocations(self) -> pl.DataFrame:
        """Allocations of payments that exist, beside invoice (_i) and payment (_p)."""
        about = self.table("payments").select(
            pl.col("payment_id").alias("source_id"),
            pl.col("customer_id", "received_on", "amount_minor", "currency").name.suffix("_p"),
        )
        return self.allocations.filter(pl.col("source_kind") == "payment").join(about, on="source_id", how="inner")


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of fault: how it is called, how to find it, which rule at the source would have prevented it.

    ``find`` gives the offending rows; ``show`` names the columns that make an example. Where the rows hold
    ``currency`` and ``amount_minor`` the amount concerned is added up per currency.
    """

    code: str
    table: str
    severity: Severity
    what: str
    rule: str
    cure: str
    show: tuple[str, ...]
    find: Callable[[Evidence], pl.DataFrame]

    def run(self, evidence: Evidence) -> Fault | None:
        """The fault with its count, examples and amounts; None when no row offends."""
        rows = self.find(evidence)
        if rows.height == 0:
            return None
        order = [column for column in TABLES[self.table].key if column in rows.columns]
        shown = rows.sort(order, nulls_last=True).head(EXAMPLES) if order else rows.head(EXAMPLES)
        examples = tuple(
            ", ".join(f"{column} {'(blank)' if value is None else value}" for column, value in row.items())
            for row in shown.select(self.show).iter_rows(named=True)
        )
        return Fault(
            code=self.code,
            table=self.table,
            severity=self.severity,
            what=self.what,
            rows=rows.height,
            of=evidence.table(self.table).height,
            examples=examples,
            amount_minor=_amounts(rows),
            rule=self.rule,
            cure=self.cure,
        )


def _amounts(rows: pl.DataFrame) -> dict[str, int]:
    if not {"currency", "amount_minor"} <= set(rows.columns):
        return {}
    sums = rows.group_by("currency").agg(pl.col("amount_minor").sum()).drop_nulls().sort("currency")
    return dict(sums.rows())
