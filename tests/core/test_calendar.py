from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.core import calendar as cal

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
HOLIDAYS = cal.epoch_days([date(2026, 1, 1), date(2026, 12, 25)])


def slow_add(day: date, count: int, holidays: set[date]) -> date:
    """Walk day by day."""
    step = timedelta(days=1 if count > 0 else -1)
    while count != 0:
        day += step
        if day.weekday() < 5 and day not in holidays:
            count -= 1 if count > 0 else -1
    return day


@given(days)
def test_epoch_day_and_back(day: date) -> None:
    assert cal.from_epoch_day(cal.epoch_day(day)) == day
    assert cal.epoch_days([day]).tolist() == [(day - date(1970, 1, 1)).days]


@given(days, st.integers(-30, 30).filter(bool))
def test_add_business_days_equals_walking(day: date, count: int) -> None:
    """From a weekend the count starts at the business day on the other side, so no day of grace is lost."""
    assert cal.add_business_days(day, count) == slow_add(day, count, set())


def test_grace_over_weekend_and_holiday() -> None:
    assert cal.add_business_days(date(2026, 1, 3), 2) == date(2026, 1, 6)  # Saturday -> Tuesday
    assert cal.add_business_days(date(2025, 12, 31), 1) == date(2026, 1, 1)
    assert cal.add_business_days(date(2025, 12, 31), 1, HOLIDAYS) == date(2026, 1, 2)


def test_next_business_day() -> None:
    assert cal.next_business_day(date(2026, 1, 1)) == date(2026, 1, 1)
    assert cal.next_business_day(date(2026, 1, 1), HOLIDAYS) == date(2026, 1, 2)
    assert cal.next_business_day(date(2026, 1, 3)) == date(2026, 1, 5)


def test_is_business_day() -> None:
    week = [date(2026, 1, 5) + timedelta(days=n) for n in range(7)]
    assert [cal.is_business_day(day) for day in week] == [True] * 5 + [False] * 2
    assert not cal.is_business_day(date(2026, 12, 25), HOLIDAYS)


def test_business_days_between_counts_the_first_day_only() -> None:
    first, last = cal.epoch_days([date(2026, 1, 5)]), cal.epoch_days([date(2026, 1, 12)])
    assert cal.business_days_between(first, last).tolist() == [5]
    assert cal.business_days_between(last, first).tolist() == [-5]
    assert cal.business_days_between(first, first).tolist() == [0]


@given(days)
def test_month_ends(day: date) -> None:
    end = cal.month_end(day)
    assert (end + timedelta(days=1)).day == 1
    assert (end.year, end.month) == (day.year, day.month)
    vector = cal.epoch_days([day])
    assert cal.days_to_month_end(vector).tolist() == [(end - day).days]
    assert cal.day_of_month(vector).tolist() == [day.day]
    assert cal.weekday(vector).tolist() == [day.weekday()]


def test_holidays_of_a_country() -> None:
    found = cal.holiday_days("US", date(2026, 7, 1), date(2026, 12, 31))
    assert cal.epoch_day(date(2026, 12, 25)) in found
    assert np.all(np.diff(found) > 0)
    assert cal.epoch_day(date(2026, 1, 1)) not in found


def test_a_country_without_known_holidays_has_none() -> None:
    assert cal.holiday_days("XX", date(2026, 1, 1), date(2026, 12, 31)).size == 0


def test_cached_holidays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        cal.holiday_days("US", date(2026, 1, 1), date(2026, 12, 31))[0] = 0
