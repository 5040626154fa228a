"""How long it takes from issue to cash: by issue weekday, and by where in the month the money would come.

Terms and weekly pay-runs make the lag depend on the weekday of issue: one amount-weighted Kaplan-Meier curve each.
Monthly pay-runs make it depend on the day it ends on: many payers pay at the end of the month, whatever the invoice.
Each position in the month has a factor on the odds of being paid that day, so that payments expected and seen in it
agree over the last year, drawn to 1 by 20 payments: a book that is small or pays at any time keeps its plain curves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import day_of_month, days_to_month_end, weekday
from duecourse.science.forecast.issued import NOT_PAID, WEEK, IssuedHistory
from duecourse.science.forecast.shocks import Floats, Integers

LAG_WINDOW_DAYS, LAG_HORIZON_DAYS = 150, 120
LEAST_INVOICES_A_WEEKDAY = 200
YEAR_DAYS = 365
POSITIONS = 8
DRAWN_TO_ONE = 20.0  # payments that the factor 1 counts for
_STEPS = 4  # of the fit: the factors hardly move after the third


def lags_ahead(history: IssuedHistory, days: int) -> Floats:
    """P(paid within j days | issued on day k), k = 0..days-1 after ``as_of``, j = 0..119; shape (days, 120)."""
    if not days:
        return np.zeros((0, LAG_HORIZON_DAYS))
    hazard = _hazards(lag_cdf(history))
    issue: Integers = history.as_of + np.arange(days, dtype=np.int64)
    day = issue[:, None] + np.arange(LAG_HORIZON_DAYS)[None, :]
    factor = paying_factors(history)[_positions(day)]
    return np.asarray(1.0 - np.cumprod(1.0 - _at_odds(hazard[weekday(issue)], factor), axis=1), dtype=np.float64)


def paying_position(day: Integers) -> Integers:
    """0 to 5: days 1-2, 3-4, 5-8, 9-15, 16-22 and the rest; 6: third to fifth last day, 7: last two; like ``day``."""
    of_month = np.searchsorted(np.array([2, 4, 8, 15, 22]), day_of_month(day), side="left")
    left = days_to_month_end(day)
    result: Integers = np.where(left <= 1, 7, np.where(left <= 4, 6, of_month)).astype(np.int64)
    return result


def paying_factors(history: IssuedHistory) -> Floats:
    """Factor of each position in the month on the odds of a payment, from the last 365 days; shape (8,)."""
    issued_on, paid, at_risk = _payments_by_issue_day(history, history.as_of - YEAR_DAYS - LAG_HORIZON_DAYS)
    if not len(issued_on):
        return np.ones(POSITIONS)
    lag = np.arange(LAG_HORIZON_DAYS)
    day = issued_on[:, None] + lag[None, :]
    inside = (day >= history.as_of - YEAR_DAYS) & (day < history.as_of)
    cell = (_positions(day) * LAG_HORIZON_DAYS + lag)[inside]
    shape = (POSITIONS, LAG_HORIZON_DAYS)
    seen, risk = (np.bincount(cell, each[inside], shape[0] * shape[1]).reshape(shape) for each in (paid, at_risk))
    of_lag = risk.sum(axis=0)
    usual = np.divide(seen.sum(axis=0), of_lag, out=np.zeros(LAG_HORIZON_DAYS), where=of_lag > 0)[None, :]
    factor = np.ones(POSITIONS)
    for _ in range(_STEPS):
        expected = (risk * _at_odds(usual, factor[:, None])).sum(axis=1)
        factor *= (seen.sum(axis=1) + DRAWN_TO_ONE) / (expected + DRAWN_TO_ONE)
    return factor


def _payments_by_issue_day(history: IssuedHistory, first: int) -> tuple[Integers, Floats, Floats]:
    """Days of issue from ``first`` on, (n,), and the invoices paid after and at risk of each lag; shapes (n, 120)."""
    recent = history.issue_day >= first
    paid_day = history.paid_day[recent]
    issued_on, row = np.unique(history.issue_day[recent], return_inverse=True)
    event = paid_day != NOT_PAID
    lag = np.where(event, paid_day, history.as_of - 1) - issued_on[row]
    cell = row * (LAG_HORIZON_DAYS + 1) + np.clip(lag, 0, LAG_HORIZON_DAYS)
    shape = (len(issued_on), LAG_HORIZON_DAYS + 1)
    leaving, paying = (np.bincount(one, minlength=shape[0] * shape[1]).reshape(shape) for one in (cell, cell[event]))
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
    return issued_on, paying[:, :LAG_HORIZON_DAYS].astype(np.float64), at_risk[:, :LAG_HORIZON_DAYS].astype(np.float64)


def _positions(day: Integers) -> Integers:
    """``paying_position`` of a table of days, each distinct day looked up once."""
    first = int(day.min())
    return paying_position(np.arange(first, int(day.max()) + 1, dtype=np.int64))[day - first]


def _hazards(cdf: Floats) -> Floats:
    before = np.concatenate([np.zeros((len(cdf), 1)), cdf[:, :-1]], axis=1)
    hazard: Floats = np.divide(cdf - before, 1.0 - before, out=np.zeros(cdf.shape), where=before < 1.0)
    return hazard


def _at_odds(hazard: Floats, factor: Floats) -> Floats:
    """The hazard with its odds times ``factor``: what is certain stays certain."""
    result: Floats = factor * hazard / (1.0 - hazard + factor * hazard)
    return result


def lag_cdf(history: IssuedHistory) -> Floats:
    """P(paid within j days of issue) by issue weekday, j = 0..119, on average over the months; shape (7, 120).

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
