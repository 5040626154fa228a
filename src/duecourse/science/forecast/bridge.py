"""``bridge``: why a forecast moved, as steps that add up to the cent, and the customers behind it.

Two forecasts of the same calendar days are compared, an older one (``before``) and a newer one (``after``). The outlook
of a window is what came in since ``before`` plus what is still expected. On means, in this order:

1. cash received: invoices that paid since; what came inside the window less what was expected of them in it;
2. time passing: the others, with their old curves given that they have not paid;
3. new invoices: what came and what is expected of them, less what the inflow part had set aside for these days;
4. credits, disputes, promises: amounts that changed without cash, and curves under a promise;
5. changed curves: the old model with the new facts, customer by customer;
6. inflow rate: invoices not issued yet, at the new rate and lags;
7. model refit: the curves of the new model less those of the old one.

Every state between two steps is rounded to whole minor units customer by customer; what is then missing to the total
goes to the line without a customer, so that steps and customers both add up. On P50 one more line, the band shift,
makes up the difference to the mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from duecourse.science.forecast.inflow import inflow_mean, issue_volume
from duecourse.science.forecast.issued import IssuedHistory
from duecourse.science.forecast.lags import LAG_HORIZON_DAYS, lags_ahead
from duecourse.science.forecast.open_book import Floats, Integers, OpenItems

RECEIVED, TIME, NEW, AMOUNTS, CURVES, INFLOW, REFIT, BAND = (
    "cash_received", "time_passing", "new_invoices", "credits_disputes_promises", "changed_curves", "inflow_rate",
    "model_refit", "band_shift",
)  # fmt: skip
STEPS = (RECEIVED, TIME, NEW, AMOUNTS, CURVES, INFLOW, REFIT)
NAMED_CUSTOMERS = 10
COLUMNS = {"step": pl.String(), "parent_id": pl.String(), "change_minor": pl.Int64()}
_NOBODY = ""  # stands for "no single customer": invoices not issued yet, and roundings

State = dict[str, float]  # payer -> outlook of the window between two steps, minor units with fractions


@dataclass(frozen=True)
class Side:
    """One forecast of one currency for the bridge: what is open, what was issued, and what the screen showed.

    ``items`` with curves of the forecast's own model; ``old_curves`` (of ``after`` only), row by row with ``items``:
    the curves that ``before``'s model gives, None where the model is the same. ``promised``: ids of invoices under a
    live promise. ``mean_minor``: what the screen showed per day, open and new together, from ``as_of`` on.
    ``p50_minor``: of the window, if known.
    """

    as_of: date
    items: OpenItems
    history: IssuedHistory
    mean_minor: Integers
    old_curves: Floats | None = None
    promised: frozenset[str] = field(default_factory=frozenset)
    p50_minor: int | None = None


@dataclass(frozen=True)
class _Invoice:
    """One invoice of one side, its parts taken together: payer, amount, and amount paid by each day (days,)."""

    parent_id: str
    amount_minor: int
    cdf: Floats


def bridge(before: Side, after: Side, cash: pl.DataFrame, window: tuple[date, date]) -> pl.DataFrame:
    """Columns step, parent_id (null: no single customer), change_minor; one row per step and customer that changed.

    ``cash``: ``received.cash_received`` at ``after.as_of``, of this currency. ``window``: first and last day. The rows
    add up to outlook(after) - outlook(before) on the mean; with ``p50_minor`` on both sides a row ``band_shift`` makes
    it the change of the P50. Raises ValueError for forecasts in the wrong order, or a window that neither covers.
    """
    first, last = window
    if after.as_of < before.as_of or first < before.as_of or last < first:
        raise ValueError(f"a bridge needs before <= after and a window from {before.as_of} on, got {window}")
    states = _States(before, after, cash, window).all()
    came = int(_inside(cash, before.as_of, after.as_of, window).get_column("amount_minor").sum())
    totals = [round(sum(state.values())) for state in states]
    totals[0], totals[-1] = _shown(before, window), _shown(after, window) + came
    keys = sorted({_NOBODY, *(key for state in states for key in state)})
    whole = [_in_whole_units(state, keys, total) for state, total in zip(states, totals, strict=True)]
    rows: list[tuple[str, str | None, int]] = [
        (step, key or None, later[key] - earlier[key])
        for step, earlier, later in zip(STEPS, whole[:-1], whole[1:], strict=True)
        for key in keys
        if later[key] != earlier[key]
    ]
    if before.p50_minor is not None and after.p50_minor is not None:
        rows.append((BAND, None, after.p50_minor + came - before.p50_minor - (totals[-1] - totals[0])))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def movers(steps: pl.DataFrame, count: int = NAMED_CUSTOMERS) -> pl.DataFrame:
    """The customers with the largest share of the change: parent_id, change_minor, main_step; largest first."""
    by_customer = steps.drop_nulls("parent_id").sort(pl.col("change_minor").abs(), "step", descending=[True, False])
    return (
        by_customer.group_by("parent_id", maintain_order=True)
        .agg(pl.col("change_minor").sum(), pl.col("step").first().alias("main_step"))
        .sort(pl.col("change_minor").abs(), "parent_id", descending=[True, False])
        .filter(pl.col("change_minor") != 0)
        .head(count)
    )


def by_step(steps: pl.DataFrame) -> pl.DataFrame:
    """step, change_minor of every step in the fixed order, 0 where nothing changed; the band shift where known."""
    sums = dict(steps.group_by("step").agg(pl.col("change_minor").sum()).iter_rows())
    order = [*STEPS, BAND] if BAND in sums else list(STEPS)
    return pl.DataFrame({"step": order, "change_minor": [int(sums.get(step, 0)) for step in order]})


class _States:
    """The outlook after each step, customer by customer."""

    def __init__(self, before: Side, after: Side, cash: pl.DataFrame, window: tuple[date, date]) -> None:
        self.before, self.after = before, after
        self.gap = (after.as_of - before.as_of).days
        self.span = ((window[0] - before.as_of).days, (window[1] - before.as_of).days + 1)
        self.old, self.new = _by_invoice(before.items, before.items.cdf), _by_invoice(after.items, after.items.cdf)
        same = after.old_curves is None
        self.new_old_model = self.new if same else _by_invoice(after.items, np.asarray(after.old_curves))
        since = cash.filter(pl.col("received_on").is_between(before.as_of, after.as_of - timedelta(days=1)))
        self.paid = dict(since.group_by("invoice_id").agg(pl.col("amount_minor").sum()).iter_rows())
        inside = _inside(cash, before.as_of, after.as_of, window)
        payer = dict(cash.select("invoice_id", "parent_id").unique("invoice_id").iter_rows())
        self.came = {
            invoice: (payer[invoice], amount)
            for invoice, amount in inside.group_by("invoice_id").agg(pl.col("amount_minor").sum()).iter_rows()
        }
        self.promised = before.promised | after.promised

    def all(self) -> list[State]:
        """The states before the first and after each of the seven steps."""
        late, rate = self._inflow_before()
        now = self._inflow_after()
        both = [invoice for invoice in self.old if invoice in self.new]
        known = {invoice: came for invoice, came in self.came.items() if invoice in self.old}
        entered = [self._after(invoice, self.new_old_model) for invoice in self.new if invoice not in self.old]
        settled = [
            self._after(i, self.new_old_model if i in self.promised else self._aged_mass(self.old[i].cdf)) for i in both
        ]
        changed = [self._after(i, self.new_old_model) for i in both]
        return [
            _sum((self._original(i, self.old[i].amount_minor) for i in self.old), rate + late),
            _sum((*(self._original(i, self._left(i)) for i in self.old), *known.values()), rate + late),
            _sum((*(self._conditional(i, self._left(i)) for i in self.old), *known.values()), rate + late),
            _sum((*(self._conditional(i, self._left(i)) for i in self.old), *entered, *self.came.values()), rate),
            _sum((*settled, *entered, *self.came.values()), rate),
            _sum((*changed, *entered, *self.came.values()), rate),
            _sum((*changed, *entered, *self.came.values()), now),
            _sum((*(self._after(i, self.new) for i in self.new), *self.came.values()), now),
        ]

    def _left(self, invoice: str) -> int:
        amount = self.old[invoice].amount_minor
        return amount - min(amount, int(self.paid.get(invoice, 0)))

    def _original(self, invoice: str, amount_minor: int) -> tuple[str, float]:
        """Expected of ``amount_minor`` in the window as ``before`` saw it."""
        one = self.old[invoice]
        return one.parent_id, amount_minor * _mass(one.cdf, *self.span)

    def _conditional(self, invoice: str, amount_minor: int) -> tuple[str, float]:
        """The same, given that it was not paid until ``after``."""
        one = self.old[invoice]
        return one.parent_id, amount_minor * self._aged_mass(one.cdf)

    def _aged_mass(self, cdf: Floats) -> float:
        passed = float(cdf[min(self.gap, len(cdf)) - 1]) if self.gap else 0.0
        ahead = (max(self.span[0], self.gap), self.span[1])
        if ahead[1] <= ahead[0]:
            return 0.0
        if passed >= 1.0:  # it was certain to be paid by now: then it is due on the first day
            return 1.0 if ahead[0] == self.gap else 0.0
        return _mass(cdf, *ahead) / (1.0 - passed)

    def _after(self, invoice: str, curves: dict[str, _Invoice] | float) -> tuple[str, float]:
        """Expected in the window of what is open at ``after``: by its curves, or by a share that is given."""
        one = self.new[invoice]
        if isinstance(curves, float):
            return one.parent_id, one.amount_minor * curves
        return one.parent_id, one.amount_minor * _mass(curves[invoice].cdf, *self._ahead())

    def _ahead(self) -> tuple[int, int]:
        return max(self.span[0] - self.gap, 0), max(self.span[1] - self.gap, 0)

    def _inflow_before(self) -> tuple[float, float]:
        """What ``before`` set aside in the window for invoices issued until ``after``, and for those issued later."""
        first, last = self.span
        history, days = self.before.history, last
        early = np.zeros(days)
        if len(history.issue_day) and self.gap:
            volume = issue_volume(history, days)
            pmf = np.diff(lags_ahead(history, days), axis=1, prepend=0.0)
            for k in range(min(self.gap, days)):
                reach = min(days - k, LAG_HORIZON_DAYS)
                early[k : k + reach] += volume[k] * pmf[k, :reach]
        whole = float(inflow_mean(history, days)[first:last].sum())
        set_aside = float(early[first:last].sum())
        return set_aside, whole - set_aside

    def _inflow_after(self) -> float:
        first, last = self._ahead()
        return float(inflow_mean(self.after.history, last)[first:last].sum()) if last else 0.0


def _by_invoice(items: OpenItems, curves: Floats) -> dict[str, _Invoice]:
    """The rows of one invoice (a part may be promised or disputed) as one: amounts added, curves averaged by amount."""
    found: dict[str, _Invoice] = {}
    rows = zip(items.invoice_id, items.parent_id, items.amount_minor.tolist(), curves, strict=True)
    for invoice, parent, amount, cdf in rows:
        known = found.get(invoice)
        if known is None:
            found[invoice] = _Invoice(parent, amount, cdf)
        elif amount + known.amount_minor:
            total = amount + known.amount_minor
            found[invoice] = _Invoice(parent, total, (amount * cdf + known.amount_minor * known.cdf) / total)
    return found


def _mass(cdf: Floats, first: int, last: int) -> float:
    """P(paid on days first..last - 1); nothing beyond the end of the curve."""
    if last <= first:
        return 0.0
    end = float(cdf[min(last, len(cdf)) - 1])
    return end - (float(cdf[min(first, len(cdf)) - 1]) if first else 0.0)


def _sum(parts: Iterable[tuple[str, float]], inflow: float) -> State:
    state: State = {_NOBODY: inflow}
    for parent, amount in parts:
        state[parent] = state.get(parent, 0.0) + amount
    return state


def _inside(cash: pl.DataFrame, since: date, until: date, window: tuple[date, date]) -> pl.DataFrame:
    """Cash of the window that came on ``since`` or later and before ``until``."""
    day = pl.col("received_on")
    return cash.filter((day >= since) & (day < until) & day.is_between(*window))


def _shown(side: Side, window: tuple[date, date]) -> int:
    """What the screen of one side expected in the window, from its own day on."""
    first, last = (max((day - side.as_of).days, 0) for day in window)
    return int(side.mean_minor[first : last + 1].sum()) if window[1] >= side.as_of else 0


def _in_whole_units(state: State, keys: Sequence[str], total: int) -> dict[str, int]:
    """Each customer rounded; nobody's line takes what is missing to ``total``."""
    whole = {key: round(state.get(key, 0.0)) for key in keys if key != _NOBODY}
    whole[_NOBODY] = total - sum(whole.values())
    return whole
