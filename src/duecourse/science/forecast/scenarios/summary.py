"""What a scenario is worth, per currency and end: totals, working capital, DSO, costs, and the discount's economics.

Working capital: receivables at the end of the window, scenario less base = issued - cash received - discounts forgone.
DSO of the window: receivables at its end / sales * days. Cost of capital: r/365 times the daily difference of
receivables, summed. The lowest point is the day on which the cash received since ``as_of`` is furthest below the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from duecourse.ledger.balances import invoice_balances
from duecourse.science.forecast.cash import no_past
from duecourse.science.forecast.inflow import issue_volume
from duecourse.science.forecast.scenarios.compare import BaseBook, Comparison, ScenarioCash
from duecourse.science.forecast.scenarios.discounts import discount_summary
from duecourse.science.forecast.scenarios.tables import bands
from duecourse.science.forecast.scenarios.words import assumptions, end_words, step_words
from duecourse.science.forecast.shocks import Integers


def scenario_summary(result: ScenarioCash, base: BaseBook) -> dict[str, Any]:
    """The summary of one scenario as plain data: names, words, and one entry per currency and end.

    Amounts are minor units of the entry's currency; ``dso_change_days`` is None where nothing is sold in the window.
    """
    resolved, scenario = result.resolved, result.resolved.scenario
    effects = [_effect(one, base, scenario.cost_of_capital) for one in result.comparisons]
    return {
        "scenario": scenario.name,
        "question": scenario.question,
        "file": scenario.file,
        "as_of": base.view.as_of.isoformat(),
        "days": base.days,
        "cost_of_capital": scenario.cost_of_capital,
        "steps": [step_words(step) for step in scenario.steps],
        "ends": {world.name: end_words(world.name) for world in resolved.worlds},
        "effects": effects,
        "discounts": discount_summary(result, base),
        "assumptions": assumptions(resolved, base.days),
        "notes": [*resolved.notes, *_notes(result, base)],
    }


def _effect(one: Comparison, base: BaseBook, cost_of_capital: float) -> dict[str, Any]:
    days, change = base.days, one.change
    receivables = np.cumsum(change.issued[:days] - change.mean[:days] - change.forgone[:days])
    moved = np.cumsum(one.difference_mean_minor)
    lowest = int(moved.argmin()) if days else 0
    at_end = float(receivables[-1]) if days else 0.0
    spread = one.difference_draws_minor.sum(axis=1)
    return {
        "currency": one.currency,
        "end": one.end,
        "base": _total(one.base_draws_minor, one.base_mean_minor),
        "scenario": _total(one.draws_minor, one.mean_minor),
        "difference": _total(one.difference_draws_minor, one.difference_mean_minor),
        "after_window_mean_minor": round(float(change.mean[days:].sum())),
        "in_the_end_mean_minor": round(float(change.mean.sum())),
        "discounts_minor": round(float(change.forgone[:days].sum())),
        "working_capital": {
            "mean_minor": round(at_end),
            **_band(np.rint(at_end - (spread - spread.mean())).astype(np.int64)),
        },
        "dso_change_days": _dso_change(one, base, at_end),
        "capital_cost_minor": round(float(receivables.sum()) * cost_of_capital / 365),
        "lowest": {
            "date": (base.view.as_of + timedelta(days=lowest)).isoformat(),
            "mean_minor": int(moved[lowest]) if days else 0,
        },
    }


def _total(draws: Integers, mean: Integers) -> dict[str, int]:
    return {**_band(draws.sum(axis=1)), "mean_minor": int(mean.sum())}


def _band(sums: Integers) -> dict[str, int]:
    levels = bands(sums[:, None])[:, 0]
    return dict(zip(("p10_minor", "p50_minor", "p90_minor"), (int(level) for level in levels), strict=True))


def _dso_change(one: Comparison, base: BaseBook, receivables: float) -> float | None:
    """Change of receivables / sales * days at the end of the window; sales are what is issued in it."""
    open_minor, sales = _open_and_sales(one.currency, base)
    changed = sales + float(one.change.issued[: base.days].sum())
    if sales <= 0 or changed <= 0:
        return None
    at_end = open_minor + sales - float(one.base_mean_minor.sum())
    return round(((at_end + receivables) / changed - at_end / sales) * base.days, 2)


def _open_and_sales(currency: str, base: BaseBook) -> tuple[int, float]:
    """Open now, and expected to be issued within the window: usual business and what is known to come."""
    balances = invoice_balances(base.view)
    mine = balances.filter((balances["currency"] == currency) & (balances["issued_on"] < base.view.as_of))
    past = base.past.get(currency, no_past(base.view.as_of))
    sales = float(issue_volume(past.history, base.days).sum()) if len(past.due_day) else 0.0
    items = base.items.get(currency)
    if items is not None and items.is_issued is not None:
        sales += float(items.amount_minor[~items.is_issued].sum())
    return int(mine["open_minor"].sum()), sales


def _notes(result: ScenarioCash, base: BaseBook) -> list[str]:
    notes = []
    touched: Mapping[str, bool] = {
        one.currency: any(other.change.mean.any() for other in result.comparisons if other.currency == one.currency)
        for one in result.comparisons
    }
    unmoved = [currency for currency, moves in touched.items() if not moves]
    if result.resolved.scenario.steps and unmoved:
        notes.append(
            f"nothing changes in {', '.join(unmoved)}: nobody there is concerned, or not within {base.days} days"
        )
    if any(len(one) and any(part.in_base for part in one.values()) for one in result.resolved.planned):
        notes.append(
            "the base of this comparison holds the planned invoices too, on the terms written for them; "
            "cash_daily and cash_weekly are the forecast without them"
        )
    return notes
