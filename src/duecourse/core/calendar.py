"""Business days, public holidays and month ends, for one date or for whole vectors of epoch days.

An *epoch day* is the number of days since 1970-01-01 as int64: the form in which vectors of dates are computed with.
Weekends are Saturday and Sunday; holidays are epoch days (``holiday_days``).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

EpochDays = npt.NDArray[np.int64]
MONDAY_TO_FRIDAY = "1111100"  # NumPy's week mask, Monday first
_EPOCH = date(1970, 1, 1)
NO_DAYS: EpochDays = np.zeros(0, dtype=np.int64)


def epoch_day(day: date) -> int:
    """Days from 1970-01-01 to ``day``."""
    return (day - _EPOCH).days


def from_epoch_day(days: int) -> date:
    """The date that lies ``days`` days after 1970-01-01; raises OverflowError beyond the years 1 to 9999."""
    return _EPOCH + timedelta(days=int(days))


def epoch_days(days: Iterable[date]) -> EpochDays:
    """Epoch days of dates, shape (n,)."""
    return np.fromiter((epoch_day(day) for day in days), dtype=np.int64)


@lru_cache(maxsize=256)
def holiday_days(country: str, first: date, last: date) -> EpochDays:
    """Sorted epoch days of the nation-wide public holidays from ``first`` to ``last``, both included; read-only.

    ``country`` is ISO 3166-1 alpha-2. A country whose holidays are not known (library ``holidays``) has none: a day
    too many counts as a business day, and no result fails for it. Regional holidays are not included.
    """
    import holidays

    days: EpochDays = NO_DAYS
    if country in holidays.list_supported_countries():
        known = holidays.country_holidays(country, years=range(first.year, last.year + 1))
        days = np.unique(epoch_days(day for day in known if first <= day <= last))
    days.flags.writeable = False
    return days


def is_business_day(day: date, holidays: EpochDays = NO_DAYS) -> bool:
    """True on Monday to Friday outside ``holidays``."""
    return bool(are_business_days(epoch_days([day]), holidays)[0])


def are_business_days(days: EpochDays, holidays: EpochDays = NO_DAYS) -> npt.NDArray[np.bool_]:
    """True where an epoch day is Monday to Friday outside ``holidays``, shape of ``days``."""
    result: npt.NDArray[np.bool_] = np.is_busday(_numpy_days(days), MONDAY_TO_FRIDAY, _numpy_days(holidays))
    return result


def next_business_day(day: date, holidays: EpochDays = NO_DAYS) -> date:
    """``day`` itself when it is a business day, otherwise the first one after it."""
    return from_epoch_day(int(shift_business_days(epoch_days([day]), 0, holidays)[0]))


def add_business_days(day: date, count: int, holidays: EpochDays = NO_DAYS) -> date:
    """The ``count``-th business day after ``day`` (before it when negative).

    From a day that is not a business day, counting starts at the last business day before it, so that two days of
    grace after a Saturday end on Tuesday; a negative count starts at the first business day after it. With count 0
    the result is ``next_business_day``.
    """
    return from_epoch_day(int(shift_business_days(epoch_days([day]), count, holidays)[0]))


def shift_business_days(days: EpochDays, count: int, holidays: EpochDays = NO_DAYS) -> EpochDays:
    """``add_business_days`` for a vector of epoch days, shape of ``days``."""
    roll: Literal["preceding", "following"] = "preceding" if count > 0 else "following"
    moved = np.busday_offset(_numpy_days(days), count, roll, MONDAY_TO_FRIDAY, _numpy_days(holidays))
    return np.asarray(moved).astype(np.int64)


def business_days_between(first: EpochDays, last: EpochDays, holidays: EpochDays = NO_DAYS) -> EpochDays:
    """Business days from ``first`` (included) to ``last`` (excluded), negative when ``last`` is the earlier one."""
    counted = np.busday_count(_numpy_days(first), _numpy_days(last), MONDAY_TO_FRIDAY, _numpy_days(holidays))
    return np.asarray(counted, dtype=np.int64)


def month_end(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def days_to_month_end(days: EpochDays) -> EpochDays:
    """Days from each epoch day to the last day of its month (0 on that day), shape of ``days``."""
    at = _numpy_days(days)
    last = (at.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    return (last - at).astype(np.int64)


def day_of_month(days: EpochDays) -> EpochDays:
    """Day of the month (1 to 31) of each epoch day, shape of ``days``."""
    at = _numpy_days(days)
    since_first = at - at.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(since_first, dtype="timedelta64[D]").astype(np.int64) + 1


def weekday(days: EpochDays) -> EpochDays:
    """Day of the week (Monday 0 to Sunday 6) of each epoch day, shape of ``days``."""
    result: EpochDays = (days + 3) % 7  # 1970-01-01 was a Thursday
    return result


def _numpy_days(days: EpochDays) -> npt.NDArray[np.datetime64]:
    return np.asarray(days, dtype=np.int64).astype("datetime64[D]")
