"""Draws of the cash from invoices not issued yet, by copying whole past days with the shocks of the open book.

Future day k copies all invoices of a past day of the same weekday, the days of a coming week those of one random past
week: of the last 8 with probability 1 - g_k, else of the last 26. Each copied invoice gets its lag through the same
shared shocks as the open book (``open_book``), so that a late customer is late on both, and is paid on the day on
which its payer runs payments (``pay_runs``). One level shock a draw stands for the volume itself, as wide as past
quarters missed what was expected of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes, uniform
from duecourse.science.forecast.groups import GroupDraws
from duecourse.science.forecast.inflow import (
    LEAST_WEEKS,
    LONG_WEEKS,
    RECENT_WEEKS,
    expected_scale,
    long_run_share,
    volume_surprise,
    weeks_to_copy,
)
from duecourse.science.forecast.issued import NOT_PAID, WEEK, IssuedHistory
from duecourse.science.forecast.lags import lags_ahead
from duecourse.science.forecast.open_book import Shares
from duecourse.science.forecast.pay_runs import PayRuns, pay_runs
from duecourse.science.forecast.shocks import Codes, Floats, Integers, due_weeks, normals

LEVEL_SHOCK, LEVEL_SHOCK_NEW_BOOK, LARGEST_LEVEL_SHOCK = 0.03, 0.15, 0.5
LARGEST_OF_A_DAY = 400  # invoices of a day that are drawn one by one; the rest moves as one mass with the economy


@dataclass(frozen=True)
class PastInvoices:
    """The invoices of ``history`` by paying parent and due day, row by row with it: what a future day may copy.

    ``customer_id`` says whom a scenario names; without it the paying parent stands for the customer. ``entity_id`` is
    the legal entity ("" where unknown), ``invoice_id`` names an invoice's own shock (without it its row does).
    """

    history: IssuedHistory
    parent_id: npt.NDArray[np.object_]
    due_day: Integers
    customer_id: npt.NDArray[np.object_] | None = None
    entity_id: npt.NDArray[np.object_] | None = None
    invoice_id: npt.NDArray[np.object_] | None = None

    @cached_property
    def own_codes(self) -> Codes:
        """What names the own shock of every invoice."""
        rows = [str(row) for row in range(len(self.parent_id))]
        return key_codes(rows if self.invoice_id is None else self.invoice_id.tolist())

    @cached_property
    def payer(self) -> Integers:
        """The number of every invoice's paying parent in the order of their names."""
        return np.unique(self.parent_id.astype(str), return_inverse=True)[1].reshape(-1).astype(np.int64)


@dataclass(frozen=True)
class Shocks:
    """The shared numbers of a simulation; ``everybody`` has shape (draws,)."""

    seed: int
    shares: Shares
    everybody: Floats
    batch_codes: dict[tuple[str, int], int] = field(default_factory=dict, repr=False)

    def batches(self, parent_id: npt.NDArray[np.object_], week: Integers) -> Codes:
        """Codes of the batches (parent, due week), the same as in the open book; shape (n,)."""
        keys = list(zip(parent_id.tolist(), week.tolist(), strict=True))
        known = self.batch_codes
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        codes = key_codes(f"{parent}\x1f{due_week}" for parent, due_week in unknown)
        known.update(zip(unknown, codes.tolist(), strict=True))
        return np.fromiter((known[key] for key in keys), dtype=np.uint64, count=len(keys))

    def shared(self, stream: str, codes: npt.NDArray[np.uint64], draws: npt.NDArray[np.intp]) -> Floats:
        """One row of normals per code, drawn once for equal codes."""
        unique, inverse = np.unique(codes, return_inverse=True)
        result: Floats = normals(self.seed, stream, unique, draws)[inverse]
        return result


@dataclass(frozen=True)
class Copying:
    """What all copies of one simulation share: the past, the shocks, and when each payer runs payments.

    ``amount_spread`` is how much the logarithm of a copy's amount departs from that of the invoice copied.
    """

    past: PastInvoices
    shocks: Shocks
    runs: PayRuns
    parent_codes: Codes
    amount_spread: float


@dataclass(frozen=True)
class CopiedDay:
    """One past day copied to future day ``ahead`` in the draws ``draws``.

    ``amount_minor`` (rows,) is what each copy counts: the past amount times the factors of the future day.
    """

    ahead: int
    rows: npt.NDArray[np.intp]
    draws: npt.NDArray[np.intp]
    amount_minor: Floats


