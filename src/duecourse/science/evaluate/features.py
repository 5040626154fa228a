"""What was known before each decision, for the outcome model: plain, fast, and blind to everything later."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances
from duecourse.science.evaluate.logged import FloatArray

NAMES = (
    "week_0", "week_1_2", "week_3_5", "week_6_up", "days_late", "log_open", "log_invoices", "mean_lateness",
    "log_cleared", "contacts_28_days", "month_start", "month_end",
)  # fmt: skip
_SHRINK = 3.0  # a payer's mean lateness is pulled to the book's by so many invoices
_LATEST = 180.0


def payers(view: View) -> pl.DataFrame:
    """customer_id, payer: the top of each customer's chain of parents, at most eight steps up."""
    customers = view.table("customers").select("customer_id", "parent_id")
    top = customers.select("customer_id", pl.coalesce("parent_id", "customer_id").alias("payer"))
    parent = top.rename({"customer_id": "payer", "payer": "above"})
    for _ in range(8):
        top = top.join(parent, on="payer", how="left").select(
            "customer_id", pl.coalesce("above", "payer").alias("payer")
        )
    return top


def with_payer(frame: pl.DataFrame, view: View) -> pl.DataFrame:
    """``frame`` with the column ``payer`` of its customer_id; a customer that is not on file is its own payer."""
    return frame.join(payers(view), on="customer_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("payer", "customer_id").alias("payer")
    )


def features(view: View, decisions: pl.DataFrame) -> FloatArray:
    """Features of each decision in the given order, shape (n, 12), columns ``NAMES``.

    ``decisions`` has decision_id, decided_on, customer_id, invoice_ids. History counts from the day on which the books
    knew it, before the day of the decision.
    """
    base = with_payer(decisions.select("decision_id", "decided_on", "customer_id", "invoice_ids"), view)
    frame = base.join(_listed(view, base), on="decision_id", how="left", maintain_order="left")
    frame = _with_history(frame, view)
    frame = frame.join(_contacts(view, base), on="decision_id", how="left", maintain_order="left")
    late = frame.get_column("days_late").fill_null(0).cast(pl.Float64).to_numpy()
    week = np.floor(late / 7)
    day = frame.get_column("decided_on").dt.day().to_numpy()
    mean, cleared = (frame.get_column(name).to_numpy().astype(np.float64) for name in ("mean_lateness", "cleared"))
    open_share = frame.get_column("open_share").fill_null(0).to_numpy()
    columns = (
        week == 0, (week >= 1) & (week <= 2), (week >= 3) & (week <= 5), week >= 6, np.clip(late, -30, _LATEST) / 30,
        np.log1p(open_share), np.log1p(frame.get_column("listed").fill_null(0).to_numpy()),
        np.clip(mean, -60, _LATEST) / 30, np.log1p(cleared),
        frame.get_column("contacts").fill_null(0).clip(0, 6).to_numpy(), day <= 8, day >= 22,
    )  # fmt: skip
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _listed(view: View, base: pl.DataFrame) -> pl.DataFrame:
    """decision_id, days_late of the oldest listed invoice, number listed, face amount in the currency's medians."""
    invoices = view.table("invoices").select("invoice_id", "due_on", "amount_minor", "currency")
    scale = invoices.group_by("currency").agg(pl.col("amount_minor").median().clip(lower_bound=1).alias("typical"))
    pairs = (
        base.select("decision_id", "decided_on", pl.col("invoice_ids").alias("invoice_id"))
        .explode("invoice_id")
        .join(invoices.join(scale, on="currency"), on="invoice_id", how="inner")
    )
    return pairs.group_by("decision_id").agg(
        (pl.col("decided_on") - pl.col("due_on")).dt.total_days().max().alias("days_late"),
        pl.len().alias("listed"),
        (pl.col("amount_minor") / pl.col("typical")).sum().alias("open_share"),
    )


def _with_history(frame: pl.DataFrame, view: View) -> pl.DataFrame:
    """Adds ``cleared`` and the shrunk ``mean_lateness`` of the payer as known before the day of the decision."""
    paid = invoice_balances(view).filter(pl.col("paid_known_on").is_not_null() & pl.col("paid_on").is_not_null())
    paid = with_payer(paid.select("customer_id", "due_on", "paid_on", "paid_known_on"), view).with_columns(
        (pl.col("paid_on") - pl.col("due_on")).dt.total_days().clip(-60, int(_LATEST)).alias("late")
    )
    running = (
        paid.sort("paid_known_on", "payer", "paid_on")
        .with_columns(
            pl.col("late").cum_sum().over("payer").alias("late_sum"),
            pl.int_range(1, pl.len() + 1).over("payer").alias("cleared"),
        )
        .select("payer", "late_sum", "cleared", pl.col("paid_known_on").alias("before"))
    )
    book = paid.sort("paid_known_on").select(
        pl.col("paid_known_on").alias("before"),
        (pl.col("late").cum_sum() / pl.int_range(1, pl.len() + 1)).alias("book"),
    )
    asked = (
        frame.with_row_index("place")
        .with_columns((pl.col("decided_on") - timedelta(days=1)).alias("before"))
        .sort("before")
    )
    joined = asked.join_asof(running, on="before", by="payer", strategy="backward", check_sortedness=False)
    joined = joined.join_asof(book, on="before", strategy="backward", check_sortedness=False).sort("place")
    level = pl.col("book").fill_null(0.0)
    return joined.with_columns(
        pl.col("cleared").fill_null(0),
        ((pl.col("late_sum").fill_null(0) + _SHRINK * level) / (pl.col("cleared").fill_null(0) + _SHRINK)).alias(
            "mean_lateness"
        ),
    )


def _contacts(view: View, base: pl.DataFrame) -> pl.DataFrame:
    """decision_id, contacts that went out to the payer in the 28 days before the day of the decision."""
    sent = view.table("activities").filter(
        (pl.col("direction") == "out") & pl.col("channel").is_in(["email", "sms", "call", "letter"])
    )
    sent = with_payer(sent.select("customer_id", pl.col("occurred_at").dt.date().alias("on"), "recorded_at"), view)
    age = (pl.col("decided_on") - pl.col("on")).dt.total_days()
    known = pl.col("recorded_at").dt.date() < pl.col("decided_on")
    return (
        base.select("decision_id", "decided_on", "payer")
        .join(sent.select("payer", "on", "recorded_at"), on="payer", how="inner")
        .filter((age >= 1) & (age <= 28) & known)
        .group_by("decision_id")
        .agg(pl.len().alias("contacts"))
    )
