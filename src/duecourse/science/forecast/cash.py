"""The tables ``cash_daily`` and ``cash_weekly``: exact means, and bands from the draws (never sums of bands).

Means add up, quantiles do not: a week's mean is the sum of its days' means, its P10 comes from the draws of the week.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.inflow import inflow_mean
from duecourse.science.forecast.inflow_draws import PastInvoices, simulate_inflow
from duecourse.science.forecast.open_book import Floats, Integers, OpenItems, Shares, simulate_open_book

WEEK = 7


@dataclass(frozen=True)
class CashBands:
    """One currency's cash, minor units: exact means per day of open and of new invoices, and draws of their sum.

    Shapes (days,), (days,) and (draws, days). ``open_draws_minor`` is the open book's part of the draws: a scenario
    that moves everything needs to draw only the other side of its difference.
    """

    open_mean_minor: Integers
    new_mean_minor: Integers
    draws_minor: Integers
    open_draws_minor: Integers | None = None

    def window(self, first: int, last: int) -> tuple[int, int, int]:
        """P10, P50 and P90 of days ``first``..``last`` - 1 taken together, from the draws (linear, type 7)."""
        sums = self.draws_minor[:, first:last].sum(axis=1)
        p10, p50, p90 = (round(float(q)) for q in np.quantile(sums, (0.1, 0.5, 0.9)))
        return p10, p50, p90


def open_mean(items: OpenItems, days: int) -> Integers:
    """Expected cash of open items per day, ``sum_i a_i (F_i(j) - F_i(j-1))``, whole minor units."""
    if not items.invoice_id:
        return np.zeros(days, dtype=np.int64)
    return in_whole_units(items.amount_minor @ np.diff(items.cdf[:, :days], axis=1, prepend=0.0))


def in_whole_units(daily: Floats) -> Integers:
    """Rounds by largest remainder, so that the days add up to the rounded total and weeks built from them do too."""
    floor = np.floor(daily).astype(np.int64)
    missing = round(float(daily.sum())) - int(floor.sum())
    floor[np.argsort(floor - daily, kind="stable")[:missing]] += 1
    return floor


def forecast_cash(
    items: OpenItems, past: PastInvoices, *, days: int, draws: int, seed: int, shares: Shares | None = None
) -> CashBands:
    """One currency's cash over ``days`` days: the open book and the invoices that are not issued yet."""
    opened = simulate_open_book(items, days=days, draws=draws, seed=seed, shares=shares)
    simulated = opened + simulate_inflow(past, days=days, draws=draws, seed=seed, shares=shares)
    return CashBands(open_mean(items, days), in_whole_units(inflow_mean(past.history, days)), simulated, opened)


def forecast_book(
    view: View, curves: pl.DataFrame, *, days: int, draws: int, seed: int, shares: Shares | None = None
) -> dict[str, CashBands]:
    """Cash of the whole book as known at ``view.as_of``, currency by currency; ``curves`` as ``timing.predict`` gives.

    Never summed across currencies.
    """
    items, past = open_items(view, curves), past_invoices(view)
    nothing = OpenItems([], [], np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, days)))
    return {
        currency: forecast_cash(
            items.get(currency, nothing), past[currency], days=days, draws=draws, seed=seed, shares=shares
        )
        for currency in sorted(past)
    }


def cash_tables(bands: Mapping[str, CashBands], as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``cash_daily`` (date ...) and ``cash_weekly`` (week_start ...) with the columns of cli.md, currency by currency.

    A week begins on ``as_of`` and every seventh day after it. A week's P10 is not the sum of its days' P10.
    """
    daily = _table(bands, as_of, 1).rename({"start": "date"})
    return daily, _table(bands, as_of, WEEK).rename({"start": "week_start"})


def _table(bands: Mapping[str, CashBands], as_of: date, width: int) -> pl.DataFrame:
    rows = []
    for currency in sorted(bands):
        band = bands[currency]
        for first in range(0, len(band.open_mean_minor) - width + 1, width):
            window = slice(first, first + width)
            opened, new = int(band.open_mean_minor[window].sum()), int(band.new_mean_minor[window].sum())
            start = as_of + timedelta(days=first)
            rows.append((start, currency, *band.window(first, first + width), opened + new, opened, new))
    names = ("p10_minor", "p50_minor", "p90_minor", "mean_minor", "open_mean_minor", "new_mean_minor")
    schema = {"start": pl.Date(), "currency": pl.String(), **dict.fromkeys(names, pl.Int64())}
    return pl.DataFrame(rows, schema=schema, orient="row")
