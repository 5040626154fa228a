"""Books with everything that makes them hard: records survive, scores count real cash, bridges add up to the cent."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from duecourse.science.forecast import forecast_book
from duecourse.science.forecast.frozen import ForecastRecord, ForecastSummary, freeze
from duecourse.science.forecast.movement import Forecast, movements
from duecourse.science.forecast.received import cash_received
from duecourse.science.forecast.scoring import measures, misses, score
from duecourse.science.timing.predict import open_curves
from support.random_books import AS_OF, random_ledger

THEN = AS_OF - timedelta(days=45)


@pytest.mark.parametrize("seed", range(12))
def test_a_hard_book_is_frozen_scored_and_bridged(seed: int) -> None:
    ledger = random_ledger(seed)

    def forecast(back: int) -> Forecast:
        view = ledger.as_of(AS_OF - timedelta(days=back))
        curves = open_curves(None, view)
        return Forecast(view, None, curves, forecast_book(view, curves, days=60, draws=100, seed=seed))

    then, before, now = forecast(45), forecast(9), forecast(0)
    record = freeze(
        ForecastSummary(view=then.view, curves=then.curves, bands=then.bands, model_id="", seed=seed, draws=100)
    )
    assert ForecastRecord.from_json(record.to_json()).to_json() == record.to_json()
    cash = cash_received(now.view)
    scores = score(record, cash, AS_OF)
    assert scores.get_column("last_day").max() in (None, 42)  # 42 - 1 + 3 < 45
    day = (pl.col("received_on") - THEN).dt.total_days()
    for currency in then.bands:
        came = cash.filter((pl.col("currency") == currency) & day.is_between(0, 27)).get_column("amount_minor").sum()
        four_weeks = scores.filter(
            (pl.col("currency") == currency) & (pl.col("part") == "total")
            & (pl.col("first_day") == 0) & (pl.col("last_day") == 28)
        )  # fmt: skip
        assert four_weeks.get_column("actual_minor").unique().to_list() == [came]
    assert measures(scores).height == scores.height
    assert (
        misses(record, cash, 0).get_column("received_minor").sum()
        == cash.filter(day.is_between(0, 6))["amount_minor"].sum()
    )
    window = (AS_OF - timedelta(days=4), AS_OF + timedelta(days=20))
    for moved in movements(before, now, window):
        came = cash.filter(
            (pl.col("currency") == moved.currency)
            & pl.col("received_on").is_between(window[0], AS_OF - timedelta(days=1))
        ).get_column("amount_minor").sum()  # fmt: skip
        on_mean = moved.steps.filter(pl.col("step") != "band_shift").get_column("change_minor").sum()
        assert on_mean == moved.after_minor + came - moved.before_minor
