"""What came of each decision, read from the ledger: never stored in the decision, always as known at ``as_of``.

    paid_share     share of the listed open money that arrived within 4 weeks (by currency, weighted by invoices)
    weeks_to_pay   weeks until the listed invoices were paid, at most 13, weighted by open money
    cash_minor     the money that arrived within 4 weeks; one currency only

An outcome counts only once its whole window has passed; a payment that came early in a window that is still open does
not count either, else the prompt would be seen first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances, live_allocations

PAID_DAYS = 28
WEEKS = 13
# What a payer hands over. A discount is what he keeps; credits and write-offs are no money.
CASH_KINDS = ("payment", "withholding", "fee", "rounding")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome: its column, unit, direction, bounds (None: found from the data), and smallest effect of interest."""

    name: str
    label: str
    unit: str
    higher_is_better: bool
    top: float | None
    smallest: float | None
    window_days: int


# In the order in which they are to be read: money is the noisiest and comes last.
OUTCOMES: tuple[Outcome, ...] = (
    Outcome("paid_share", "Paid within 4 weeks", "of the open amount", True, 1.0, 0.01, PAID_DAYS),
    Outcome("weeks_to_pay", "Weeks to pay, at most 13", "weeks", False, float(WEEKS), 0.13, 7 * WEEKS),
    Outcome("cash_minor", "Cash within 4 weeks, largest cut at 95 %", "money", True, None, None, PAID_DAYS),
)


def outcomes(view: View, decisions: pl.DataFrame) -> pl.DataFrame:
    """One row per decision in the given order, with its outcomes; null where they are not known.

    Columns: decision_id, the three outcomes, currency and open_minor at the decision (null with several currencies),
    listed_open (number of listed invoices that were open).

    ``decisions`` has decision_id, decided_on, invoice_ids. What was open is told by when money was applied, so a
    payment that the books learnt of late belongs to the day on which it arrived.
    """
    pairs = _open_pairs(view, decisions)
    per_currency = pairs.group_by("decision_id", "currency").agg(
        pl.len().alias("invoices"),
        pl.col("open_minor").sum(),
        pl.col("cash_minor").sum(),
        (pl.col("weeks") * pl.col("open_minor")).sum().alias("weighted_weeks"),
    )
    share = pl.col("cash_minor") / pl.col("open_minor")
    weeks = pl.col("weighted_weeks") / pl.col("open_minor")
    part = pl.col("invoices") / pl.col("invoices").sum()
    single = pl.len() == 1
    joined = per_currency.group_by("decision_id").agg(
        (share * part).sum().clip(0, 1).alias("paid_share"),
        (weeks * part).sum().clip(0, WEEKS).alias("weeks_to_pay"),
        pl.when(single).then(pl.col("cash_minor").first()).alias("cash_minor"),
        pl.when(single).then(pl.col("currency").first()).alias("currency"),
        pl.when(single).then(pl.col("open_minor").first()).alias("open_minor"),
        pl.col("invoices").sum().alias("listed_open"),
    )
    known = [
        pl.when(pl.col("decided_on") + timedelta(days=one.window_days) <= view.as_of).then(one.name).alias(one.name)
        for one in OUTCOMES
    ]
    return (
        decisions.select("decision_id", "decided_on")
        .join(joined, on="decision_id", how="left", maintain_order="left")
        .with_columns(*known, pl.col("listed_open").fill_null(0))
        .drop("decided_on")
    )


def _open_pairs(view: View, decisions: pl.DataFrame) -> pl.DataFrame:
    """One row per decision and listed invoice that was open: currency, open_minor, cash_minor in 4 weeks, weeks."""
    balances = invoice_balances(view).select("invoice_id", "currency", "amount_minor", "paid_on")
    pairs = (
        decisions.select("decision_id", "decided_on", pl.col("invoice_ids").alias("invoice_id"))
        .explode("invoice_id")
        .drop_nulls("invoice_id")
        .unique()
        .join(balances, on="invoice_id", how="inner")
    )
    moved = pairs.select("decision_id", "decided_on", "invoice_id").join(
        live_allocations(view).select("invoice_id", "source_kind", "applied_on", "amount_minor"),
        on="invoice_id", how="inner",
    )  # fmt: skip
    before = pl.col("applied_on") < pl.col("decided_on")
    within = ~before & (pl.col("applied_on") < pl.col("decided_on") + timedelta(days=PAID_DAYS))
    cash = pl.col("source_kind").is_in(CASH_KINDS)
    sums = moved.group_by("decision_id", "invoice_id").agg(
        pl.col("amount_minor").filter(before).sum().alias("before_minor"),
        pl.col("amount_minor").filter(within & cash).sum().alias("cash_minor"),
    )
    days = (pl.col("paid_on") - pl.col("decided_on")).dt.total_days()
    return (
        pairs.join(sums, on=["decision_id", "invoice_id"], how="left")
        .with_columns((pl.col("amount_minor") - pl.col("before_minor").fill_null(0)).alias("open_minor"))
        .filter(pl.col("open_minor") > 0)
        .with_columns(
            pl.min_horizontal(pl.col("cash_minor").fill_null(0).clip(lower_bound=0), "open_minor").alias("cash_minor"),
            (days / 7).clip(0, WEEKS).fill_null(WEEKS).alias("weeks"),
        )
    )


def label_of(name: str) -> str:
    """The label of an outcome by its column name."""
    names: Mapping[str, str] = {one.name: one.label for one in OUTCOMES}
    return names[name]
