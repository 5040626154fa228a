"""Money and credits of customers that no invoice has taken yet: unapplied cash and open credits.

They are netted against the customer before anybody is reminded. A payment or credit carries no legal entity of its own:
it has the entity of the invoices it was partly allocated to (or that a credit names), else the only entity that has
invoices of the customer in that currency. Where that leaves a doubt, ``entity_known`` is false.
"""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations

ACCOUNT = ["customer_id", "currency", "entity_id"]


def unapplied_payments(view: View) -> pl.DataFrame:
    """payment_id, customer_id, currency, received_on, free_minor of received payments that are not wholly allocated.

    Returned payments and payments of unknown payers are left out. Sorted by payment_id.
    """
    return (
        view.table("payments")
        .filter(
            pl.col("customer_id").is_not_null()
            & (pl.col("received_on") < view.as_of)
            & (pl.col("status").is_null() | (pl.col("status") != "returned"))
        )
        .join(_taken(view, "payment"), left_on="payment_id", right_on="source_id", how="left")
        .select("payment_id", "customer_id", "currency", "received_on", _free_minor())
        .filter(pl.col("free_minor") > 0)
        .sort("payment_id")
    )


def open_credits(view: View) -> pl.DataFrame:
    """credit_id, customer_id, currency, issued_on, invoice_id (null: free), free_minor of credits with an open rest."""
    return (
        view.table("credits")
        .filter(pl.col("issued_on") < view.as_of)
        .join(_taken(view, "credit"), left_on="credit_id", right_on="source_id", how="left")
        .select("credit_id", "customer_id", "currency", "issued_on", "invoice_id", _free_minor())
        .filter(pl.col("free_minor") > 0)
        .sort("credit_id")
    )


def free_money(view: View) -> pl.DataFrame:
    """What each account could still be netted with.

    Columns: customer_id, currency, entity_id, entity_known, tied_to, free_minor. ``tied_to`` is the invoice that an
    open credit names, null for everything else. Allocations that name no source are taken off the free amount of their
    customer, currency and entity, so that money which was applied without a link is not counted again. Sorted by the
    columns in that order; rows without a free amount are left out.
    """
    cash = unapplied_payments(view).rename({"payment_id": "source_id"})
    credit = open_credits(view).rename({"credit_id": "source_id", "invoice_id": "tied_to"})
    columns = ["kind", "source_id", "customer_id", "currency", "free_minor", "tied_to"]
    sources = pl.concat(
        [
            cash.with_columns(kind=pl.lit("payment"), tied_to=pl.lit(None, dtype=pl.String())).select(columns),
            credit.with_columns(kind=pl.lit("credit")).select(columns),
        ]
    )
    keys = [*ACCOUNT, "entity_known", "kind", "tied_to"]
    sums = _with_entity(view, sources).group_by(keys).agg(pl.col("free_minor").sum())
    unlinked = pl.col("unlinked_minor").fill_null(0)
    earlier = pl.col("free_minor").cum_sum().over(*ACCOUNT, "kind") - pl.col("free_minor")
    left = pl.col("free_minor") - (unlinked - earlier).clip(0, pl.col("free_minor"))
    return (
        sums.join(_unlinked(view), on=[*ACCOUNT, "kind"], how="left", nulls_equal=True)
        .sort(*ACCOUNT, "entity_known", "kind", "tied_to", nulls_last=False)
        .with_columns(left.alias("free_minor"))
        .group_by(*ACCOUNT, "entity_known", "tied_to")
        .agg(pl.col("free_minor").sum())
        .filter(pl.col("free_minor") > 0)
        .sort(*ACCOUNT, "entity_known", "tied_to")
    )


def _free_minor() -> pl.Expr:
    return (pl.col("amount_minor") - pl.col("taken_minor").fill_null(0)).alias("free_minor")


def _taken(view: View, kind: str) -> pl.DataFrame:
    """source_id, taken_minor: what live allocations of one kind took from each source."""
    return (
        live_allocations(view)
        .filter((pl.col("source_kind") == kind) & pl.col("source_id").is_not_null())
        .group_by("source_id")
        .agg(pl.col("amount_minor").sum().alias("taken_minor"))
    )


def _unlinked(view: View) -> pl.DataFrame:
    """Per account and kind: what was applied without naming its payment or credit."""
    return (
        live_allocations(view)
        .filter(pl.col("source_id").is_null() & pl.col("source_kind").is_in(["payment", "credit"]))
        .join(view.table("invoices").select("invoice_id", *ACCOUNT), on="invoice_id", how="inner")
        .group_by(*ACCOUNT, pl.col("source_kind").alias("kind"))
        .agg(pl.col("amount_minor").sum().alias("unlinked_minor"))
    )


def _with_entity(view: View, sources: pl.DataFrame) -> pl.DataFrame:
    """``sources`` with entity_id and entity_known."""
    invoices = view.table("invoices").select("invoice_id", *ACCOUNT)
    one = [pl.col("entity_id").n_unique().alias("entities"), pl.col("entity_id").first()]
    of_account = invoices.group_by("customer_id", "currency").agg(one)
    named = sources.select("kind", "source_id", pl.col("tied_to").alias("invoice_id")).drop_nulls("invoice_id")
    applied = live_allocations(view).select(pl.col("source_kind").alias("kind"), "source_id", "invoice_id")
    of_source = (
        pl.concat([named, applied.join(sources.select("kind", "source_id"), on=["kind", "source_id"], how="semi")])
        .join(invoices.select("invoice_id", "entity_id"), on="invoice_id", how="inner")
        .group_by("kind", "source_id")
        .agg(one)
    )
    by_source = pl.col("entities") == 1
    by_account = pl.col("entities_of_account") == 1
    return (
        sources.join(of_source, on=["kind", "source_id"], how="left")
        .join(of_account, on=["customer_id", "currency"], how="left", suffix="_of_account")
        .with_columns(
            pl.when(by_source).then(pl.col("entity_id")).when(by_account).then(pl.col("entity_id_of_account")),
            (by_source.fill_null(False) | (pl.col("entities").is_null() & by_account.fill_null(False))).alias(
                "entity_known"
            ),
        )
        .drop("entities", "entities_of_account", "entity_id_of_account")
    )
