"""Draws of the cash from invoices not issued yet, by copying whole past days with the shocks of the open book.

Future day k copies all invoices of a random past day of the same weekday: of the last 8 weeks with probability 1 - g_k,
else of the last 26. Each copied invoice gets its lag through the same shared shocks as the open book
(``open_book``), so that a late customer is late on both. One level shock a draw stands for the volume itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes, uniform
from duecourse.science.forecast.inflow import (
    LEAST_WEEKS,
    LONG_WEEKS,
    RECENT_WEEKS,
    WEEK,
    IssuedHistory,
    lag_cdf,
    long_run_share,
    weekday,
)
from duecourse.science.forecast.open_book import Floats, Integers, Shares, due_weeks, normals

LEVEL_SHOCK, LEVEL_SHOCK_NEW_BOOK = 0.03, 0.15
LARGEST_OF_A_DAY = 400  # invoices of a day that are drawn one by one; the rest moves as one mass with the economy


@dataclass(frozen=True)
class PastInvoices:
    """The invoices of ``history`` by paying parent and due day, row by row with it: what a future day may copy.

    ``customer_id`` says whom a scenario names; without it the paying parent stands for the customer.
    """

    history: IssuedHistory
    parent_id: npt.NDArray[np.object_]
    due_day: Integers
    customer_id: npt.NDArray[np.object_] | None = None


@dataclass(frozen=True)
class Shocks:
    """The shared numbers of a simulation; ``everybody`` has shape (draws,)."""

    seed: int
    shares: Shares
    everybody: Floats

    def shared(self, stream: str, codes: npt.NDArray[np.uint64], draws: npt.NDArray[np.intp]) -> Floats:
        """One row of normals per code, drawn once for equal codes."""
        unique, inverse = np.unique(codes, return_inverse=True)
        result: Floats = normals(self.seed, stream, unique, draws)[inverse]
        return result


@dataclass(frozen=True)
class CopiedDay:
    """One past day copied to future day ``ahead`` in the draws ``draws``."""

    ahead: int
    rows: npt.NDArray[np.intp]
    draws: npt.NDArray[np.intp]


def simulate_inflow(past: PastInvoices, *, days: int, draws: int, seed: int, shares: Shares | None = None) -> Integers:
    """Simulated cash in minor units from invoices not issued yet, shape (draws, days)."""
    from scipy.special import ndtri

    shares = shares or Shares()
    cash = np.zeros((draws, days), dtype=np.float64)
    history = past.history
    if not len(history.issue_day):
        return cash.astype(np.int64)
    threshold = ndtri(lag_cdf(history))
    shocks = inflow_shocks(seed, shares, draws)
    parent_codes = key_codes(past.parent_id.tolist())
    for copy in copied_days(history, days, draws, seed):
        lags = threshold[int(weekday(np.array([history.as_of + copy.ahead]))[0])]
        amount = history.amount_minor[copy.rows]
        largest = largest_first(amount)
        rows = copy.rows[largest]
        z = lateness(past, copy, rows, parent_codes[rows], shocks)
        _add(cash, copy, z, lags, history.amount_minor[rows])
        rest = float(amount.sum() - amount[largest].sum())
        if rest > 0:
            _add_mass(cash, copy, rest, lags, shocks)
    result: Integers = np.rint(cash * level_shock(history, draws, seed)[:, None]).astype(np.int64)
    return result


def inflow_shocks(seed: int, shares: Shares, draws: int) -> Shocks:
    """The shocks of a simulation, keyed so that every simulation with this seed has the same."""
    return Shocks(seed, shares, normals(seed, "everybody", key_codes(["all"]), draws)[0])


def level_shock(history: IssuedHistory, draws: int, seed: int) -> Floats:
    """The factor on the volume of each draw, shape (draws,)."""
    level = LEVEL_SHOCK if history.weeks >= RECENT_WEEKS else LEVEL_SHOCK_NEW_BOOK
    shock: Floats = np.exp(level * normals(seed, "inflow level", key_codes(["all"]), draws)[0])
    return shock


def largest_first(amount_minor: Integers) -> npt.NDArray[np.intp]:
    """Places of a day's invoices that are drawn one by one, the largest first; the others move as one mass."""
    return np.argsort(-amount_minor, kind="stable")[:LARGEST_OF_A_DAY]


