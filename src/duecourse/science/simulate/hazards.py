"""The weekly chances of one invoice: deciding to pay, being disputed, promised or written off.

One place for the formulas, used by the payers that live the truth and by the oracle that knows it. All functions
broadcast: parameters may have one value per invoice, or one per invoice and candidate payer.

    logit hazard = logit(hazard of the type) + intercept + age_logit * weeks overdue + month end + season
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.simulate.pay_calendar import Floats, Ints, PayCalendar, monday_of, week_of
from duecourse.science.simulate.world import PayerType, World


@dataclass(frozen=True)
class PayerParameters:
    """The parameters of payers as arrays of one broadcastable shape."""

    late: Floats
    logit_hazard: Floats
    month_end_logit: Floats
    write_off: Floats
    promise_kept: Floats
    dispute_per_week: Floats
    intercept: Floats


@dataclass(frozen=True)
class Decidable:
    """Invoices as the payers see them: due day, first week in which they can be decided, weeks in the early window."""

    due: Ints
    first_week: Ints
    early_weeks: Ints


def payer_parameters(world: World, kind: Ints, intercept: Floats) -> PayerParameters:
    """Parameters of payers of the types ``kind`` (index in the world's order) with these intercepts."""
    types: Sequence[PayerType] = tuple(world.types.values())

    def of(values: list[float]) -> Floats:
        return np.array(values, dtype=np.float64)[kind]

    weeks = world.disputing.weeks
    return PayerParameters(
        late=of([each.late for each in types]),
        logit_hazard=of([_logit(each.hazard) for each in types]),
        month_end_logit=of(
            [_logit(each.month_end_hazard or each.hazard) + world.payer.month_end_logit * (not each.month_end_hazard)
             for each in types]
        ),
        write_off=of([each.write_off for each in types]),
        promise_kept=of([each.promise_kept for each in types]),
        dispute_per_week=of([1 - (1 - each.disputes) ** (1 / weeks) for each in types]),
        intercept=intercept,
    )  # fmt: skip


def decidable(world: World, issued: Ints, due: Ints) -> Decidable:
    """When the invoices can be decided: from the week after issue on."""
    first_week = week_of(issued) + 1
    window_end = due - world.payer.plan_ahead_days
    # A payer never decides on an invoice before it has it, so short terms leave fewer early weeks.
    window_start = np.maximum(monday_of(first_week), window_end - world.payer.window_days)
    early = np.maximum(week_of(window_end - 1) - week_of(window_start + 6) + 1, 0)
    return Decidable(due=due, first_week=first_week, early_weeks=early)


def decide_hazard(world: World, calendar: PayCalendar, who: PayerParameters, invoices: Decidable, week: int) -> Floats:
    """P(decided in ``week`` | undecided before, no dispute), shape of the broadcast parameters and invoices."""
    payer = world.payer
    monday = week * 7 - 3
    overdue = monday - invoices.due
    at = week - calendar.first_week
    ends_month = bool(calendar.month_end[at])
    usual = (who.month_end_logit if ends_month else who.logit_hazard) + payer.age_logit * np.maximum(overdue, 0) / 7
    early_chance = 1 - who.late ** (1 / np.maximum(invoices.early_weeks, 1))
    early = np.log(early_chance / (1 - early_chance)) + payer.month_end_logit * ends_month
    is_early = overdue < -payer.plan_ahead_days
    logit = np.where(is_early, early, usual) + who.intercept + calendar.season[at]
    open_window = (overdue >= -payer.plan_ahead_days - payer.window_days) & (week >= invoices.first_week)
    hazard: Floats = np.where(open_window, 1 / (1 + np.exp(-logit)), 0.0)
    return hazard


def weeks_overdue(due: Ints, week: int) -> Ints:
    """Whole weeks overdue on the Monday of ``week``; negative before the due date."""
    return (week * 7 - 3 - due) // 7


def write_off_chance(world: World, who: PayerParameters, due: Ints, week: int) -> Floats:
    """P(written off in ``week`` | undecided before)."""
    age = weeks_overdue(due, week)
    rate = who.write_off * (1 + np.maximum(age, 0) * world.write_off.slope)
    chance: Floats = np.where(age >= world.write_off.from_week, np.minimum(rate, 1.0), 0.0)
    return chance


def dispute_chance(world: World, who: PayerParameters, first_week: Ints, week: int) -> Floats:
    """P(a dispute is opened on the Monday of ``week`` | undecided, none so far)."""
    step = week - first_week
    chance: Floats = np.where((step >= 0) & (step < world.disputing.weeks), who.dispute_per_week, 0.0)
    return chance


def is_called(world: World, due: Ints, week: int) -> npt.NDArray[np.bool_]:
    """Whether the ladder of the history calls about an invoice in that week, were it open and undisputed."""
    return np.isin(weeks_overdue(due, week), world.contacting.call_weeks)


def _logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))
