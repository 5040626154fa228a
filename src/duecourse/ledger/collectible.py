"""What may be asked for, invoice by invoice: the open amount less all that stands between it and a reminder."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances, open_disputes
from duecourse.ledger.free_money import ACCOUNT, free_money
from duecourse.ledger.promises import DEFAULT_RULES, PromiseRules, promise_states

_PARTS = ("disputed_minor", "promised_minor", "planned_minor", "netted_minor")


def collectible(view: View, rules: PromiseRules = DEFAULT_RULES) -> pl.DataFrame:
    """One row per open invoice, sorted by invoice_id: how its open amount divides.

    Columns: invoice_id, customer_id, currency, open_minor, disputed_minor, promised_minor, planned_minor, netted_minor,
    collectible_minor; the last five add up to open_minor. Each part takes from what the part before left:

    1. disputed: open disputes, at most the open amount;
    2. promised: what is still to come of promises that are open or due, to the end of the grace after due_on;
    3. planned: instalments dated ``as_of`` or later;
    4. netted: open credits against the invoice they name, then unapplied cash and all other open credits of the
       customer, never across currencies or legal entities.

    Promises, plans and free money fill the oldest invoice (by due date) first. Free money whose legal entity is in
    doubt is not netted; ``free_money`` lists it, and a reminder to such a customer should wait.
    """
    items = (
        invoice_balances(view)
        .filter(pl.col("open_minor") > 0)
        .sort("due_on", "issued_on", "invoice_id")
        .with_row_index("age_rank")
        .select("age_rank", "invoice_id", *ACCOUNT, "open_minor")
        .join(open_disputes(view), on="invoice_id", how="left")
        .with_columns(pl.min_horizontal("open_minor", pl.col("disputed_minor").fill_null(0)).alias("disputed_minor"))
        .with_columns((pl.col("open_minor") - pl.col("disputed_minor")).alias("left_minor"))
    )
    items = _take(items, _promised(view, items, rules), "promised_minor")
    items = _take(items, _planned(view, items), "planned_minor")
    return (
        _net(items, free_money(view).filter("entity_known"))
        .rename({"left_minor": "collectible_minor"})
        .select("invoice_id", "customer_id", "currency", "open_minor", *_PARTS, "collectible_minor")
        .sort("invoice_id")
    )


def _take(items: pl.DataFrame, pools: pl.DataFrame, name: str) -> pl.DataFrame:
    """``items`` with ``name``: what ``pools`` (pool, pool_minor, invoice_id) take of left_minor, oldest first."""
    room = pl.col("left_minor")
    before = room.cum_sum().over("pool") - room
    taken = (
        pools.join(items.select("invoice_id", "age_rank", "left_minor"), on="invoice_id", how="inner")
        .sort("pool", "age_rank")
        .with_columns((pl.col("pool_minor") - before).clip(0, room).alias(name))
        .group_by("invoice_id")
        .agg(pl.col(name).sum())
    )
    return (
        items.join(taken, on="invoice_id", how="left")
        .with_columns(pl.min_horizontal(pl.col(name).fill_null(0), room).alias(name))
        .with_columns((room - pl.col(name)).alias("left_minor"))
        .sort("age_rank")
    )


def _over_invoices(holds: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """pool, pool_minor, invoice_id: holds of equal scope as one pool, spread over the open invoices they cover.

    ``holds`` has customer_id, currency, invoice_ids (null: the whole account) and hold_minor.
    """
    keys = ["customer_id", "currency"]
    pools = (
        holds.filter(pl.col("hold_minor") > 0)
        .with_columns(
            pl.when(pl.col("invoice_ids").list.len() > 0).then(pl.col("invoice_ids").list.unique().list.sort())
        )
        .with_columns(pl.col("invoice_ids").list.join(";").fill_null("").alias("scope"))
        .group_by(*keys, "scope")
        .agg(pl.col("hold_minor").sum().alias("pool_minor"), pl.col("invoice_ids").first())
        .sort(*keys, "scope")
        .with_row_index("pool")
    )
    open_items = items.select(*keys, "invoice_id")
    account = pools.filter(pl.col("invoice_ids").is_null()).join(open_items, on=keys, how="inner")
    named = (
        pools.drop_nulls("invoice_ids")
        .explode("invoice_ids")
        .rename({"invoice_ids": "invoice_id"})
        .join(open_items, on=[*keys, "invoice_id"], how="semi")
    )
    columns = ["pool", "pool_minor", "invoice_id"]
    return pl.concat([account.select(columns), named.select(columns)])


def _promised(view: View, items: pl.DataFrame, rules: PromiseRules) -> pl.DataFrame:
    waiting = promise_states(view, rules).filter(
        pl.col("state").is_in(["open", "due"]) & (pl.col("grace_until") >= view.as_of)
    )
    return _over_invoices(waiting.rename({"remaining_minor": "hold_minor"}), items)


def _planned(view: View, items: pl.DataFrame) -> pl.DataFrame:
    due_on = pl.col("instalments").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    instalments = (
        view.table("plans")
        .select("plan_id", "customer_id", "currency", "invoice_ids", "instalments")
        .explode("instalments")
        .filter(due_on >= view.as_of)
        .with_columns(pl.col("instalments").str.slice(11).cast(pl.Int64).alias("hold_minor"))
    )
    return _over_invoices(instalments.select("customer_id", "currency", "invoice_ids", "hold_minor"), items)


def _net(items: pl.DataFrame, free: pl.DataFrame) -> pl.DataFrame:
    """``items`` with netted_minor: credits against the invoice they name, then the rest of the account's free money."""
    tied = (
        free.drop_nulls("tied_to")
        .rename({"tied_to": "invoice_id"})
        .join(items, on=[*ACCOUNT, "invoice_id"], how="semi", nulls_equal=True)  # a credit may name a foreign invoice
        .group_by("invoice_id")
        .agg(pl.col("free_minor").sum().alias("pool_minor"))
        .select(pl.col("invoice_id").alias("pool"), "pool_minor", "invoice_id")
    )
    items = _take(items, tied, "tied_minor")
    used = items.group_by(ACCOUNT).agg(pl.col("tied_minor").sum())
    pools = (
        free.group_by(ACCOUNT)
        .agg(pl.col("free_minor").sum())
        .join(used, on=ACCOUNT, how="left", nulls_equal=True)
        .select(*ACCOUNT, (pl.col("free_minor") - pl.col("tied_minor").fill_null(0)).alias("pool_minor"))
        .sort(ACCOUNT)
        .with_row_index("pool")
        .join(items.select(*ACCOUNT, "invoice_id"), on=ACCOUNT, how="inner", nulls_equal=True)
    )
    netted = pl.col("tied_minor") + pl.col("netted_minor")
    return _take(items, pools, "netted_minor").with_columns(netted.alias("netted_minor"))
