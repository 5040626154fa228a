"""The proof that nothing leaks: whatever is recorded on or after a day, what is computed for that day stays equal."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, date, datetime, time

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger, start_of_day
from duecourse.ledger.audit import audit
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.collectible import collectible
from duecourse.ledger.promises import promise_states
from duecourse.ledger.schema import TABLES
from support.random_books import random_ledger

DAYS = [date(2025, 9, 1), date(2026, 1, 15), date(2026, 3, 1)]
LATER = datetime.combine(date(2026, 12, 1), time(9), tzinfo=UTC)


def is_later(day: date) -> pl.Expr:
    return pl.col("recorded_at") >= start_of_day(day)


def deleted(name: str, frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """Everything recorded on or after ``day`` is gone, and no row has a date of its own future."""
    if "recorded_at" not in frame.columns:
        return frame
    return moved(name, frame.filter(is_later(day).fill_null(False).not_()), day, None)


def moved(name: str, frame: pl.DataFrame, day: date, to: datetime | None) -> pl.DataFrame:
    """Dates that earlier rows gain on or after ``day`` lie at ``to``, or are taken away with what came with them."""
    changes = []
    for column, with_it in TABLES[name].later.items():
        limit = start_of_day(day) if TABLES[name].by_name[column].kind == "timestamp" else day
        other = pl.lit(to).cast(TABLES[name].by_name[column].dtype)
        changes.append(pl.when(pl.col(column) >= limit).then(other).otherwise(pl.col(column)).alias(column))
        if to is None:
            changes += [
                pl.when((pl.col(column) >= limit).fill_null(False).not_()).then(pl.col(x)).alias(x) for x in with_it
            ]
    return frame.with_columns(changes)


def shuffled(name: str, frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """What was recorded on or after ``day`` has its values shuffled between rows and another later time."""
    if "recorded_at" not in frame.columns:
        return frame
    late = frame.filter(is_later(day))
    keys = TABLES[name].key
    mixed = late.select(
        pl.col(column) if column in keys else pl.col(column).shuffle(seed=number)
        for number, column in enumerate(late.columns)
    ).with_columns(pl.lit(LATER).dt.cast_time_unit("us").alias("recorded_at"))
    return moved(name, pl.concat([frame.filter(is_later(day).fill_null(False).not_()), mixed]), day, LATER)


def overwritten(name: str, frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """Every row gets a newer version recorded at the first moment of ``day``: voided, and with other amounts."""
    if "recorded_at" not in frame.columns:
        return frame
    moment = pl.lit(start_of_day(day)).dt.cast_time_unit("us")
    newer = frame.with_columns(moment.alias("recorded_at"), moment.alias("voided_at"))
    if "amount_minor" in newer.columns:
        newer = newer.with_columns(pl.col("amount_minor") * 3 + 1)
    return pl.concat([frame, newer])


def outputs(ledger: Ledger, day: date) -> dict[str, object]:
    view = ledger.as_of(day)
    return {
        "snapshot_id": view.snapshot_id,
        **{name: view.table(name).rows() for name in TABLES if name in ledger.tables},
        "balances": invoice_balances(view).rows(),
        "collectible": collectible(view).rows(),
        "promises": promise_states(view).rows(),
    }


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("change", [deleted, shuffled, overwritten])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_recorded_from_the_day_on_changes_what_is_known_that_day(seed: int, change: object, day: date) -> None:
    ledger = random_ledger(seed)
    other = Ledger.from_frames({name: change(name, frame, day) for name, frame in ledger.tables.items()})
    truth, found = outputs(ledger, day), outputs(other, day)
    assert any(not frame.equals(other.tables[name]) for name, frame in ledger.tables.items()), (
        "the change changed nothing"
    )
    assert [name for name in truth if truth[name] != found[name]] == []


def rounded(value: object) -> str:
    """``value`` in text with its decimals cut to six: sums of decimals depend on their order in the last digits."""
    return re.sub(r"(\d\.\d{6})\d+", r"\1", repr(value))


def test_the_figures_of_the_audit_know_no_later_fact() -> None:
    """How many rows the files hold is about the files, not about the day; all else is."""
    day, ledger = date(2026, 1, 15), random_ledger(1)
    about_files = {"rows_read", "rows_accepted", "tables"}
    names = [field.name for field in fields(audit(ledger, day)) if field.name not in about_files]
    for change in (deleted, shuffled, overwritten):
        other = Ledger.from_frames({name: change(name, frame, day) for name, frame in ledger.tables.items()})
        truth, found = audit(ledger, day), audit(other, day)
        differing = [name for name in names if rounded(getattr(truth, name)) != rounded(getattr(found, name))]
        assert differing == [], change.__name__


def test_the_test_would_see_a_leak() -> None:
    """What is recorded the day before does change the view."""
    day, ledger = date(2026, 3, 1), random_ledger(1)
    earlier = date(2026, 2, 1)
    other = Ledger.from_frames({name: overwritten(name, frame, earlier) for name, frame in ledger.tables.items()})
    assert outputs(other, day) != outputs(ledger, day)
