"""The tables ``cash_daily`` and ``cash_weekly``: exact means, and bands from the draws (never sums of bands).

They hold the open book only: cash from invoices that are not issued yet is not forecast here, so ``new_mean_minor`` is
null (unknown), never 0, and ``mean_minor`` is that of the open book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.science.forecast.open_book import Floats, Integers, OpenItems, Shares, simulate_open_book

WEEK = 7


@dataclass(frozen=True)
class CashBands:
    """One currency's cash: exact mean per day (minor units, shape (days,)) and draws (shape (draws, days))."""

    open_mean_minor: Integers
    draws_minor: Integers

    def window(self, first: int, last: int) -> tuple[int, int, int, int]:
        """P10, P50, P90 and mean in minor units of days ``first``..``last`` - 1 taken together."""
        sums = self.draws_minor[:, first:last].sum(axis=1)
        p10, p50, p90 = (round(float(q)) for q in np.quantile(sums, (0.1, 0.5, 0.9)))
        return p10, p50, p90, int(self.open_mean_minor[first:last].sum())


def exact_mean(items: OpenItems, days: int) -> Integers:
    """Expected cash per day, ``sum_i a_i (F_i(j) - F_i(j-1))``, in whole minor units by largest remainder.

    The days add up to the rounded total, so that weeks and months built from them add up too.
    """
    if not items.invoice_id:
        return np.zeros(days, dtype=np.int64)
    daily: Floats = items.amount_minor @ np.diff(items.cdf[:, :days], axis=1, prepend=0.0)
    floor = np.floor(daily).astype(np.int64)
    missing = round(float(daily.sum())) - int(floor.sum())
    floor[np.argsort(floor - daily, kind="stable")[:missing]] += 1
    return floor


def forecast_items(items: OpenItems, *, days: int, draws: int, seed: int, shares: Shares | None = None) -> CashBands:
    """Mean and draws of one currency's open items over ``days`` days."""
    simulated = simulate_open_book(items, days=days, draws=draws, seed=seed, shares=shares)
    return CashBands(exact_mean(items, days), simulated)


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
        days = len(band.open_mean_minor)
        for first in range(0, days - width + 1, width):
            p10, p50, p90, mean = band.window(first, first + width)
            rows.append((as_of + timedelta(days=first), currency, p10, p50, p90, mean, mean, None))
    names = ("p10_minor", "p50_minor", "p90_minor", "mean_minor", "open_mean_minor", "new_mean_minor")
    schema = {"start": pl.Date(), "currency": pl.String(), **dict.fromkeys(names, pl.Int64())}
    return pl.DataFrame(rows, schema=schema, orient="row")
