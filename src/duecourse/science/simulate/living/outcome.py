"""``Outcome``: what a run brought, by the week in which invoices were due; money in major units.

Every invoice is followed from its due date for the same number of weeks; what is open then is worth a share of itself.
Value is discounted to the due date. So a late win is credited to the week of the invoice, not to that of the cash.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.state import State
from duecourse.science.simulate.living.view import open_amount
from duecourse.science.simulate.pay_calendar import Floats, Ints, week_of

FIGURES = (
    "invoices", "balance", "cash", "value", "cost", "relationship", "mails", "calls", "minutes", "written_off",
    "paid_4_weeks", "billed",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One row per cohort (week of the due date) and figure of ``FIGURES``, shape (cohorts, figures).

    ``invoices`` and ``balance`` count what was still unpaid the day after its due date, ``paid_4_weeks`` how many of
    those were paid within 28 days. ``cash``, ``value`` (discounted cash and terminal value), ``cost`` and
    ``relationship`` (annoyance and the margin of lost orders) are of all invoices due in that week,
    and so is ``billed`` (faces).
    """

    first_week: int
    figures: Floats
    complaints: int
    opt_outs: int

    def total(self, figure: str, *, since: int = 0, until: int | None = None) -> float:
        """Sum over the cohorts ``since`` .. ``until`` (weeks from the start, the last one not included)."""
        return float(self.figures[since:until, FIGURES.index(figure)].sum())

    def net(self, *, since: int = 0, until: int | None = None) -> float:
        """Discounted value less cost and relationship price, major units."""
        value, cost, relation = (self.total(what, since=since, until=until)
                                 for what in ("value", "cost", "relationship"))  # fmt: skip
        return value - cost - relation

    def net_share(self, *, since: int = 0, until: int | None = None) -> float:
        """Net value of the overdue balance in % of it: what was billed and not lost, late or spent."""
        balance, billed = (
            self.total("balance", since=since, until=until),
            self.total("billed", since=since, until=until),
        )
        return 100 * (1 - (billed - self.net(since=since, until=until)) / balance)

    def frame(self) -> pl.DataFrame:
        """The cohorts as a table: ``week`` from the start of the policy, and every figure."""
        columns = {name: self.figures[:, at] for at, name in enumerate(FIGURES)}
        return pl.DataFrame({"week": np.arange(self.figures.shape[0]), **columns})


def settle(nature: Nature, state: State, weeks: int) -> Outcome:
    """The outcome of a run for the ``weeks`` cohorts from ``nature.start_week`` on."""
    cohort = week_of(nature.orders.due) - nature.start_week
    rows = np.flatnonzero((cohort >= 0) & (cohort < weeks) & (state.placed | state.churned))
    worth, due = nature.world.worth, nature.orders.due[rows]
    end = due + 7 * nature.world.span.follow_weeks
    cash, value = money(nature, state, rows, end)
    late = _unpaid_after(state, rows, due) & state.placed[rows]
    price = nature.orders.amount_minor[rows] / 100
    lost = (state.written_off[rows] != NEVER) & (state.written_off[rows] < end) & state.placed[rows]
    quick = late & (state.paid[rows] != NEVER) & (state.paid[rows] <= due + 28)
    columns = [late, late * price, cash, value, state.cost[rows], state.annoyance[rows], state.mails[rows],
               state.calls[rows], state.minutes[rows], lost * price, quick, price]  # fmt: skip
    figures = np.stack([np.bincount(cohort[rows], column, minlength=weeks) for column in columns], axis=1).astype(
        np.float64
    )
    # A lost order goes on unseen and costs its margin: its bad debt is not saved, its face was never owed.
    margin = worth.order_margin * price * state.churned[rows]
    figures[:, FIGURES.index("relationship")] += np.bincount(cohort[rows], margin, minlength=weeks)
    kinds = state.complaints.ints("kind")[state.complaints.ints("day") >= nature.start_week * 7 - 3]
    return Outcome(nature.start_week, figures, int((kinds == 1).sum()), int((kinds == 0).sum()))


def _unpaid_after(state: State, rows: Ints, due: Ints) -> Flags:
    late: Flags = ((state.paid[rows] == NEVER) | (state.paid[rows] > due)) & (
        (state.written_off[rows] == NEVER) | (state.written_off[rows] > due)
    )
    return late


def money(nature: Nature, state: State, rows: Ints, end: Ints) -> tuple[Floats, Floats]:
    """Cash until ``end`` and its discounted value with what is then left, per invoice, major units."""
    worth, latent, due = nature.world.worth, nature.latent, nature.orders.due[rows]
    owed = open_amount(nature, state, rows) / 100
    payable = owed * (1 - latent.short_share[rows])
    split = state.rest_posted[rows] != NEVER
    first = np.where(split, latent.first_share[rows], 1.0) * payable
    first = np.where(state.discounted[rows], first * (1 - nature.world.terms.discount), first)
    rest = np.where(split, payable - latent.first_share[rows] * payable, 0.0)
    cash, value, left = np.zeros(rows.size), np.zeros(rows.size), payable.copy()
    for day, amount in ((state.posted[rows], first), (state.rest_posted[rows], rest)):
        came = (day != NEVER) & (day <= end)
        cash += came * amount
        value += came * amount * _discount(worth.discount_per_week, day - due)
        left -= came * (amount if amount is rest else np.where(split, amount, payable))
    lost = (state.written_off[rows] != NEVER) & (state.written_off[rows] <= end)
    recovery = np.where(lost & state.recovered[rows], latent.recovery[rows] * left, 0.0)
    last = np.minimum(week_of(end), nature.last_week) - nature.first_week
    kind = nature.inboxes.kind[last, nature.invoice_point[rows]]
    bad = kind == list(nature.world.company.types).index("insolvent")
    terminal = np.where(lost, recovery, left * np.where(bad, worth.open_insolvent, worth.open))
    value += terminal * _discount(worth.discount_per_week, np.where(lost, state.written_off[rows], end) - due)
    return cash, value


def _discount(per_week: float, days: Ints) -> Floats:
    return np.exp(-per_week * np.maximum(days, 0) / 7)
