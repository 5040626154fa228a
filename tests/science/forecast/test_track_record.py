"""Replays of a book's past, simple cash forecasts by hand, and a customer in distress that the bridge names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.forecast import Shares, forecast_book
from duecourse.science.forecast.baselines import simple_forecasts
from duecourse.science.forecast.book import past_invoices
from duecourse.science.forecast.bridge import movers
from duecourse.science.forecast.frozen import ForecastSummary, freeze
from duecourse.science.forecast.movement import Forecast, movements, weekly_movement
from duecourse.science.forecast.received import cash_received
from duecourse.science.forecast.track_record import (
    MonthlyModels,
    ReplayPlan,
    TrackRecord,
    forecast_at,
    snapshot_days,
    track_record,
)
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.predict import open_curves, predict
from support.books import allocation, books, invoice, promise
from support.payers import payers

AS_OF = date(2025, 11, 10)
QUICK = TimingConfig(bags=1, rounds=30)
PLAN = ReplayPlan(weeks=6, draws=200, threads=1)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return payers(customers=20, per_month=5)


@pytest.fixture(scope="module")
def model(ledger: Ledger) -> TimingModel:
    return fit(ledger.as_of(AS_OF), config=QUICK, threads=1)


@pytest.fixture(scope="module")
def track(ledger: Ledger, model: TimingModel) -> TrackRecord:
    return track_record(ledger, AS_OF, MonthlyModels(ledger, model, {}), PLAN)


def until(ledger: Ledger, day: date) -> Ledger:
    """Only what was recorded before ``day``."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Ledger.from_frames(
        {name: frame.filter(pl.col("recorded_at") < moment) for name, frame in ledger.tables.items()}
    )


def test_snapshots_are_whole_weeks_back_mature_and_not_before_there_was_cash(ledger: Ledger) -> None:
    days = snapshot_days(ledger, AS_OF, 5)
    assert days == [AS_OF - timedelta(days=7 * back) for back in (5, 4, 3, 2)]
    first = ledger.table("allocations").get_column("applied_on").min()
    assert isinstance(first, date)
    assert min(snapshot_days(ledger, AS_OF, 99)) >= first + timedelta(days=56)
    assert snapshot_days(ledger, first + timedelta(days=30), 99) == []


def test_a_past_forecast_knows_nothing_of_its_future(ledger: Ledger, track: TrackRecord, model: TimingModel) -> None:
    """Cutting off all that was recorded from a past morning on gives the very same record of that morning."""
    record = track.records[2]
    cut = until(ledger, record.as_of)
    alone = MonthlyModels(cut, model, {}).at(record.as_of)
    assert forecast_at(cut, record.as_of, AS_OF, alone, PLAN).to_json() == record.to_json()


def test_every_snapshot_is_scored_with_all_simple_methods_beside_it(track: TrackRecord) -> None:
    assert [record.as_of for record in track.records] == sorted(record.as_of for record in track.records)
    week = (pl.col("part") == "total") & (pl.col("first_day") == 0) & (pl.col("last_day") == 7)
    counts = dict(track.scores.filter(week).group_by("method").len().iter_rows())
    assert counts == dict.fromkeys(
        ("model", "independent", "due_date", "customer_median", "in_terms_90", "ladder", "last_week", "last_4",
         "last_13", "last_26"), 5,
    )  # fmt: skip
    assert track.scores.filter(pl.col("last_day") == 91).is_empty()
    assert track.shares == Shares()
    assert "of the 13 mature forecasts" in track.shares_id


def test_models_are_fitted_once_a_month_and_taken_from_the_backtest_where_it_has_them(
    ledger: Ledger, model: TimingModel
) -> None:
    models = MonthlyModels(ledger, model, {date(2025, 10, 1): model})
    october, again = models.at(date(2025, 10, 6)), models.at(date(2025, 10, 27))
    assert october is not None
    assert again is not None
    assert october.model_id == again.model_id == model.model_id
    assert models.at(date(2025, 2, 3)) is None  # January alone has too few payments to fit on
    assert MonthlyModels(ledger, None, {date(2025, 10, 1): model}).at(date(2025, 10, 6)) is None


