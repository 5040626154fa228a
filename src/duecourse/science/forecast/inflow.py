"""Cash from invoices that are not issued yet: how much is issued on each coming day, and how long it takes to arrive.

Volume on future day k: ``E_k = (1 - g_k) M8 + g_k M26`` with M_n the mean amount issued on the same weekday in the last
n weeks and ``g_k = min(1, k / 42)``: recent weeks lead at first, half a year of them later, because eight weeks alone
lose to a plain 13-week mean. How long it takes from issue to cash: ``lags``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from duecourse.core.calendar import weekday as weekday
from duecourse.science.forecast.inflow_calendar import day_scale
from duecourse.science.forecast.issued import WEEK, IssuedHistory
from duecourse.science.forecast.lags import (
    LAG_HORIZON_DAYS,
    LAG_WINDOW_DAYS,
    LEAST_INVOICES_A_WEEKDAY,
    lags_ahead,
)
from duecourse.science.forecast.shocks import Floats, Integers

RECENT_WEEKS, LONG_WEEKS, LEAST_WEEKS = 8, 26, 4
GLIDE_DAYS = 42  # over six weeks the rate moves from the recent weeks to the long ones
SURPRISE_DAYS = 91
FEWEST_SURPRISES, MOST_SURPRISES = 8, 39  # past mornings, a week apart, from which the level's spread is learnt


def history_notes(history: IssuedHistory, currency: str) -> list[str]:
    """What a reader of the forecast must know where the books are too young for it, and what is done instead."""
    weeks = history.weeks
    if not len(history.issue_day):
        return [f"{currency}: no invoice was issued yet; only what is known of coming invoices enters"]
    if weeks < LEAST_WEEKS:
        return [
            f"{currency}: new book, only {weeks} weeks of invoices: those not issued yet follow the mean of all days "
            "without a pattern of weekdays, a rough guess"
        ]
    notes = []
    if weeks < RECENT_WEEKS:
        notes.append(f"{currency}: new book, only {weeks} weeks of invoices; those not issued yet are a rough guess")
    elif weeks < LONG_WEEKS:
        notes.append(
            f"{currency}: {weeks} weeks of invoices instead of {LONG_WEEKS}: the long-run volume rests on them"
        )
    recent = history.issue_day[history.issue_day >= history.as_of - LAG_WINDOW_DAYS]
    each = np.bincount(weekday(recent), minlength=WEEK)
    thin = int(((each > 0) & (each < LEAST_INVOICES_A_WEEKDAY)).sum())
    if thin:
        notes.append(
            f"{currency}: {thin} weekdays of issue have fewer than {LEAST_INVOICES_A_WEEKDAY} invoices in "
            f"{LAG_WINDOW_DAYS} days; their time from issue to cash is that of all weekdays"
        )
    return notes


def long_run_share(days: int) -> Floats:
    """g_k for k = 0..days-1: the weight of the 26-week rate."""
    return np.minimum(1.0, np.arange(days) / GLIDE_DAYS)


def issue_volume(history: IssuedHistory, days: int) -> Floats:
    """Expected amount issued on each of the next ``days`` days in minor units, shape (days,); 0 without history."""
    result: Floats = volume_by_group(history, days, np.zeros(len(history.issue_day), dtype=np.int64), 1)[0]
    return result


def volume_surprise(history: IssuedHistory) -> float | None:
    """Standard deviation of ln(issued in the next 13 weeks / expected) over past weekly mornings.

    None where fewer than 8 of them, with 8 weeks of business before and 13 after, can be looked at.
    """
    mature = range(SURPRISE_DAYS // WEEK, history.weeks - RECENT_WEEKS + 1)
    if len(mature) < FEWEST_SURPRISES:
        return None
    surprises = []
    for back in mature[:MOST_SURPRISES]:
        morning = history.as_of - WEEK * back
        known = history.issue_day < morning
        then = replace(
            history, as_of=morning, issue_day=history.issue_day[known], paid_day=history.paid_day[known],
            amount_minor=history.amount_minor[known], usual_share=None, usual_days=0,
        )  # fmt: skip
        expected = float(issue_volume(then, SURPRISE_DAYS).sum())
        issued = float(history.amount_minor[~known & (history.issue_day < morning + SURPRISE_DAYS)].sum())
        if expected > 0 and issued > 0:
            surprises.append(np.log(issued / expected))
    return float(np.std(surprises)) if len(surprises) >= FEWEST_SURPRISES else None


def volume_by_group(history: IssuedHistory, days: int, group: Integers, groups: int) -> Floats:
    """``issue_volume`` of each group of past invoices, shape (groups, days); ``group`` (n,) from 0."""
    volume = _usual_volume(history, days, group, groups, history.amount_minor)
    known = min(history.usual_days, days)
    if known and history.usual_share is not None:
        volume[:, :known] = _usual_volume(history, known, group, groups, history.amount_minor * history.usual_share)
    return volume


def expected_scale(history: IssuedHistory, days: int) -> Floats:
    """Factor of holidays and of the position in the month on the volume of each coming day, shape (days,)."""
    return day_scale(
        history.as_of, history.issue_day, history.amount_minor,
        weeks=history.weeks, holidays=history.holidays, days=days,
    )  # fmt: skip


def weeks_to_copy(history: IssuedHistory, ahead: int, weeks: int) -> Integers:
    """How many weeks back the days lie that coming day ``ahead`` may copy: of the last ``weeks`` all but holidays."""
    back = np.arange(1, weeks + 1, dtype=np.int64)
    worked = back[~np.isin(history.as_of + ahead % WEEK - WEEK * back, history.holidays)]
    return worked if len(worked) else back


def _usual_volume(history: IssuedHistory, days: int, group: Integers, groups: int, amount: Floats | Integers) -> Floats:
    recent, long = (_rates(history, min(n, history.weeks), group, groups, amount) for n in (RECENT_WEEKS, LONG_WEEKS))
    ahead = weekday(history.as_of + np.arange(days, dtype=np.int64))
    share = long_run_share(days)
    result: Floats = ((1 - share) * recent[:, ahead] + share * long[:, ahead]) * expected_scale(history, days)
    return result


def _rates(history: IssuedHistory, weeks: int, group: Integers, groups: int, amount: Floats | Integers) -> Floats:
    """Mean amount issued per group and weekday over the last ``weeks`` weeks, holidays apart; shape (groups, 7).

    The mean over all days for a very new book.
    """
    if weeks < LEAST_WEEKS:
        known_days = max(1, history.as_of - int(history.issue_day.min())) if len(history.issue_day) else 1
        each = np.bincount(group, amount, minlength=groups) / known_days
        return np.repeat(each[:, None], WEEK, axis=1)
    inside = (history.issue_day >= history.as_of - weeks * WEEK) & ~np.isin(history.issue_day, history.holidays)
    cell = group[inside] * WEEK + weekday(history.issue_day[inside])
    total = np.bincount(cell, amount[inside], minlength=groups * WEEK).reshape(groups, WEEK)
    worked = np.array([len(weeks_to_copy(history, ahead, weeks)) for ahead in range(WEEK)])
    result: Floats = total / worked[(np.arange(WEEK) - int(weekday(np.array([history.as_of]))[0])) % WEEK]
    return result


def inflow_mean(history: IssuedHistory, days: int) -> Floats:
    """Expected cash per day from invoices not issued yet, minor units, shape (days,): volume convolved with lag."""
    result: Floats = inflow_mean_by_group(history, days, np.zeros(len(history.issue_day), dtype=np.int64), 1)[0]
    return result


def inflow_mean_by_group(history: IssuedHistory, days: int, group: Integers, groups: int) -> Floats:
    """``inflow_mean`` of each group of past invoices, shape (groups, days)."""
    cash = np.zeros((groups, days))
    if not len(history.issue_day):
        return cash
    volume = volume_by_group(history, days, group, groups)
    pmf = np.diff(lags_ahead(history, days), axis=1, prepend=0.0)
    for k in range(days):
        reach = min(days - k, LAG_HORIZON_DAYS)
        cash[:, k : k + reach] += volume[:, [k]] * pmf[k, :reach]
    return cash