def copied_days(history: IssuedHistory, days: int, draws: int, seed: int) -> Iterator[CopiedDay]:
    """Which past day each future day copies, grouped: all draws that copy the same day together."""
    weeks = max(1, history.weeks)
    recent, long = min(RECENT_WEEKS, weeks), min(LONG_WEEKS, weeks)
    order = np.argsort(history.issue_day, kind="stable")
    by_day = history.issue_day[order]
    share = long_run_share(days)
    step = np.arange(draws, dtype=np.uint64)
    for ahead in range(days):
        which, pick = (uniform(seed, f"inflow {name} {ahead}", step) for name in ("rate", "week"))
        span = np.where(which < share[ahead], long, recent)
        back = (pick * span).astype(np.int64) + 1
        for week in np.unique(back):
            day = history.as_of + ahead % WEEK - WEEK * int(week)
            if weeks < LEAST_WEEKS:  # too new for weekdays: any of the known days
                day = history.as_of - 1 - (ahead + int(week) * 5) % max(1, weeks * WEEK)
            first, last = np.searchsorted(by_day, (day, day + 1))
            if last > first:
                yield CopiedDay(ahead, np.sort(order[first:last]), np.flatnonzero(back == week))


def lateness(
    past: PastInvoices, copy: CopiedDay, rows: npt.NDArray[np.intp], parent_code: npt.NDArray[np.uint64], shocks: Shocks
) -> Floats:
    """Standard normals of shape (rows, copy.draws): how late each copied invoice is, with the open book's shocks."""
    history, shares = past.history, shocks.shares
    shift = history.as_of + copy.ahead - history.issue_day[rows]
    weeks = due_weeks(past.due_day[rows] + shift)
    batch_keys = [f"{parent}\x1f{week}" for parent, week in zip(past.parent_id[rows], weeks, strict=True)]
    own_keys = key_codes([f"{copy.ahead}\x1f{row}" for row in rows])
    z: Floats = np.sqrt(shares.own) * normals(shocks.seed, "copy", own_keys, copy.draws)
    z += np.sqrt(shares.everybody) * shocks.everybody[copy.draws]
    if shares.customer > 0:
        z += np.sqrt(shares.customer) * shocks.shared("customer", parent_code, copy.draws)
    if shares.batch > 0:
        z += np.sqrt(shares.batch) * shocks.shared("batch", key_codes(batch_keys), copy.draws)
    return z


def _add(cash: Floats, copy: CopiedDay, z: Floats, lags: Floats, amount_minor: Integers) -> None:
    """Adds each invoice's amount on the day it is paid, for the draws of this copy."""
    days = cash.shape[1]
    paid = copy.ahead + np.searchsorted(lags, z)
    inside = paid < days
    draw = np.broadcast_to(copy.draws, paid.shape)
    weight = np.broadcast_to(amount_minor[:, None], paid.shape)
    np.add.at(cash, (draw[inside], paid[inside]), weight[inside])


def _add_mass(cash: Floats, copy: CopiedDay, amount: float, lags: Floats, shocks: Shocks) -> None:
    """Adds many small invoices as one mass: given the economy's shock their shares paid by each lag are certain."""
    from scipy.special import ndtr

    reach = min(cash.shape[1] - copy.ahead, len(lags))
    economy = np.sqrt(shocks.shares.everybody) * shocks.everybody[copy.draws]
    by_lag = ndtr((lags[None, :reach] - economy[:, None]) / np.sqrt(1.0 - shocks.shares.everybody))
    cash[copy.draws, copy.ahead : copy.ahead + reach] += amount * np.diff(by_lag, axis=1, prepend=0.0)
