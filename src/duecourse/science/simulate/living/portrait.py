"""``portrait``: the measures by which a living world is compared with real books (the bands of its calibration).

All are shares of invoices or of money over the invoices due in the followed weeks of one run; see the docs page for
the bands and where they come from.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.state import RESOLVED, State
from duecourse.science.simulate.living.view import CALLS, MAILS, promise_outcomes
from duecourse.science.simulate.pay_calendar import Floats, Ints, week_of

AGES_DAYS = (0, 91, 182, 365)
NEVER_PAID = 10**6


def portrait(house: House) -> dict[str, float]:
    """Measure -> value for a house whose run is over; nan where a measure has no cases."""
    nature, state = house.nature, house.state
    cohort = week_of(nature.orders.due)
    rows = np.flatnonzero(state.placed & (cohort >= nature.first_week + 12) & (cohort < house.week - 26))
    late = np.where(state.paid[rows] == NEVER, NEVER_PAID, state.paid[rows] - nature.orders.due[rows])
    return {
        **_lateness(nature, state, rows, late),
        **_ageing(nature, state, house.week),
        "icc": _within_customer(nature, rows, np.clip(late, -30, 120).astype(np.float64)),
        **_remittances(nature, state, rows),
        **_quarrels(state, rows, late),
        **_conversations(nature, state, house.week),
    }


def _lateness(nature: Nature, state: State, rows: Ints, late: Ints) -> dict[str, float]:
    paid = late < NEVER_PAID
    amount = nature.orders.amount_minor[rows]
    lost = state.written_off[rows] != NEVER
    return {
        "late": float((late > 0).mean()), "late 30": float((late > 30).mean()), "late 60": float((late > 60).mean()),
        "late 90": float((late > 90).mean()), "lost": float(amount[lost].sum() / amount.sum()),
        "mean days late": float(np.maximum(late[paid], -30).mean()),
        "median days of the late": float(np.median(late[paid & (late > 0)])),
    }  # fmt: skip


def _ageing(nature: Nature, state: State, week: int) -> dict[str, float]:
    """Share paid in the end of what is overdue now, and is so since 3, 6, 12 months (money)."""
    due, amount = nature.orders.due, nature.orders.amount_minor
    result = {}
    for age in AGES_DAYS:
        seen_at = due + max(age, 1)
        old = state.placed & (seen_at < (week - 26) * 7) & (due > nature.first_week * 7)
        still = old & ((state.paid == NEVER) | (state.paid > seen_at))
        still &= (state.written_off == NEVER) | (state.written_off > seen_at)
        ever = still & (state.paid != NEVER)
        result[f"paid in the end, {age} days"] = (
            float(amount[ever].sum() / amount[still].sum()) if still.any() else np.nan
        )
    return result


def _within_customer(nature: Nature, rows: Ints, late: Floats) -> float:
    """One-way analysis of variance: share of the variance of lateness that lies between customers."""
    owner = nature.orders.customer[rows]
    size = np.bincount(owner)
    many = size[owner] >= 2
    owner, late = owner[many], late[many]
    size = np.bincount(owner)
    size, sums = size[size > 0], np.bincount(owner, late)[size > 0]
    squares = np.bincount(owner, late**2)[np.bincount(owner) > 0]
    means, total = sums / size, float(size.sum())
    groups = size.size
    within = float((squares - size * means**2).sum()) / (total - groups)
    between = float((size * (means - late.mean()) ** 2).sum()) / (groups - 1)
    typical = (total - float((size**2).sum()) / total) / (groups - 1)
    return (between - within) / (between + (typical - 1) * within)


def _remittances(nature: Nature, state: State, rows: Ints) -> dict[str, float]:
    paid = rows[state.paid[rows] != NEVER]
    day = state.posted[paid]
    key = nature.invoice_point[paid] * 100_000 + day
    _, number = np.unique(key, return_inverse=True)
    size = np.bincount(number)
    money = nature.orders.amount_minor[paid]
    week = week_of(day)
    inside = (week >= week.min() + 8) & (week < week.max() - 30)
    per_week = np.bincount(week[inside] - week[inside].min(), money[inside])
    ends = nature.calendar.month_end[np.arange(per_week.size) + week[inside].min() - nature.calendar.first_week]
    return {
        "cleared with another": float((size[number] > 1).mean()),
        "remittances of one": float((size == 1).mean()),
        "month-end week / mean week": float(per_week[ends].mean() / per_week.mean()),
        "cleared on a weekend": float(((day + 3) % 7 >= 5).mean()),
    }


def _quarrels(state: State, rows: Ints, late: Ints) -> dict[str, float]:
    disputed = state.dispute_opened[rows] != NEVER
    return {
        "disputed": float(disputed.mean()),
        "late if disputed, more": float((late[disputed] > 0).mean() - (late[~disputed] > 0).mean()),
        "disputes resolved": float((state.dispute[rows][disputed] == RESOLVED).mean()),
    }


def _conversations(nature: Nature, state: State, week: int) -> dict[str, float]:
    contacts = state.contacts
    arm, reached = contacts.ints("arm"), contacts.ints("reached")
    calls, mails = np.isin(arm, CALLS), np.isin(arm, MAILS)
    outcome = promise_outcomes(nature, state, week * 7 - 3)
    opted = (state.complaints.ints("kind") == 0).sum()
    return {
        "promises": float(outcome.size),
        "promises kept": float((outcome == 1).sum() / max((outcome > 0).sum(), 1)),
        "calls reached": float((reached[calls] == 1).mean()) if calls.any() else np.nan,
        "replies per mail": float(len(state.replies) / max(mails.sum(), 1)),
        "opt-outs per mail": float(opted / max(mails.sum(), 1)),
    }