def test_a_book_without_a_past_has_no_records_and_the_default_shares() -> None:
    young = books(invoice("I1", 10_000, "2026-01-05", "2026-02-04"))
    found = track_record(young, date(2026, 1, 10), MonthlyModels(young, None, {}), PLAN)
    assert found.records == ()
    assert found.scores.is_empty()
    assert (found.verdicts, found.alarms, found.shares) == ((), (), Shares())


def test_the_curves_of_the_replay_are_those_of_predict(ledger: Ledger, model: TimingModel) -> None:
    view = ledger.as_of(AS_OF)
    assert open_curves(model, view).equals(predict(model, view).curves)


def simple(ledger: Ledger, day: date, days: int = 40) -> Mapping[str, np.ndarray]:
    view = ledger.as_of(day)
    found = simple_forecasts(view, past_invoices(view), cash_received(view), days)["USD"]
    return {method: one.daily if one.open_daily is None else one.open_daily for method, one in found.items()}


def test_simple_forecasts_by_hand() -> None:
    """C1 paid three invoices 5 days late; two are open, one overdue, one promised; C2 has too little history."""
    paid = [
        row
        for k, (issued, due, on) in enumerate(
            (("2026-01-01", "2026-01-11", "2026-01-16"), ("2026-01-05", "2026-01-15", "2026-01-20"),
             ("2026-01-08", "2026-01-18", "2026-01-23"))
        )
        for row in (invoice(f"H{k}", 7_000, issued, due), allocation(f"H{k}", 7_000, on))
    ]  # fmt: skip
    ledger = books(
        *paid, invoice("I1", 10_000, "2026-01-20", "2026-02-04"), invoice("I2", 2_000, "2026-01-10", "2026-01-25"),
        invoice("I3", 500, "2026-01-10", "2026-02-10"),
        promise("P1", 500, "2026-01-28", "2026-02-20", invoice_ids=["I3"]),
    )  # fmt: skip
    found = simple(ledger, date(2026, 2, 1))

    def days(method: str) -> dict[int, float]:
        return {int(k): round(float(found[method][k]), 6) for k in np.flatnonzero(found[method])}

    assert days("due_date") == {0: 2_000, 3: 10_000, 9: 500}
    assert days("customer_median") == {0: 2_000, 8: 10_000, 14: 500}
    assert days("in_terms_90") == {0: 1_800, 3: 9_000, 9: 450, 30: 200, 33: 1_000, 39: 50}
    assert days("ladder") == {0: 2_000, 8: 10_000, 22: 500}  # promised for day 19, three days to arrive
    # Cash of 21,000 in the 16 days before: two whole weeks of 14,000 and 7,000 in the newest-first weeks.
    assert found["last_week"][0] == 0.0
    assert found["last_4"].sum() == pytest.approx(40 / 7 * 14_000 / 2)
    assert found["last_4"][0] == found["last_26"][0]


def with_distress(ledger: Ledger, day: date) -> tuple[Ledger, Ledger]:
    """The book with a large customer that owes 80,000 due in 12 days; and after two bounces and three silent calls."""
    template = ledger.table("invoices").head(1)
    owed = pl.concat(
        template.with_columns(
            pl.lit(f"BIG-{k}").alias("invoice_id"), pl.lit("BIG").alias("customer_id"),
            pl.lit(day - timedelta(days=2)).alias("issued_on"), pl.lit(day + timedelta(days=12)).alias("due_on"),
            pl.lit(1_000_000, dtype=pl.Int64).alias("amount_minor"),
            pl.lit(None, dtype=template.schema["recorded_at"]).alias("recorded_at"),
        )
        for k in range(8)
    )  # fmt: skip
    contacts = pl.DataFrame(
        {"contact_id": ["K1", "K2"], "customer_id": ["BIG"] * 2, "email": ["a@big.example", "b@big.example"]}
    )
    frames = {**ledger.tables, "invoices": pl.concat([ledger.table("invoices"), owed]), "contacts": contacts}
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    silence = pl.DataFrame(
        {
            "activity_id": [f"A{k}" for k in range(5)], "customer_id": ["BIG"] * 5,
            "channel": ["email", "email", "call", "call", "call"], "direction": ["out"] * 5,
            "contact_id": ["K1", "K2", "K1", "K1", "K1"], "occurred_at": [at + timedelta(minutes=k) for k in range(5)],
            "outcome": ["bounced", "bounced", "no_answer", "no_answer", "voicemail"],
        }
    )  # fmt: skip
    return Ledger.from_frames(frames), Ledger.from_frames({**frames, "activities": silence})


