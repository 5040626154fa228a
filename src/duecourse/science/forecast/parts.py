"""How the open amount of every invoice divides for the forecast: expected, disputed, planned, here already, diluted.

    open = plain + disputed + planned + here

``plain`` follows the invoice's curve (promises are in that curve already), ``planned`` the instalments, ``disputed``
comes after the dispute with its payable share, ``here`` is the customer's unapplied money and free credits: it takes
the oldest invoices first and is never forecast again.
"""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances, live_allocations
from duecourse.ledger.collectible import collectible
from duecourse.ledger.free_money import free_money

DILUTION_SHRINKAGE = 20  # invoices at which a customer's own share of deductions weighs as much as the book's
PAYABLE_PRIOR, PAYABLE_CASES = 0.5, 5.0  # share of a disputed amount that is paid in the end (an assumption of ours)
NOT_CASH = ("credit", "discount", "withholding", "fee", "rounding")
ACCOUNT = ["customer_id", "currency"]


def open_parts(view: View) -> pl.DataFrame:
    """One row per open invoice, sorted by invoice_id.

    Columns: invoice_id, customer_id, parent_id, entity_id ("" where unknown), currency, issued_on, due_on, open_minor,
    plain_minor, disputed_minor, planned_minor, here_minor (the four add up to open_minor), skipped_minor (free money of
    the account that takes instalments, the earliest first) and dilution.
    """
    facts = view.table("invoices").select("invoice_id", "issued_on", "due_on", pl.col("entity_id").fill_null(""))
    holds, closed = collectible(view), closed_invoices(view)
    parts = (
        holds.join(facts, on="invoice_id", how="left")
        .join(payers(view), on="customer_id", how="left")
        .join(dilution(closed), on="customer_id", how="left")
        .with_columns(
            pl.col("dilution").fill_null(_share(closed)),
            (pl.col("open_minor") - pl.col("disputed_minor") - pl.col("planned_minor") - pl.col("netted_minor")).alias(
                "plain_minor"
            ),
        )
        .join(_not_netted(view, holds), on=ACCOUNT, how="left")
        .with_columns(pl.col("spare_minor").fill_null(0))
        .sort("due_on", "issued_on", "invoice_id")
    )
    plain, planned, spare = pl.col("plain_minor"), pl.col("planned_minor"), pl.col("spare_minor")
    return (
        parts.with_columns((spare - (plain.cum_sum() - plain).over(ACCOUNT)).clip(0, plain).alias("more_minor"))
        .with_columns((spare - pl.col("more_minor").sum().over(ACCOUNT)).alias("skipped_minor"))
        .with_columns(
            (pl.col("skipped_minor") - (planned.cum_sum() - planned).over(ACCOUNT)).clip(0, planned).alias("paid_minor")
        )
        .with_columns(plain - pl.col("more_minor"), planned - pl.col("paid_minor"))
        .with_columns((pl.col("netted_minor") + pl.col("more_minor") + pl.col("paid_minor")).alias("here_minor"))
        .select(
            "invoice_id", "customer_id", "parent_id", "entity_id", "currency", "issued_on", "due_on", "open_minor",
            "plain_minor", "disputed_minor", "planned_minor", "here_minor",
            pl.col("paid_minor").sum().over(ACCOUNT).alias("skipped_minor"), "dilution",
        )
        .sort("invoice_id")
    )  # fmt: skip


def payers(view: View) -> pl.DataFrame:
    """customer_id, parent_id: the paying parent of every customer that has invoices (itself where none is known)."""
    known = view.table("customers").select("customer_id", "parent_id")
    return (
        view.table("invoices")
        .select("customer_id")
        .unique()
        .join(known, on="customer_id", how="left")
        .select("customer_id", pl.coalesce("parent_id", "customer_id").alias("parent_id"))
        .sort("customer_id")
    )


