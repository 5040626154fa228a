"""The tables ``cash_daily`` and ``cash_weekly``: exact means, and bands from the draws (never sums of bands).

Means add up, quantiles do not: a week's mean is the sum of its days' means, its P10 comes from the draws of the week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.calendar import NO_DAYS, epoch_day
from duecourse.ledger.as_of import View
from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.grouping import by_week, group_keys, group_means, groups_to_fill
from duecourse.science.forecast.groups import GroupedCash, Keys, grouped_cash
from duecourse.science.forecast.inflow import inflow_mean
from duecourse.science.forecast.inflow_draws import PastInvoices, simulate_inflow
from duecourse.science.forecast.issued import NOT_PAID, IssuedHistory
from duecourse.science.forecast.open_book import OpenItems, Shares, simulate_open_book
from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7


@dataclass(frozen=True)
class CashBands:
    """One currency's cash, minor units: exact means per day of open and of new invoices, and draws of their sum.

    Shapes (days,), (days,) and (draws, days). ``open_draws_minor`` is the open book's part of the draws: a scenario
    that moves everything needs to draw only the other side of its difference. ``not_expected_minor`` is the mass of
    the known items that does not come within the days of their curves. ``groups`` are there when they were asked for.
    """

    open_mean_minor: Integers
    new_mean_minor: Integers
    draws_minor: Integers
    open_draws_minor: Integers | None = None
    not_expected_minor: int = 0
    groups: tuple[GroupedCash, ...] = ()

    def window(self, first: int, last: int) -> tuple[int, int, int]:
        """P10, P50 and P90 of days ``first``..``last`` - 1 taken together, from the draws (linear, type 7)."""
        sums = self.draws_minor[:, first:last].sum(axis=1)
        p10, p50, p90 = (round(float(q)) for q in np.quantile(sums, (0.1, 0.5, 0.9)))
        return p10, p50, p90


@dataclass(frozen=True)
class Extras:
    """What a forecast may know besides the books and the curves.

    ``payable`` (invoice_id, payable_share) for disputed amounts; ``holidays`` of the business (epoch days, sorted);
    ``segments`` customer -> behaviour segment: when given, the cash is also grouped.
    """

    payable: pl.DataFrame | None = None
    holidays: Integers = field(default_factory=lambda: NO_DAYS)
    segments: Mapping[str, str] | None = None


def open_mean(items: OpenItems, days: int) -> Integers:
    """Expected cash of open items per day, ``sum_i a_i (F_i(j) - F_i(j-1))``, whole minor units."""
    return in_whole_units(_daily_mean(items, days, np.ones(len(items.invoice_id), dtype=bool)))


def not_expected(items: OpenItems) -> int:
    """The mass of the items beyond the last day of their curves, ``sum_i a_i (1 - F_i(last))``, whole minor units."""
    if not items.invoice_id:
        return 0
    return int(items.amount_minor.sum()) - round(float(items.amount_minor @ items.cdf[:, -1]))


def _daily_mean(items: OpenItems, days: int, rows: npt.NDArray[np.bool_]) -> Floats:
    if not rows.any():
        return np.zeros(days)
    result: Floats = items.amount_minor[rows] @ np.diff(items.cdf[rows, :days], axis=1, prepend=0.0)
    return result


def in_whole_units(daily: Floats) -> Integers:
    """Rounds by largest remainder, so that the days add up to the rounded total and weeks built from them do too."""
    floor = np.floor(daily).astype(np.int64)
    missing = round(float(daily.sum())) - int(floor.sum())
    floor[np.argsort(floor - daily, kind="stable")[:missing]] += 1
    return floor


def forecast_cash(
    items: OpenItems,
    past: PastInvoices,
    *,
    days: int,
    draws: int,
    seed: int,
    shares: Shares | None = None,
    keys: Sequence[Keys] = (),
    threads: int = 2,
) -> CashBands:
    """One currency's cash over ``days`` days: the open book and the invoices that are not issued yet.

    Items that are known but not issued yet count as new. ``keys`` ask for the same draws by group.
    """
    groups = groups_to_fill(keys, items, past, days=days, draws=draws)
    new = simulate_inflow(past, days=days, draws=draws, seed=seed, shares=shares, groups=groups)
    opened = simulate_open_book(
        items, days=days, draws=draws, seed=seed, shares=shares, threads=threads, groups=groups
    )  # fmt: skip
    issued = np.ones(len(items.invoice_id), dtype=bool) if items.is_issued is None else items.is_issued
    open_minor = in_whole_units(_daily_mean(items, days, issued))
    new_minor = in_whole_units(_daily_mean(items, days, ~issued) + inflow_mean(past.history, days))
    totals = by_week(open_minor), by_week(new_minor)
    return CashBands(
        open_minor, new_minor, opened + new, opened, not_expected(items),
        tuple(grouped_cash(each, group_means(each, items, past, days), totals) for each in groups),
    )  # fmt: skip


def forecast_book(
    view: View,
    curves: pl.DataFrame,
    *,
    days: int,
    draws: int,
    seed: int,
    shares: Shares | None = None,
    extras: Extras | None = None,
    threads: int = 2,
) -> dict[str, CashBands]:
    """Cash of the whole book as known at ``view.as_of``, currency by currency; ``curves`` as ``timing.predict`` gives.

    Never summed across currencies. A currency without past invoices brings what is known of it and nothing more.
    Raises ValueError for ``days`` beyond the curves.
    """
    extras = extras or Extras()
    items = open_items(view, curves, payable=extras.payable)
    past = past_invoices(view, holidays=extras.holidays)
    for each in items.values():
        if days > each.cdf.shape[1]:
            raise ValueError(f"curves reach {each.cdf.shape[1]} days; {days} were asked for")
    result = {}
    for currency in sorted(items.keys() | past.keys()):
        book, before = items.get(currency, no_items(days)), past.get(currency, no_past(view.as_of))
        keys = [] if extras.segments is None else group_keys(book, before, extras.segments)
        result[currency] = forecast_cash(
            book, before, days=days, draws=draws, seed=seed, shares=shares, keys=keys, threads=threads
        )
    return result


def no_items(days: int) -> OpenItems:
    """An open book without items."""
    return OpenItems([], [], np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, days)))


def no_past(as_of: date) -> PastInvoices:
    """A past without invoices."""
    none, nobody = np.zeros(0, np.int64), np.zeros(0, dtype=object)
    return PastInvoices(IssuedHistory(epoch_day(as_of), none, np.full(0, NOT_PAID), none), nobody, none)


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
