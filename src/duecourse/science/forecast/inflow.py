"""Cash from invoices that are not issued yet: how much is issued on each coming day, and how long it takes to arrive.

Volume on future day k: ``E_k = (1 - g_k) M8 + g_k M26`` with M_n the mean amount issued on the same weekday in the last
n weeks and ``g_k = min(1, k / 42)``: recent weeks lead at first, half a year of them later, because eight weeks alone
lose to a plain 13-week mean. Lag from issue to cash: amount-weighted Kaplan-Meier per **issue weekday**, since terms
and pay-runs make the lag depend on the day of the week.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import NO_DAYS
from duecourse.core.calendar import weekday as weekday
from duecourse.science.forecast.inflow_calendar import day_scale
from duecourse.science.forecast.shocks import Floats, Integers

WEEK = 7
RECENT_WEEKS, LONG_WEEKS, LEAST_WEEKS = 8, 26, 4
GLIDE_DAYS = 42  # over six weeks the rate moves from the recent weeks to the long ones
LAG_WINDOW_DAYS, LAG_HORIZON_DAYS = 150, 120
LEAST_INVOICES_A_WEEKDAY = 200
NOT_PAID = np.iinfo(np.int64).max


@dataclass(frozen=True)
class IssuedHistory:
    """Invoices of one currency known at ``as_of`` (epoch day): issue day, amount in minor units, and paid day.

    ``paid_day`` is ``NOT_PAID`` where the invoice is still open. Shapes (n,). ``holidays`` are epoch days, sorted, past
    and coming, on which the business itself rests. On the first ``usual_days`` coming days only the share
    ``usual_share`` (n,) of each amount is expected again, because the rest is known already, invoice by invoice.
    """

    as_of: int
    issue_day: Integers
    paid_day: Integers
    amount_minor: Integers
    holidays: Integers = field(default_factory=lambda: NO_DAYS)
    usual_share: Floats | None = None
    usual_days: int = 0

    @cached_property
    def weeks(self) -> int:
        """Whole weeks of full business before ``as_of``.

        Exports often begin with a thin tail of old invoices (only those that were still open, or paid late). Weeks
        before the first one that reaches half the median weekly amount are not business of normal volume.
        """
        if not len(self.issue_day):
            return 0
        back = (self.as_of - 1 - self.issue_day) // WEEK
        amount = np.bincount(back, self.amount_minor)
        full = np.flatnonzero(amount >= 0.5 * np.median(amount[amount > 0]))
        oldest_week_is_whole = (self.as_of - int(self.issue_day.min())) % WEEK == 0
        last = int(full.max())
        return last + 1 if last < len(amount) - 1 or oldest_week_is_whole else last


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


def lag_cdf(history: IssuedHistory) -> Floats:
    """P(paid within j days of issue) by issue weekday, j = 0..119; shape (7, 120).

    Amount-weighted Kaplan-Meier over the invoices of the last 150 days, the open ones censored at ``as_of``. A weekday
    with fewer than 200 invoices uses all of them.
    """
    recent = history.issue_day >= history.as_of - LAG_WINDOW_DAYS
    issue, paid, amount = (a[recent] for a in (history.issue_day, history.paid_day, history.amount_minor))
    lag = np.where(paid == NOT_PAID, history.as_of - 1 - issue, paid - issue)
    event = paid != NOT_PAID
    pooled = _kaplan_meier(lag, event, amount)
    rows = []
    for day in range(WEEK):
        mine = weekday(issue) == day
        enough = int(mine.sum()) >= LEAST_INVOICES_A_WEEKDAY
        rows.append(_kaplan_meier(lag[mine], event[mine], amount[mine]) if enough else pooled)
    return np.stack(rows)


def _kaplan_meier(lag: Integers, event: npt.NDArray[np.bool_], weight: Integers) -> Floats:
    """1 - S(j), j = 0..119, each invoice weighted by its amount (Kaplan and Meier 1958, weighted)."""
    inside = np.clip(lag, 0, LAG_HORIZON_DAYS)
    leaving = np.bincount(inside, weight, minlength=LAG_HORIZON_DAYS + 1)
    paying = np.bincount(inside[event], weight[event], minlength=LAG_HORIZON_DAYS + 1)
    at_risk = leaving[::-1].cumsum()[::-1]
    hazard = np.divide(paying, at_risk, out=np.zeros(at_risk.shape), where=at_risk > 0)
    return 1.0 - np.cumprod(1.0 - hazard)[:LAG_HORIZON_DAYS]


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
    pmf = np.diff(lag_cdf(history), axis=1, prepend=0.0)
    ahead = weekday(history.as_of + np.arange(days, dtype=np.int64))
    for k in range(days):
        reach = min(days - k, LAG_HORIZON_DAYS)
        cash[:, k : k + reach] += volume[:, [k]] * pmf[ahead[k], :reach]
    return cash
