"""How the volume of invoices on a coming day departs from its weekday: public holidays and the position in the month.

Holidays: the volume of the weekday times the book's holiday ratio (amount issued on past holidays per usual amount of
their weekdays; 0 where none was seen). Position in the month, with at least 24 whole months: first three days, days 4
to 10, 11 to 20, the rest, last three days. A position's factor is its mean ratio r to the usual amount of its days,
shrunk to ``1 + (r - 1) 12 / (12 + 12 v)`` with v the variance of the ratio from month to month. Both rules are
assumptions of ours and not yet tested on real books.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import day_of_month, days_to_month_end, weekday
from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7
LEAST_MONTHS = 24
HOLIDAY_WEEKS = 104  # how far back holidays are looked at
POSITIONS = 5


def day_scale(
    as_of: int, issue_day: Integers, amount_minor: Integers, *, weeks: int, holidays: Integers, days: int
) -> Floats:
    """Factor on the weekday's volume of each of the next ``days`` days, shape (days,); 1 where nothing speaks."""
    ahead = as_of + np.arange(days, dtype=np.int64)
    scale = np.ones(days)
    if not len(issue_day) or not weeks:
        return scale
    daily = _daily(as_of, issue_day, amount_minor, weeks)
    first = as_of - len(daily)
    scale *= month_factors(first, daily, holidays)[month_position(ahead)]
    off = np.isin(ahead, holidays)
    if off.any():
        scale[off] = holiday_ratio(first, daily, holidays)
    return scale


def month_position(day: Integers) -> Integers:
    """0 first three days of the month, 1 days 4 to 10, 2 days 11 to 20, 3 the rest, 4 last three days."""
    of_month = day_of_month(day)
    middle = np.searchsorted(np.array([3, 10, 20]), of_month, side="left")
    result: Integers = np.where(days_to_month_end(day) <= 2, 4, middle).astype(np.int64)
    return result


def holiday_ratio(first: int, daily: Floats, holidays: Integers) -> float:
    """Amount issued on past holidays per usual amount of their weekdays; 0 without a past holiday on a working day."""
    day = first + np.arange(len(daily), dtype=np.int64)
    recent = day >= first + len(daily) - HOLIDAY_WEEKS * WEEK
    off = np.isin(day, holidays)
    usual = _weekday_means(day, daily, recent & ~off)[weekday(day)]
    expected = float(usual[recent & off].sum())
    return float(daily[recent & off].sum()) / expected if expected > 0 else 0.0


def month_factors(first: int, daily: Floats, holidays: Integers) -> Floats:
    """Factor of each position in the month, shape (5,); all 1 with fewer than 24 whole months."""
    day = first + np.arange(len(daily), dtype=np.int64)
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    whole = np.isin(month, _whole_months(day, month)) & ~np.isin(day, holidays)
    months = np.unique(month[whole])
    if len(months) < LEAST_MONTHS:
        return np.ones(POSITIONS)
    usual = _weekday_means(day, daily, whole)[weekday(day)]
    cell = np.searchsorted(months, month[whole]) * POSITIONS + month_position(day[whole])
    shape = (len(months), POSITIONS)
    issued = np.bincount(cell, daily[whole], minlength=shape[0] * POSITIONS).reshape(shape).astype(np.float64)
    expected: Floats = (
        np.bincount(cell, usual[whole], minlength=len(months) * POSITIONS).reshape(shape).astype(np.float64)
    )
    level = issued.sum(axis=1) / np.maximum(expected.sum(axis=1), 1e-9)  # growth from month to month is no position
    expected = expected * level[:, None]
    ratio = issued.sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-9)
    by_month = np.divide(issued, expected, out=np.ones(shape), where=expected > 0)
    factor = 1.0 + (ratio - 1.0) * 12 / (12 + 12 * by_month.var(axis=0))
    total = float(expected.sum())
    kept = float((expected.sum(axis=0) * factor).sum())
    return factor * total / kept if kept > 0 else np.ones(POSITIONS)


def _daily(as_of: int, issue_day: Integers, amount_minor: Integers, weeks: int) -> Floats:
    """Amount issued on each of the days of the last ``weeks`` weeks, oldest first."""
    back = as_of - 1 - issue_day
    inside = (back >= 0) & (back < weeks * WEEK)
    return np.bincount(back[inside], amount_minor[inside], minlength=weeks * WEEK)[::-1].astype(np.float64)


def _whole_months(day: Integers, month: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    inner = np.unique(month)
    first_is_whole = int(day_of_month(day[:1])[0]) == 1
    last_is_whole = int(days_to_month_end(day[-1:])[0]) == 0
    return inner[0 if first_is_whole else 1 : len(inner) if last_is_whole else -1]


def _weekday_means(day: Integers, daily: Floats, counted: npt.NDArray[np.bool_]) -> Floats:
    """Mean amount per weekday over the counted days, shape (7,); 0 for a weekday without one."""
    of_week = weekday(day[counted])
    total = np.bincount(of_week, daily[counted], minlength=WEEK)
    result: Floats = total / np.maximum(np.bincount(of_week, minlength=WEEK), 1)
    return result
