"""Days on which a payer can pay, and the exact distribution from "decided in week w" to "cleared on day t".

Days are integers since 1970-01-01. A week is named by its number ``(day + 3) // 7`` (Monday to Sunday). A *schedule* is
one of the ways to run payments: daily, weekly on one of five weekdays, fortnightly on one of ten, or month end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from duecourse.science.simulate.world import World

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EPOCH = date(1970, 1, 1)
DAILY, FIRST_WEEKLY, FIRST_FORTNIGHTLY, MONTH_END = 0, 1, 6, 16
SCHEDULES = 17
PAY_DAYS = 5  # a decision falls on one of the five weekdays of its week with equal chance
LAG_WIDTH = 36  # days from pay-run to posting that can occur, with room for closed days
FIRST_WIDTH = 91  # days from the Monday of the decision to the posting of the (first) payment
REMAINDER_WEEKS = (2, 3, 4, 5, 6)  # a part payment's rest is decided that many weeks after the first part
REST_WIDTH = FIRST_WIDTH + 7 * REMAINDER_WEEKS[-1]
FULL_WIDTH = FIRST_WIDTH + REST_WIDTH


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def to_date(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=int(number))


def week_of(day: Ints) -> Ints:
    """The number of the week that a day lies in."""
    return (day + 3) // 7


def monday_of(week: Ints) -> Ints:
    """The Monday of a week."""
    return week * 7 - 3


@dataclass(frozen=True)
class PayCalendar:
    """Tables over the days ``first_day ..`` and the weeks ``first_week ..`` of one simulated company.

    ``run[schedule, day]`` next pay-run on or after a day; ``lag[day, x]`` P(posted x days after a pay-run on that
    day); ``first[schedule, week, x]`` P(first payment posted x days after the Monday | decided in that week);
    ``rest[schedule, week, x]`` the same for the rest of a part payment whose first part was posted in that week;
    ``month_end[week]`` whether the last business day of a month lies in the week; ``season[week]`` logit shift.
    """

    first_day: int
    first_week: int
    next_business: Ints
    run: Ints
    lag: Floats
    first: Floats
    rest: Floats
    month_end: npt.NDArray[np.bool_]
    season: Floats

    @property
    def weeks(self) -> int:
        """Number of weeks in the tables."""
        return int(self.month_end.size)

    def after_bank(self, run_day: Ints, business_days: Ints) -> Ints:
        """The day on which money arrives that left on ``run_day`` and needs so many business days."""
        day = self.next_business[run_day - self.first_day]
        for step in range(int(business_days.max(initial=0))):
            further = self.next_business[day + 1 - self.first_day]
            day = np.where(business_days > step, further, day)
        return day


def pay_calendar(world: World, start: date, end: date) -> PayCalendar:
    """The tables for a company with invoices issued from ``start`` to ``end`` (and everything that follows them)."""
    first_week = int(week_of(np.array([day_number(start)]))[0])
    last_week = int(week_of(np.array([day_number(end)]))[0])
    weeks = last_week - first_week + world.payer.max_weeks + 45
    first_day = first_week * 7 - 3
    days = np.arange(first_day, first_day + 7 * weeks + 200)
    dates = [to_date(int(day)) for day in days]
    closed = set(world.bank.closed)
    business = np.array([day.weekday() < 5 and not closed & {f"{day:%m-%d}", day.isoformat()} for day in dates])
    next_business = np.empty(days.size, dtype=np.int64)
    upcoming = int(days[-1]) + 1
    for at in range(days.size - 1, -1, -1):
        upcoming = int(days[at]) if business[at] else upcoming
        next_business[at] = upcoming
    run = _pay_runs(days, dates, next_business, business)
    lag = _lags(world, days, next_business)
    first = _first_payments(run, lag, weeks, first_day)
    return PayCalendar(
        first_day=first_day,
        first_week=first_week,
        next_business=next_business,
        run=run,
        lag=lag,
        first=first,
        rest=_rests(first),
        month_end=_has_month_end(run, weeks, first_day),
        season=_season(world, weeks, first_day),
    )


def _pay_runs(days: Ints, dates: list[date], next_business: Ints, business: npt.NDArray[np.bool_]) -> Ints:
    run = np.empty((SCHEDULES, days.size), dtype=np.int64)
    horizon = days.size - 1

    def roll(planned: Ints) -> Ints:
        rolled: Ints = next_business[np.minimum(planned - days[0], horizon)]
        return rolled

    run[DAILY] = roll(days)
    for weekday in range(5):
        ahead = (weekday - (days + 3) % 7) % 7
        run[FIRST_WEEKLY + weekday] = roll(days + ahead)
        for parity in range(2):
            planned = days + ahead
            wrong_week = week_of(planned) % 2 != parity
            run[FIRST_FORTNIGHTLY + 2 * weekday + parity] = roll(planned + 7 * wrong_week)
    months = np.array([day.year * 12 + day.month for day in dates])
    last_in_month = {int(month): int(day) for month, day in zip(months[business], days[business], strict=True)}
    this_month = np.array([last_in_month.get(int(month), int(days[-1])) for month in months])
    following = np.array([last_in_month.get(int(month) + 1, int(days[-1])) for month in months])
    run[MONTH_END] = np.where(days <= this_month, this_month, following)
    return run


def _lags(world: World, days: Ints, next_business: Ints) -> Floats:
    bank = world.bank
    lag = np.zeros((days.size, LAG_WIDTH))
    rows = np.arange(days.size - 60)
    arrived = next_business[rows]
    waits = range(bank.unapplied_from_days, bank.unapplied_to_days + 1)
    for step, share in enumerate(bank.business_days):
        if step:
            arrived = next_business[arrived + 1 - days[0]]
        np.add.at(lag, (rows, arrived - days[rows]), share * (1 - bank.unapplied))
        for wait in waits:
            posted = next_business[arrived + wait - days[0]]
            np.add.at(lag, (rows, posted - days[rows]), share * bank.unapplied / len(waits))
    return lag


def _first_payments(run: Ints, lag: Floats, weeks: int, first_day: int) -> Floats:
    first = np.zeros((SCHEDULES, weeks, FIRST_WIDTH))
    monday = first_day + 7 * np.arange(weeks)
    for schedule in range(SCHEDULES):
        for weekday in range(PAY_DAYS):
            run_day = run[schedule, monday + weekday - first_day]
            posted = (run_day - monday)[:, None] + np.arange(LAG_WIDTH)[None, :]
            np.add.at(first[schedule], (np.arange(weeks)[:, None], posted), lag[run_day - first_day] / PAY_DAYS)
    return first


def _rests(first: Floats) -> Floats:
    weeks = first.shape[1]
    rest = np.zeros((SCHEDULES, weeks, REST_WIDTH))
    for ahead in REMAINDER_WEEKS:
        usable = weeks - ahead
        rest[:, :usable, 7 * ahead : 7 * ahead + FIRST_WIDTH] += first[:, ahead:] / len(REMAINDER_WEEKS)
    return rest


def cleared_by_parts(first: Floats, rest: Floats, part: float) -> Floats:
    """P(cleared x days after the Monday | decided in that week), shape (schedule, week, FULL_WIDTH).

    ``first`` may be cut (zeros before some day): then only payments from that day on are counted, so that "no part
    payment was seen so far" is conditioned on exactly.
    """
    weeks = first.shape[1]
    full = np.zeros((*first.shape[:2], FULL_WIDTH))
    full[:, :, :FIRST_WIDTH] = (1 - part) * first
    for later in range(FIRST_WIDTH // 7 if part else 0):
        in_week = first[:, : weeks - later, 7 * later : 7 * later + 7].sum(axis=2)
        full[:, : weeks - later, 7 * later : 7 * later + REST_WIDTH] += part * in_week[:, :, None] * rest[:, later:]
    return full


def _has_month_end(run: Ints, weeks: int, first_day: int) -> npt.NDArray[np.bool_]:
    monday = first_day + 7 * np.arange(weeks)
    has: npt.NDArray[np.bool_] = run[MONTH_END, monday - first_day] <= monday + 4
    return has


def _season(world: World, weeks: int, first_day: int) -> Floats:
    shift = np.zeros(weeks)
    for week in range(weeks):
        wednesday = to_date(first_day + 7 * week + 2)
        if wednesday.month == 8:
            shift[week] = world.payer.august_logit
        elif (wednesday.month, wednesday.day) >= (12, 20):
            shift[week] = world.payer.year_end_logit
    return shift