def dilution(closed: pl.DataFrame) -> pl.DataFrame:
    """customer_id, dilution: share of ``closed_invoices`` that ended as credit, discount or deduction, shrunk n/(n+20).

    Write-offs are not in it: the mass of the curve that never comes stands for them.
    """
    own = closed.group_by("customer_id").agg(
        (pl.col("lost_minor").sum() / pl.col("amount_minor").sum()).alias("own"), pl.len().cast(pl.Float64).alias("n")
    )
    weight = pl.col("n") / (pl.col("n") + DILUTION_SHRINKAGE)
    return own.select(
        "customer_id", (weight * pl.col("own").fill_nan(0.0) + (1 - weight) * _share(closed)).alias("dilution")
    ).sort("customer_id")


def paid_dilution(view: View) -> dict[str, float]:
    """By currency, the share of invoices closed as paid that was no cash (discounts, deductions, fees)."""
    paid = closed_invoices(view).filter(pl.col("closed_as") == "paid")
    return {str(currency): _share(part) for (currency,), part in paid.group_by("currency")}


def payable_shares(view: View) -> pl.DataFrame:
    """invoice_id, payable_share of every invoice in dispute: what is paid in the end of a disputed amount.

    1 less the share that past disputes of the book ended as valid, with five cases of one half. ``closed`` disputes
    without a known valid amount count their outcome: valid all, partly valid half, else nothing.
    """
    disputes = view.table("disputes").join(
        view.table("invoices").select("invoice_id", "amount_minor"), on="invoice_id", how="inner"
    )
    amount = pl.coalesce("disputed_minor", "amount_minor")
    by_outcome = pl.col("outcome").replace_strict(
        {"valid": 1.0, "partly_valid": 0.5, "invalid": 0.0, "withdrawn": 0.0}, default=None, return_dtype=pl.Float64()
    )
    done = disputes.filter(pl.col("closed_on").is_not_null() & pl.col("outcome").is_not_null() & (amount > 0))
    valid = done.select(pl.coalesce((pl.col("valid_minor") / amount).clip(0.0, 1.0), by_outcome)).to_series()
    paid = len(valid) - float(valid.sum() or 0.0)
    share = (paid + PAYABLE_PRIOR * PAYABLE_CASES) / (len(valid) + PAYABLE_CASES)
    still_open = disputes.filter(pl.col("closed_on").is_null())
    return still_open.select("invoice_id").unique().sort("invoice_id").with_columns(payable_share=pl.lit(share))


def closed_invoices(view: View) -> pl.DataFrame:
    """customer_id, currency, closed_as, amount_minor, lost_minor (no cash) of invoices closed as paid or credited."""
    lost = (
        live_allocations(view)
        .filter(pl.col("source_kind").is_in(NOT_CASH))
        .group_by("invoice_id")
        .agg(pl.col("amount_minor").sum().alias("lost_minor"))
    )
    return (
        invoice_balances(view)
        .filter(pl.col("closed_as").is_in(["paid", "credited"]))
        .select("invoice_id", "customer_id", "currency", "closed_as", "amount_minor")
        .join(lost, on="invoice_id", how="left")
        .with_columns(pl.col("lost_minor").fill_null(0))
    )


def _share(closed: pl.DataFrame) -> float:
    total = int(closed.get_column("amount_minor").sum())
    return int(closed.get_column("lost_minor").sum()) / total if total else 0.0


def _not_netted(view: View, holds: pl.DataFrame) -> pl.DataFrame:
    """customer_id, currency, spare_minor: free money that ``collectible`` left.

    It did because the legal entity is in doubt, or because what the money could take is promised or planned.
    """
    used = holds.group_by(ACCOUNT).agg(pl.col("netted_minor").sum())
    return (
        free_money(view)
        .group_by(ACCOUNT)
        .agg(pl.col("free_minor").sum())
        .join(used, on=ACCOUNT, how="left")
        .select(*ACCOUNT, (pl.col("free_minor") - pl.col("netted_minor").fill_null(0)).clip(0).alias("spare_minor"))
    )
