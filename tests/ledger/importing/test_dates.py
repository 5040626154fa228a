"""Dates in every usual form; day before month or month before day by evidence, never by taste."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.ledger.importing.dates import as_dates, as_moments, find_order, split_dates

D = date(2024, 1, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05",
        "2024/1/5",
        "5.1.2024",
        "05/01/2024",
        "5-Jan-2024",
        "05-JAN-24",
        "5 January 2024",
        "Jan 5, 2024",
        "Friday, January 5, 2024",
        "5. Januar 2024",
        "20240105",
        "20240105.0",
        "45296",
        "\x0145296",
        "\x022024-01-05",
        "2024-01-05T10:00:00Z",
        "05/01/2024 22:15",
        "5.1.24",
        "5 janv. 2024",
    ],
)
def test_one_day_in_many_forms(text: str) -> None:
    assert as_dates(split_dates("d", pl.Series([text])), "dmy").to_list() == [D]


@pytest.mark.parametrize("text", ["31/02/2024", "2024-02-30", "13/13/2024", "hello", "2024", "1/2", "99999"])
def test_what_is_no_date_stays_none_and_is_not_taken_for_blank(text: str) -> None:
    column = split_dates("d", pl.Series([text]))
    assert as_dates(column, "dmy").to_list() == [None]
    assert column.frame.get_column("form").is_not_null().all()


@pytest.mark.parametrize("text", [None, "-", "n/a", "NULL", "0000-00-00"])
def test_ways_to_write_nothing(text: str | None) -> None:
    assert split_dates("d", pl.Series([text], dtype=pl.String)).frame.get_column("form").to_list() == [None]


def test_moments_are_utc() -> None:
    texts = pl.Series(["2011-05-24 12:56", "2024-01-05T10:00:00+02:00", "1/2/2013 3:05 PM", "2024-01-05"])
    assert as_moments(split_dates("t", texts), "mdy").to_list() == [
        datetime(2011, 5, 24, 12, 56, tzinfo=UTC),
        datetime(2024, 1, 5, 8, 0, tzinfo=UTC),
        datetime(2013, 1, 2, 15, 5, tzinfo=UTC),
        datetime(2024, 1, 5, tzinfo=UTC),
    ]


def _found(**columns: list[str]) -> tuple[str | None, bool]:
    parts = [split_dates(name, pl.Series(texts)) for name, texts in columns.items()]
    found = find_order(parts, [("issued", "due")])
    return found.order, found.question is not None


def test_a_part_above_twelve_decides_for_all_columns_of_the_file() -> None:
    assert _found(issued=["1/2/2024", "3/4/2024"], due=["13/2/2024", "3/5/2024"]) == ("dmy", False)
    assert _found(issued=["1/2/2024"], due=["1/13/2024"]) == ("mdy", False)


def test_without_evidence_a_person_is_asked() -> None:
    assert _found(issued=["3/4/2026", "5/6/2026"], due=["4/4/2026", "6/6/2026"]) == (None, True)


def test_contradicting_evidence_is_asked_about() -> None:
    assert _found(issued=["13/4/2026", "4/13/2026"]) == (None, True)


def test_iso_dates_are_never_in_doubt() -> None:
    assert _found(issued=["2026-03-04"], due=["2026-04-04"]) == (None, False)


def test_due_before_issue_decides_when_it_is_conclusive() -> None:
    issued = [f"{d}/{m}/2026" for d, m in ((1, 2), (2, 3), (3, 4), (4, 5))]
    due = [f"{d}/{m}/2026" for d, m in ((12, 2), (1, 4), (1, 5), (2, 6))]  # as month/day the second, third and fourth
    assert _found(issued=issued, due=due) == ("dmy", False)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.dates(date(1990, 1, 1), date(2068, 12, 31)), min_size=1, max_size=30), st.sampled_from(["dmy", "mdy"])
)
def test_an_order_that_is_said_is_always_followed(days: list[date], order: str) -> None:
    form = "%d/%m/%Y" if order == "dmy" else "%m/%d/%Y"
    column = split_dates("d", pl.Series([day.strftime(form) for day in days]))
    assert as_dates(column, order).to_list() == days  # type: ignore[arg-type]
    found = find_order([column], [])
    assert found.order in (order, None)  # the right one or a question, never the other