def test_distress_lowers_the_month_and_the_bridge_names_the_customer(ledger: Ledger, model: TimingModel) -> None:
    calm, distressed = with_distress(ledger, AS_OF)
    tomorrow = AS_OF + timedelta(days=1)

    def forecast(books: Ledger, day: date) -> Forecast:
        view = books.as_of(day)
        curves = open_curves(model, view)
        return Forecast(view, model, curves, forecast_book(view, curves, days=40, draws=1_000, seed=0))

    before, after = forecast(distressed, AS_OF), forecast(distressed, tomorrow)
    silent = forecast(calm, tomorrow)
    for month in ((0, 30), (0, 12)):
        low, quiet = after.bands["EUR"].window(*month), silent.bands["EUR"].window(*month)
        assert all(now < without for now, without in zip(low, quiet, strict=True)), month
    (moved,) = movements(before, after, (tomorrow, tomorrow + timedelta(days=29)))
    top = movers(moved.steps).row(0, named=True)
    assert (top["parent_id"], top["main_step"]) == ("BIG", "changed_curves")
    assert top["change_minor"] < 0
    on_mean = moved.steps.filter(pl.col("step") != "band_shift").get_column("change_minor").sum()
    assert on_mean == moved.after_minor - moved.before_minor
    (without,) = movements(forecast(calm, AS_OF), silent, (tomorrow, tomorrow + timedelta(days=29)))
    curves = (pl.col("parent_id") == "BIG") & (pl.col("step") == "changed_curves")
    drop = moved.steps.filter(curves).get_column("change_minor").sum()
    assert drop < without.steps.filter(curves).get_column("change_minor").sum()


def test_the_movement_of_a_week_adds_up_with_another_model(ledger: Ledger, model: TimingModel) -> None:
    view = ledger.as_of(AS_OF)
    curves = open_curves(model, view)
    now = Forecast(view, model, curves, forecast_book(view, curves, days=28, draws=200, seed=0))
    (moved,) = weekly_movement(ledger, now, None, draws=200, seed=0)  # a week ago the ladder served
    sums = dict(moved.steps.group_by("step").agg(pl.col("change_minor").sum()).iter_rows())
    shift = sums.pop("band_shift")
    assert sum(sums.values()) == moved.after_minor - moved.before_minor
    assert sums["model_refit"] != 0
    assert isinstance(shift, int)


def test_a_frozen_forecast_holds_what_the_screen_showed(ledger: Ledger, model: TimingModel) -> None:
    view = ledger.as_of(AS_OF)
    curves = open_curves(model, view)
    bands = forecast_book(view, curves, days=91, draws=200, seed=0)
    summary = ForecastSummary(view=view, curves=curves, bands=bands, model_id="m", seed=0, draws=200)
    record = freeze(summary)
    month = (pl.col("part") == "total") & (pl.col("last_day") == 28) & (pl.col("first_day") == 0)
    row = record.windows.filter(month & (pl.col("method") == "model")).row(0, named=True)
    band = bands["EUR"]
    assert (row["p10_minor"], row["p50_minor"], row["p90_minor"]) == band.window(0, 28)
    assert row["mean_minor"] == int((band.open_mean_minor + band.new_mean_minor)[:28].sum())
    assert record.snapshot_id == view.snapshot_id
    assert freeze(summary).record_id == record.record_id
    free = record.windows.filter(month & (pl.col("method") == "independent")).row(0, named=True)
    assert free["p90_minor"] - free["p10_minor"] < row["p90_minor"] - row["p10_minor"]