def simulate_inflow(
    past: PastInvoices,
    *,
    days: int,
    draws: int,
    seed: int,
    shares: Shares | None = None,
    groups: Sequence[GroupDraws] = (),
) -> Integers:
    """Simulated cash in minor units from invoices not issued yet, shape (draws, days).

    ``groups`` are filled with the same draws, week by week; they must be empty.
    """
    from scipy.special import ndtri

    cash = np.zeros((draws, days), dtype=np.float64)
    history = past.history
    if not len(history.issue_day) or not days:
        return cash.astype(np.int64)
    threshold = ndtri(lags_ahead(history, days))
    copying = copying_of(past, inflow_shocks(seed, shares or Shares(), draws), days)
    for copy in copied_days(history, days, draws, seed, codes=past.own_codes):
        lags = threshold[copy.ahead]
        largest = largest_first(copy.amount_minor)
        rows, amount = copy.rows[largest], drawn_amounts(copying, copy, largest)
        paid = paid_days(copying, copy, rows, lags, lateness(copying, copy, rows))
        _add(cash, copy, paid, amount)
        for group in groups:
            group.add_past(rows, copy.draws, paid, amount)
        small = np.delete(np.arange(len(copy.rows)), largest)
        if len(small):
            _add_mass(cash, copy, small, (lags, copying.shocks, groups))
    level = level_shock(history, draws, seed)
    for group in groups:
        group.scale(level)
    result: Integers = np.rint(cash * level[:, None]).astype(np.int64)
    return result


def inflow_shocks(seed: int, shares: Shares, draws: int) -> Shocks:
    """The shocks of a simulation, keyed so that every simulation with this seed has the same."""
    return Shocks(seed, shares, normals(seed, "everybody", key_codes(["all"]), draws)[0])


def copying_of(past: PastInvoices, shocks: Shocks, days: int) -> Copying:
    """What the copies of a simulation over ``days`` days share."""
    runs = pay_runs(past.history, past.payer, int(past.payer.max(initial=-1)) + 1, days)
    return Copying(past, shocks, runs, key_codes(past.parent_id.tolist()), amount_spread(past.history))


def amount_spread(history: IssuedHistory) -> float:
    """Bandwidth of a kernel over the logarithms of the amounts of the last 26 weeks; 0 where fewer than two are known.

    The next invoice is no copy of a past one: ``.9 min(sd, IQR / 1.34) n^(-1/5)`` (Silverman 1986, equation 3.31). It
    widens the bands of a small book with few large invoices and hardly those of a large one.
    """
    recent = history.amount_minor[history.issue_day >= history.as_of - WEEK * LONG_WEEKS]
    logs = np.log(np.maximum(recent, 1))
    if len(logs) < 2:
        return 0.0
    first, third = np.quantile(logs, (0.25, 0.75))
    return float(0.9 * min(logs.std(), (third - first) / 1.34) * len(logs) ** -0.2)


def level_shock(history: IssuedHistory, draws: int, seed: int) -> Floats:
    """The factor on the volume of each draw, shape (draws,): as wide as past quarters missed what was expected."""
    level = LEVEL_SHOCK if history.weeks >= RECENT_WEEKS else LEVEL_SHOCK_NEW_BOOK
    level = max(level, min(volume_surprise(history) or 0.0, LARGEST_LEVEL_SHOCK))
    shock: Floats = np.exp(level * normals(seed, "inflow level", key_codes(["all"]), draws)[0])
    return shock


def largest_first(amount_minor: Integers | Floats) -> npt.NDArray[np.intp]:
    """Places of a day's invoices that are drawn one by one, the largest first; the others move as one mass."""
    return np.argsort(-amount_minor, kind="stable")[:LARGEST_OF_A_DAY]


def copied_days(
    history: IssuedHistory, days: int, draws: int, seed: int, *, codes: Codes | None = None
) -> Iterator[CopiedDay]:
    """Which past day each future day copies, grouped: all draws that copy the same day together.

    ``codes`` put the invoices of a day in an order that does not depend on their rows.
    """
    weeks = max(1, history.weeks)
    recent, long = min(RECENT_WEEKS, weeks), min(LONG_WEEKS, weeks)
    order = np.lexsort((np.arange(len(history.issue_day)) if codes is None else codes, history.issue_day))
    by_day = history.issue_day[order]
    share, scale = long_run_share(days), expected_scale(history, days)
    usual = history.amount_minor * (1.0 if history.usual_share is None else history.usual_share)
    step = np.arange(draws, dtype=np.uint64)
    for ahead in range(days):
        # one past week for all days of a coming week: what is issued together stays together
        which, pick = (uniform(seed, f"inflow {name} {ahead // WEEK}", step) for name in ("rate", "week"))
        choices = [weeks_to_copy(history, ahead, span) for span in (recent, long)]
        chosen = [choice[(pick * len(choice)).astype(np.int64)] for choice in choices]
        back = np.where(which < share[ahead], chosen[1], chosen[0])
        counted = usual if ahead < history.usual_days else history.amount_minor
        for week in np.unique(back):
            day = history.as_of + ahead % WEEK - WEEK * int(week)
            if weeks < LEAST_WEEKS:  # too new for weekdays: any of the known days
                day = history.as_of - 1 - (ahead + int(week) * 5) % max(1, weeks * WEEK)
            first, last = np.searchsorted(by_day, (day, day + 1))
            if last > first:
                rows = order[first:last]
                yield CopiedDay(ahead, rows, np.flatnonzero(back == week), counted[rows] * scale[ahead])


