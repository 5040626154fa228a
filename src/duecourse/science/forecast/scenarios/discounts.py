"""The economics of a scenario's discounts in a book: one month's volume of the customers concerned, each end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from duecourse.science.forecast.inflow import volume_by_group, weekday
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.lags import lag_cdf
from duecourse.science.forecast.scenarios.compare import BaseBook, ScenarioCash
from duecourse.science.forecast.scenarios.economics import DiscountTerms, discount_value
from duecourse.science.forecast.scenarios.roster import Bools, customers_of
from duecourse.science.forecast.scenarios.steps import Discount
from duecourse.science.forecast.shocks import Floats, Integers

DAYS_OF_A_MONTH = 365 / 12


def discount_summary(result: ScenarioCash, base: BaseBook) -> list[dict[str, Any]]:
    """One entry per discount step, currency and take-up: volume, real pay day, cost, gain, net, break-even, rate.

    ``missing`` says why an entry has no figures.
    """
    resolved = result.resolved
    found = []
    for number, step in enumerate(resolved.scenario.steps):
        if not isinstance(step, Discount):
            continue
        currencies = sorted(base.past) if step.currency is None else [step.currency]
        low, high = resolved.take_up[step.place]
        member = resolved.members[number]
        for currency in currencies:
            past = base.past[currency]
            codes = resolved.book.roster.codes(customers_of(past).tolist())
            mine = member[codes]
            if not mine.any() and step.monthly_volume_minor is None:
                continue
            facts = _facts(step, past, (mine, codes), base.days)
            ends = (("take_up", low),) if np.array_equal(low, high) else (("take_up_low", low), ("take_up_high", high))
            found += [
                {"step": step.place, "currency": currency, "end": end, **_value(step, facts, take_up, result)}
                for end, take_up in ends
            ]
    return found


def _facts(
    step: Discount, past: PastInvoices, whose: tuple[Bools, Integers], days: int
) -> tuple[int, int | None, Floats]:
    """Monthly volume in minor units, real pay day, and each customer code's share of the volume."""
    mine, codes = whose
    count = int(codes.max()) + 1 if len(codes) else 1
    by_customer = volume_by_group(past.history, days, codes, count).sum(axis=1)
    chosen = np.zeros(count)
    chosen[np.unique(codes[mine])] = 1.0
    weight = by_customer * chosen
    volume = step.monthly_volume_minor
    if volume is None:
        volume = round(float(weight.sum()) / days * DAYS_OF_A_MONTH)
    return volume, step.real_pay_days or real_pay_days(past, mine), weight


def real_pay_days(past: PastInvoices, mine: Bools) -> int | None:
    """Mean days from issue to payment of these invoices, weighted by amount, open ones censored; None: never paid.

    Of what is paid within 120 days, by the curves that the forecast itself uses (``inflow.lag_cdf``).
    """
    history = past.history
    share = None if history.usual_share is None else history.usual_share[mine]
    own = replace(
        history,
        issue_day=history.issue_day[mine],
        paid_day=history.paid_day[mine],
        amount_minor=history.amount_minor[mine],
        usual_share=share,
    )
    if not (own.paid_day != NOT_PAID).any():
        return None
    cdf = lag_cdf(own)
    amount = np.bincount(weekday(own.issue_day), own.amount_minor, minlength=len(cdf))
    pmf = amount @ np.diff(cdf, axis=1, prepend=0.0)
    return round(float(pmf @ np.arange(len(pmf)) / pmf.sum())) if pmf.sum() > 0 else None


def _value(
    step: Discount, facts: tuple[int, int | None, Floats], take_up: Floats, result: ScenarioCash
) -> dict[str, Any]:
    volume, pay_days, weight = facts
    shares = take_up[: len(weight)]
    total = float(weight.sum())
    share = float(weight @ shares) / total if total > 0 else float(take_up[0])
    known = {
        "percent": step.percent, "days": step.days, "monthly_volume_minor": volume, "real_pay_days": pay_days,
        "take_up": round(share, 4),
    }  # fmt: skip
    if pay_days is None or pay_days <= step.days:
        why = "nobody of them has paid yet" if pay_days is None else (
            f"they pay on day {pay_days} already: a discount until day {step.days} brings nothing forward and is a gift"
        )  # fmt: skip
        return {**known, "missing": why}
    value = discount_value(
        DiscountTerms(percent=step.percent, days=step.days, real_pay_days=pay_days),
        monthly_volume_minor=volume,
        take_up=share,
        cost_of_capital=result.resolved.scenario.cost_of_capital,
    )
    return {
        **known,
        "cost_minor": value.cost_minor,
        "gain_minor": value.gain_minor,
        "net_minor": value.net_minor,
        "break_even_rate": round(value.break_even_rate, 4),
        "brought_forward_minor": value.brought_forward_minor,
        "brought_forward_days": pay_days - step.days,
    }
