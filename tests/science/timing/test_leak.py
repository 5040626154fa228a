from __future__ import annotations

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger, start_of_day
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.model import fit
from duecourse.science.timing.predict import predict
from support.timing_books import day_of, habit_frames

AS_OF = day_of(200)
QUICK = TimingConfig(bags=1, rounds=10)


def _scores(frames: dict[str, pl.DataFrame]) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    view = Ledger.from_frames(frames).as_of(AS_OF)
    model = fit(view, config=QUICK)
    prediction = predict(model, view)
    return model.texts[0], prediction.scores, prediction.curves


def _later() -> pl.Expr:
    return pl.col("recorded_at") >= start_of_day(AS_OF)


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return habit_frames(invoices=1100, days=260)


@pytest.fixture(scope="module")
def expected(frames: dict[str, pl.DataFrame]) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    return _scores(frames)


def test_deleting_everything_recorded_from_as_of_on_changes_no_byte(
    frames: dict[str, pl.DataFrame], expected: tuple[str, pl.DataFrame, pl.DataFrame]
) -> None:
    text, scores, curves = _scores({name: frame.filter(~_later()) for name, frame in frames.items()})
    assert text == expected[0]
    assert scores.equals(expected[1])
    assert curves.equals(expected[2])


def test_shuffling_everything_recorded_from_as_of_on_changes_no_byte(
    frames: dict[str, pl.DataFrame], expected: tuple[str, pl.DataFrame, pl.DataFrame]
) -> None:
    """Amounts, days and customers of later facts are dealt out anew among them."""
    shuffled = {}
    for name, frame in frames.items():
        later = frame.filter(_later())
        assert later.height > 50
        keys = {f"{name[:-1]}_id", "recorded_at"}
        dealt = later.with_columns(
            pl.col(column).shuffle(seed=number) for number, column in enumerate(later.columns) if column not in keys
        )
        shuffled[name] = pl.concat([frame.filter(~_later()), dealt])
    text, scores, curves = _scores(shuffled)
    assert text == expected[0]
    assert scores.equals(expected[1])
    assert curves.equals(expected[2])