def drawn_amounts(copying: Copying, copy: CopiedDay, which: npt.NDArray[np.intp]) -> Floats:
    """Amounts of the copies at the places ``which`` in minor units, around what was copied; shape (which, draws)."""
    past, spread = copying.past, copying.amount_spread
    own = normals(copying.shocks.seed, f"amount {copy.ahead}", past.own_codes[copy.rows[which]], copy.draws)
    result: Floats = copy.amount_minor[which][:, None] * np.exp(spread * own - spread**2 / 2)
    return result


def lateness(copying: Copying, copy: CopiedDay, rows: npt.NDArray[np.intp]) -> Floats:
    """Standard normals of shape (rows, copy.draws): how late each copied invoice is, with the open book's shocks."""
    past, shocks, shares = copying.past, copying.shocks, copying.shocks.shares
    shift = past.history.as_of + copy.ahead - past.history.issue_day[rows]
    own = normals(shocks.seed, f"copy {copy.ahead}", past.own_codes[rows], copy.draws)
    z: Floats = np.sqrt(shares.own) * own
    z += np.sqrt(shares.everybody) * shocks.everybody[copy.draws]
    if shares.customer > 0:
        z += np.sqrt(shares.customer) * shocks.shared("customer", copying.parent_codes[rows], copy.draws)
    if shares.batch > 0:
        codes = shocks.batches(past.parent_id[rows], due_weeks(past.due_day[rows] + shift))
        z += np.sqrt(shares.batch) * shocks.shared("batch", codes, copy.draws)
    return z


def paid_days(
    copying: Copying, copy: CopiedDay, rows: npt.NDArray[np.intp], lags: Floats, z: Floats
) -> Integers:  # fmt: skip
    """Day after ``as_of`` on which each copy is paid, shape of ``z``; ``NOT_PAID`` beyond the horizon of the lags."""
    from scipy.special import ndtr

    lag = np.searchsorted(lags, z)
    paid: Integers = np.where(lag < len(lags), copy.ahead + lag, NOT_PAID)
    if not copying.runs.nearest.shape[1]:
        return paid
    chance = ndtr(copying.shocks.shared("pay runs", copying.parent_codes[rows], copy.draws))
    return copying.runs.moved(paid, copying.past.payer[rows], chance, copy.ahead)


def _add(cash: Floats, copy: CopiedDay, paid: Integers, amount: Floats) -> None:
    """Adds each invoice's amount (rows, draws) on the day it is paid, for the draws of this copy."""
    days = cash.shape[1]
    inside = paid < days
    draw = np.broadcast_to(copy.draws, paid.shape)
    np.add.at(cash.reshape(-1), draw[inside] * days + paid[inside], amount[inside])


def _add_mass(
    cash: Floats, copy: CopiedDay, small: npt.NDArray[np.intp], how: tuple[Floats, Shocks, Sequence[GroupDraws]]
) -> None:
    """Adds many small invoices as one mass: given the economy's shock their shares paid by each lag are certain."""
    from scipy.special import ndtr

    lags, shocks, groups = how
    reach = min(cash.shape[1] - copy.ahead, len(lags))
    economy = np.sqrt(shocks.shares.everybody) * shocks.everybody[copy.draws]
    by_lag = ndtr((lags[None, :reach] - economy[:, None]) / np.sqrt(1.0 - shocks.shares.everybody))
    on_day = np.diff(by_lag, axis=1, prepend=0.0)
    cash[copy.draws, copy.ahead : copy.ahead + reach] += copy.amount_minor[small].sum() * on_day
    for group in groups:
        group.add_mass(copy.rows[small], copy.amount_minor[small], copy.draws, (copy.ahead, on_day))
