"""``weekly_movement``: why the outlook of the coming four weeks is not the one of a week ago, by currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from duecourse.core.calendar import epoch_day
from duecourse.ledger.as_of import Ledger, View
from duecourse.science.forecast.book import open_items, past_invoices
from duecourse.science.forecast.bridge import Side, bridge
from duecourse.science.forecast.cash import CashBands, forecast_book, no_items, no_past
from duecourse.science.forecast.issued import IssuedHistory
from duecourse.science.forecast.open_book import OpenItems, Shares
from duecourse.science.forecast.received import cash_received
from duecourse.science.timing.baselines import live_promises
from duecourse.science.timing.model import TimingModel
from duecourse.science.timing.predict import open_curves

DAYS_BACK, OUTLOOK_DAYS = 7, 28


@dataclass(frozen=True)
class Forecast:
    """A forecast as it stands on the screen: its books, its model, its curves and its bands by currency."""

    view: View
    model: TimingModel | None
    curves: pl.DataFrame
    bands: Mapping[str, CashBands]


@dataclass(frozen=True)
class Movement:
    """One currency's change: the window, its mean then and now, and the steps of ``bridge`` between the two."""

    currency: str
    then: date
    now: date
    window: tuple[date, date]
    before_minor: int
    after_minor: int
    steps: pl.DataFrame


def weekly_movement(
    ledger: Ledger, after: Forecast, model: TimingModel | None, *, draws: int, seed: int, shares: Shares | None = None
) -> list[Movement]:
    """The forecast of a week ago, made from the books of that morning with ``model``, against ``after``.

    The window is the 28 days from ``after.view.as_of``. Currencies that either forecast does not know are left out.
    """
    then = after.view.as_of - timedelta(days=DAYS_BACK)
    view = ledger.as_of(then)
    curves = open_curves(model, view)
    days = DAYS_BACK + OUTLOOK_DAYS
    bands = forecast_book(view, curves, days=days, draws=draws, seed=seed, shares=shares)
    before = Forecast(view, model, curves, bands)
    window = (after.view.as_of, after.view.as_of + timedelta(days=OUTLOOK_DAYS - 1))
    return movements(before, after, window)


def movements(before: Forecast, after: Forecast, window: tuple[date, date]) -> list[Movement]:
    """The bridge of ``window`` between two forecasts, for every currency that both know."""
    refitted = _id(before.model) != _id(after.model)
    old_curves = open_curves(before.model, after.view) if refitted else after.curves
    cash = cash_received(after.view)
    then, now, old = _parts(before, before.curves), _parts(after, after.curves), _parts(after, old_curves)
    found = []
    for currency in sorted(set(before.bands) & set(after.bands)):
        items, history = now[currency]
        same_rows = old[currency][0].invoice_id == items.invoice_id  # a promise may split an invoice into parts
        sides = (
            _side(before, before.bands[currency], then[currency], window),
            _side(after, after.bands[currency], (items, history), window,
                  old[currency][0] if refitted and same_rows else None),
        )  # fmt: skip
        steps = bridge(*sides, cash.filter(pl.col("currency") == currency), window)
        minor = [_mean(side, window) for side in sides]
        found.append(Movement(currency, before.view.as_of, after.view.as_of, window, minor[0], minor[1], steps))
    return found


def _parts(forecast: Forecast, curves: pl.DataFrame) -> dict[str, tuple[OpenItems, IssuedHistory]]:
    items, past = open_items(forecast.view, curves), past_invoices(forecast.view)
    return {
        currency: (items.get(currency, no_items(1)), past.get(currency, no_past(forecast.view.as_of)).history)
        for currency in forecast.bands
    }


def _side(
    forecast: Forecast,
    band: CashBands,
    parts: tuple[OpenItems, IssuedHistory],
    window: tuple[date, date],
    old: OpenItems | None = None,
) -> Side:
    first, last = ((day - forecast.view.as_of).days for day in window)
    return Side(
        as_of=forecast.view.as_of, items=parts[0], history=parts[1],
        mean_minor=band.open_mean_minor + band.new_mean_minor, old_curves=None if old is None else old.cdf,
        promised=_promised(forecast.view), p50_minor=band.window(max(first, 0), last + 1)[1],
    )  # fmt: skip


def _mean(side: Side, window: tuple[date, date]) -> int:
    first, last = (max((day - side.as_of).days, 0) for day in window)
    return int(side.mean_minor[first : last + 1].sum())


def _promised(view: View) -> frozenset[str]:
    """Invoices that a live promise names; of a promise for the whole account, all invoices of the customer."""
    promises = live_promises(view, epoch_day(view.as_of))
    named = promises.explode("invoice_ids").drop_nulls("invoice_ids").get_column("invoice_ids")
    whole = promises.filter(pl.col("invoice_ids").is_null() | (pl.col("invoice_ids").list.len() == 0))
    customers = whole.get_column("customer_id").unique().to_list()
    covered = view.table("invoices").filter(pl.col("customer_id").is_in(customers)).get_column("invoice_id")
    return frozenset([*named.to_list(), *covered.to_list()])


def _id(model: TimingModel | None) -> str:
    return model.model_id if model is not None else ""
