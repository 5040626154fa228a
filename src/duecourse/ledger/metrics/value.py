"""What a change is worth: working capital freed, bad debt avoided, price of an early-payment discount, loss, ROI.

Pure arithmetic on figures that somebody else measured; none of these says that the change was caused by anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def working_capital_freed(*, dso_before_days: float, dso_after_days: float, yearly_sales_minor: int) -> int:
    """Working capital freed = change of DSO * S / 365, S = credit sales of a year.

    Unit: minor units, rounded to the nearest; negative when DSO rose. Caution: one-off, not a yearly gain, and the
    change of DSO also holds mix, terms and season. 17 days on 5,000,000 a year are 232,877. Source: definition of DSO
    solved for receivables.
    """
    return round((dso_before_days - dso_after_days) * yearly_sales_minor / 365)


def bad_debt_avoided(*, ratio_before: float, ratio_after: float, yearly_sales_minor: int) -> int:
    """Bad debt avoided a year = change of the bad-debt ratio * S.

    Unit: minor units a year, rounded. Caution: the write-off policy moves the ratio. 2 % -> 0.8 % of 5,000,000 are
    60,000 a year. Source: arithmetic.
    """
    return round((ratio_before - ratio_after) * yearly_sales_minor)


@dataclass(frozen=True, slots=True)
class DiscountPrice:
    """Yearly price of paying x % for cash on day y instead of day z: simple and compounded, as shares (0.372)."""

    simple: float
    effective: float


def early_payment_price(*, discount_percent: float, discount_days: int, real_pay_days: int) -> DiscountPrice:
    """Price of x/y net z = x/(100-x) * 365/(z-y); effective (1 + x/(100-x))^(365/(z-y)) - 1.

    Unit: shares of the amount a year; 2/10 net 30 = 37.2 % and 44.6 %. Caution: put the day on which the customer
    really pays for z. Source: textbook cost of trade credit. Raises ValueError when the discount is not in (0, 100)
    or the real day is not after the discount day.
    """
    if not 0 < discount_percent < 100:
        raise ValueError("the discount must lie between 0 and 100 percent")
    if real_pay_days <= discount_days:
        raise ValueError("the real pay day must come after the discount day")
    premium = discount_percent / (100 - discount_percent)
    periods = 365 / (real_pay_days - discount_days)
    return DiscountPrice(premium * periods, (1 + premium) ** periods - 1)


def expected_loss(*, exposure_minor: Mapping[str, int], loss_rate: Mapping[str, float]) -> int:
    """Provision matrix: sum over buckets of exposure * loss rate (IFRS 9, simplified approach).

    Unit: minor units, rounded once at the end. Caution: rates are history, not a forecast. Source: IFRS 9 B5.5.35.
    Raises KeyError when a bucket with exposure has no rate.
    """
    return round(sum(amount * loss_rate[bucket] for bucket, amount in exposure_minor.items()))


@dataclass(frozen=True, slots=True)
class Return:
    """The terms of an ROI; minor units of one currency, one period. None = "cannot tell", and so is the sum."""

    capital_freed_minor: int | None
    cost_of_capital: float
    bad_debt_avoided_minor: int | None
    cost_saved_minor: int | None
    revenue_kept_minor: int | None
    cost_minor: int


def roi(terms: Return) -> float | None:
    """ROI = (capital freed * cost of capital + bad debt avoided + cost saved + revenue kept - cost) / cost.

    Unit: share (0.5 = 50 %). Caution: each term needs its own interval and method; when one is unknown the answer is
    None, "cannot tell". Source: return on investment; which terms count is ours. Raises ValueError when the cost is
    not positive.
    """
    if terms.cost_minor <= 0:
        raise ValueError("the cost must be positive")
    gains = (terms.bad_debt_avoided_minor, terms.cost_saved_minor, terms.revenue_kept_minor)
    if terms.capital_freed_minor is None or any(gain is None for gain in gains):
        return None
    total = terms.capital_freed_minor * terms.cost_of_capital + sum(gain for gain in gains if gain is not None)
    return (total - terms.cost_minor) / terms.cost_minor
