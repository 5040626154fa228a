"""The track record of the forecast on the run page: figures, sentences where a simple method won, and empty states."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from duecourse.reports import run_page
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.forecast_record import forecast_record_values
from duecourse.science.forecast.bridge import COLUMNS as STEP_COLUMNS
from duecourse.science.forecast.movement import Movement
from duecourse.science.forecast.track_record import TrackRecord, judged
from support.frozen_records import AS_OF, came, record
from support.report_samples import empty_report, run_report

HOSTILE = "<script>alert('x')</script>"
WEEKS = 8


def track(*, model: int = 110_000, simple: int = 150_000) -> TrackRecord:
    """Eight weeks in which 100,000 came and ``model`` was expected; the fifth week brought twice as much."""
    days = [AS_OF + timedelta(days=7 * week) for week in range(WEEKS)]
    amounts = [200_000 if week == 4 else 100_000 for week in range(WEEKS)]
    cash = pl.concat([came((1, minor), as_of=day) for day, minor in zip(days, amounts, strict=True)])
    sample = tuple(range(model - 20_000, model + 20_000, 400))
    items = [("EUR", "I0", HOSTILE, AS_OF, model, 1.0, 1.0, 1.0, 1.0)]
    records = [
        record(("open", 0, 7, "model", model, sample), ("total", 0, 7, "model", model, sample),
               ("total", 0, 7, "independent", model, sample), ("total", 0, 7, "last_13", simple, None),
               as_of=day, items=items)
        for day in days
    ]  # fmt: skip
    return judged(records, cash, date(2026, 12, 1))


def filled(**more: object) -> RunReport:
    steps = [("cash_received", HOSTILE, -7_000), ("changed_curves", "C2", 2_000), ("inflow_rate", None, 1_000),
             ("band_shift", None, -300)]  # fmt: skip
    window = (AS_OF, AS_OF + timedelta(days=27))
    moved = Movement("EUR", AS_OF - timedelta(days=7), AS_OF, window, 50_000, 46_000,
                     pl.DataFrame(steps, schema=STEP_COLUMNS, orient="row"))  # fmt: skip
    cash = came((29, 200_000))
    return replace(run_report(), **{"track": track(), "movements": (moved,), "received": cash, **more})


def test_the_page_shows_what_was_said_and_what_came() -> None:
    values = forecast_record_values(filled())
    (book,) = values["books"]
    assert (book.weeks, book.inside) == (8, 7)
    assert [name for name, _ in book.table.rows] == ["duecourse model", "The 13-week average"]
    (model,), (simple,) = (cells for _, cells in book.table.rows)
    # 7 weeks off by 10,000 and one by 90,000 of 900,000; the average is off by 50,000 in every week.
    assert (model.text, model.best) == ("17.8 %", True)
    assert (simple.text, simple.best) == ("44.4 %", False)
    assert book.bands == [["Week 1", "8", "88 %", "0 %", "12 %", "30 %", "88 %"]]
    assert (book.miss.expected_minor, book.miss.actual_minor) == (110_000, 200_000)
    assert not book.miss.inside
    assert ("C0", 0, 200_000, 200_000) in book.miss.customers


def test_the_steps_and_the_band_shift_stand_apart() -> None:
    (moved,) = forecast_record_values(filled())["moved"]
    assert moved.change_minor == -4_000
    assert moved.band_minor == -300
    assert [minor for _, _, minor in moved.steps] == [-7_000, 0, 0, 0, 2_000, 1_000, 0]
    assert [row[2] for row in moved.customers] == [-7_000, 2_000]


@pytest.mark.parametrize(("simple", "said"), [(100_000, "was closer in 7 of the last 8 weeks"), (150_000, "No simple")])
def test_the_page_says_it_when_a_simple_method_was_closer(simple: int, said: str) -> None:
    page = run_page.render(filled(track=track(simple=simple)))
    assert said in page
    assert ("No simple method was closer" in page) == (said == "No simple")


def test_names_of_customers_are_escaped() -> None:
    page = run_page.render(filled())
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_a_book_without_past_forecasts_says_what_is_missing() -> None:
    assert "No past forecast could be checked yet" in run_page.render(empty_report())
    nothing = judged([], pl.DataFrame(), date(2026, 12, 1))
    assert forecast_record_values(filled(track=nothing, movements=()))["books"] == []
