"""What an early-payment discount costs and brings, and how likely customers are to take it.

With d = x/100, H the real pay day, y the discount's last day, r the cost of capital, V the volume and p the take-up:
cost = p V d; gain = p V (1 - d) r (H - y)/365; net = gain - cost; break-even rate = d/(1 - d) 365/(H - y).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations
from duecourse.ledger.metrics import early_payment_price
from duecourse.science.forecast.shocks import Floats

# Beta(3, 9): mean .25, P10-P90 about .10-.40, the range we assume where a customer's past says nothing.
PRIOR_TAKEN, PRIOR_LEFT = 3.0, 9.0
UNKNOWN_TAKE_UP = (0.10, 0.40)


@dataclass(frozen=True, kw_only=True)
class DiscountTerms:
    """``percent`` off for payment within ``days``, against the day on which the customer really pays."""

    percent: float
    days: int
    real_pay_days: int


@dataclass(frozen=True, kw_only=True)
class DiscountValue:
    """Of one month's volume in minor units; rates are shares a year (0.226). ``net_minor`` = gain - cost."""

    cost_minor: int
    gain_minor: int
    net_minor: int
    break_even_rate: float
    brought_forward_minor: int


def discount_value(
    terms: DiscountTerms, *, monthly_volume_minor: int, take_up: float, cost_of_capital: float
) -> DiscountValue:
    """Cost, gain, net and break-even of x/y for one month's volume; ``brought_forward_minor`` is the cash it brings.

    It brings p V (1 - d) forward by H - y days. Raises ValueError when the real pay day is not after the discount's.
    """
    price = early_payment_price(
        discount_percent=terms.percent, discount_days=terms.days, real_pay_days=terms.real_pay_days
    )
    share = terms.percent / 100
    taken = take_up * monthly_volume_minor
    cost, early = round(taken * share), taken * (1 - share)
    gain = round(early * cost_of_capital * (terms.real_pay_days - terms.days) / 365)
    return DiscountValue(
        cost_minor=cost,
        gain_minor=gain,
        net_minor=gain - cost,
        break_even_rate=price.simple,
        brought_forward_minor=round(early),
    )


def discount_history(view: View) -> pl.DataFrame:
    """customer_id, offered, taken: closed invoices that offered a discount, and those of them that took it."""
    offered = view.table("invoices").filter(pl.col("discount_percent").fill_null(0.0) > 0)
    live = live_allocations(view).select("invoice_id", "source_kind")
    taken = live.filter(pl.col("source_kind") == "discount").select("invoice_id").unique()
    paid = live.filter(pl.col("source_kind") == "payment").select("invoice_id").unique()
    return (
        offered.join(paid, on="invoice_id", how="semi")
        .join(taken.with_columns(pl.lit(1).alias("took")), on="invoice_id", how="left")
        .group_by("customer_id")
        .agg(pl.len().cast(pl.Int64).alias("offered"), pl.col("took").sum().cast(pl.Int64).alias("taken"))
        .sort("customer_id")
    )


def take_up_range(offered: Floats, taken: Floats) -> tuple[Floats, Floats]:
    """P10 and P90 of each customer's take-up, shapes (n,): its past shrunk by Beta(3, 9), .10-.40 without a past."""
    from scipy.special import betaincinv

    a, b = PRIOR_TAKEN + taken, PRIOR_LEFT + offered - taken
    low, high = (
        np.where(offered > 0, betaincinv(a, b, level), known)
        for level, known in zip((0.1, 0.9), UNKNOWN_TAKE_UP, strict=True)
    )
    return low, high
