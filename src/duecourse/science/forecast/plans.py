"""Payment plans in the forecast: every instalment that is still to come is an item of its own.

P(kept) is Beta(6.5, 3.5) and the outcomes of the book's own past instalments, then of the customer's (ten instalments
of the book's share count with them). A kept instalment arrives like a kept promise; one that is not kept comes later
than its date and the wait for it, by the curve of the invoice. The start values are assumptions of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations
from duecourse.ledger.promises import PAID_WITH
from duecourse.science.timing.promises import BOOK_WEIGHT, BROKEN_PRIOR, KEPT_PRIOR, WAIT_DAYS


@dataclass(frozen=True)
class KeptShares:
    """P(kept) of an instalment: of a customer with outcomes of its own, and of everybody else."""

    own: dict[str, float]
    book: float

    def of(self, customer_id: str) -> float:
        """P(kept) of the customer's next instalment."""
        return self.own.get(customer_id, self.book)


@dataclass(frozen=True)
class Piece:
    """The part of one invoice that one instalment is to pay."""

    invoice_id: str
    plan_id: str
    due_on: date
    amount_minor: int


def instalments(view: View) -> pl.DataFrame:
    """plan_id, customer_id, currency, invoice_ids, agreed_on, due_on, amount_minor; sorted by customer and date."""
    text = pl.col("instalments")
    return (
        view.table("plans")
        .select("plan_id", "customer_id", "currency", "invoice_ids", "agreed_on", "instalments")
        .explode("instalments")
        .drop_nulls("instalments")
        .with_columns(
            text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).alias("due_on"),
            text.str.slice(11).cast(pl.Int64).alias("amount_minor"),
        )
        .drop("instalments")
        .sort("customer_id", "currency", "due_on", "plan_id")
    )


def instalments_kept(view: View) -> KeptShares:
    """Shares of kept instalments from the outcomes known at ``view.as_of``.

    Kept: by the end of the wait for it, the money that came for the plan's invoices since the agreement covers this
    instalment and all before it. Decided: kept, or the wait is over.
    """
    past = instalments(view).filter(pl.col("due_on") < view.as_of)
    prior = KEPT_PRIOR / (KEPT_PRIOR + BROKEN_PRIOR)
    if past.is_empty():
        return KeptShares({}, prior)
    asked = past.with_columns(
        pl.col("amount_minor").cum_sum().over("plan_id").alias("by_then_minor"),
        pl.col("due_on").dt.offset_by(f"{WAIT_DAYS}d").alias("waited_until"),
    )
    outcome = _with_money(view, asked).with_columns((pl.col("came_minor") >= pl.col("by_then_minor")).alias("kept"))
    decided = outcome.filter(pl.col("kept") | (pl.col("waited_until") < view.as_of))
    kept, count = int(decided.get_column("kept").sum()), decided.height
    book = (kept + KEPT_PRIOR) / (count + KEPT_PRIOR + BROKEN_PRIOR)
    own = decided.group_by("customer_id").agg(
        ((pl.col("kept").sum() + BOOK_WEIGHT * book) / (pl.len() + BOOK_WEIGHT)).alias("share")
    )
    return KeptShares(dict(own.iter_rows()), book)


def _with_money(view: View, asked: pl.DataFrame) -> pl.DataFrame:
    """``asked`` with came_minor: money for the plan's invoices (without any: the account's) from agreement to wait."""
    money = (
        live_allocations(view)
        .filter(pl.col("source_kind").is_in(PAID_WITH))
        .join(view.table("invoices").select("invoice_id", "customer_id", "currency"), on="invoice_id", how="inner")
        .select("invoice_id", "customer_id", "currency", "applied_on", pl.col("amount_minor").alias("paid_minor"))
    )
    asked = asked.with_row_index("place")
    keys = ["customer_id", "currency"]
    named = (
        asked.filter(pl.col("invoice_ids").list.len() > 0).explode("invoice_ids").rename({"invoice_ids": "invoice_id"})
    )
    account = asked.filter(pl.col("invoice_ids").list.len().fill_null(0) == 0)
    pairs = pl.concat(
        [
            named.join(money, on=[*keys, "invoice_id"], how="inner").select(
                "place", "agreed_on", "waited_until", "applied_on", "paid_minor"
            ),
            account.join(money, on=keys, how="inner").select(
                "place", "agreed_on", "waited_until", "applied_on", "paid_minor"
            ),
        ]
    )
    came = (
        pairs.filter(pl.col("applied_on").is_between("agreed_on", "waited_until"))
        .group_by("place")
        .agg(pl.col("paid_minor").sum().alias("came_minor"))
    )
    return asked.join(came, on="place", how="left").with_columns(pl.col("came_minor").fill_null(0))


def pieces(view: View, planned: pl.DataFrame) -> list[Piece]:
    """Coming instalments against the invoices they pay: the earliest instalment the oldest invoice first.

    ``planned`` has invoice_id, customer_id, currency, due_on, planned_minor and skipped_minor: what free money of the
    account has paid of its first instalments. The pieces of an invoice add up to its planned_minor.
    """
    coming = instalments(view).filter(pl.col("due_on") >= view.as_of)
    by_account = dict(coming.group_by("customer_id", "currency"))
    held = planned.filter(pl.col("planned_minor") > 0).sort("customer_id", "currency", "due_on", "invoice_id")
    found: list[Piece] = []
    for key, invoices in held.group_by("customer_id", "currency", maintain_order=True):
        found += _first_to_first(invoices, by_account[key])
    return found


def _first_to_first(invoices: pl.DataFrame, coming: pl.DataFrame) -> Iterator[Piece]:
    waiting = coming.sort("due_on", "plan_id").select("plan_id", "due_on", "amount_minor").rows()
    place, left = -1, 0
    here = int(invoices.get_column("skipped_minor")[0])
    while here > 0:
        place, left = place + 1, waiting[place + 1][2]
        here, left = here - min(here, left), left - min(here, left)
    for invoice_id, owed in invoices.select("invoice_id", "planned_minor").iter_rows():
        while owed > 0:
            if left == 0:
                place, left = place + 1, waiting[place + 1][2]
            taken = min(owed, left)
            if taken:
                yield Piece(invoice_id, waiting[place][0], waiting[place][1], taken)
            owed, left = owed - taken, left - taken


def end_of_wait(due_on: date) -> date:
    """The first day on which an instalment that has not arrived counts as not kept."""
    return due_on + timedelta(days=WAIT_DAYS + 1)
