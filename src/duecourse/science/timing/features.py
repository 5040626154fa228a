"""The feature matrix of the hazard model: one row per (landmark, day), every column as-of the landmark's known day.

``Features(facts)`` prepares the books once; ``landmark_columns`` gives what is the same on all days of a landmark,
``rows`` joins it with what changes by the day. Column names and order: ``feature_names``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import day_of_month, days_to_month_end, weekday
from duecourse.science.timing.calendar_days import CalendarDays, book_country, calendar_days
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.features_account import ACCOUNT_NAMES, SIBLING_NAMES, Account
from duecourse.science.timing.features_arrears import ARREARS_NAMES, Arrears
from duecourse.science.timing.features_day import DAY_NAMES, PayDays, own_delay_pattern
from duecourse.science.timing.features_habit import HABIT_NAMES, PaymentDays, habit_features
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

INVOICE_NAMES = (
    "amount_log", "amount_to_average_log", "terms_days", "days_late_at_landmark", "age_at_landmark", "due_weekday",
    "due_day_of_month", "due_to_month_end", "group", "part_paid_share", "days_since_part",
)  # fmt: skip
LANDMARK_NAMES = HABIT_NAMES + ACCOUNT_NAMES + SIBLING_NAMES + ARREARS_NAMES + INVOICE_NAMES
FEATURE_NAMES = LANDMARK_NAMES + DAY_NAMES


class Features:
    """The books prepared for as-of features; build once per ``Facts``, ask for any landmarks.

    ``groups`` is the list of group names that the model knows (its codes are positions in it, -1 for others).
    """

    def __init__(self, facts: Facts, *, horizon: int, groups: tuple[str, ...]) -> None:
        self.facts = facts
        self.calendar = _calendar(facts, horizon)
        self.payment_days = PaymentDays(facts)
        self.account = Account(facts)
        self.pay_days = PayDays(facts, self.calendar)
        self.arrears = Arrears(facts)
        known = {name: position for position, name in enumerate(groups)}
        self.group_code = np.array([known.get(name, -1) for name in facts.groups], dtype=np.int64)

    def landmark_columns(self, landmarks: Landmarks) -> Float32Array:
        """The columns of ``LANDMARK_NAMES``; float32, shape (n, 38)."""
        facts, invoice = self.facts, landmarks.invoice
        habit = habit_features(facts, landmarks, self.payment_days)
        account = self.account.features(landmarks)
        amount_log = np.log1p(np.maximum(facts.amount[invoice], 0.0))
        due = facts.due[invoice]
        part_share, since_part = facts.parts.before(invoice, landmarks.known_day)
        own = np.column_stack(
            [
                amount_log,
                amount_log - habit[:, HABIT_NAMES.index("average_amount_log")],
                due - facts.issue[invoice],
                landmarks.day - due,
                landmarks.day - facts.issue[invoice],
                weekday(due),
                day_of_month(due),
                days_to_month_end(due),
                self.group_code[facts.group[invoice]],
                part_share,
                since_part,
            ]
        )
        return np.column_stack([habit, account, self.arrears.features(landmarks), own]).astype(np.float32)

    def rows(
        self, landmarks: Landmarks, columns: Float32Array, owner: IntArray, offset: IntArray, width: IntArray
    ) -> Float32Array:
        """Full matrix for rows (landmark ``owner``, first day ``day + offset``, ``width`` days); float32, (m, 54)."""
        facts = self.facts
        result = np.empty((len(owner), len(FEATURE_NAMES)), dtype=np.float32)
        result[:, : len(LANDMARK_NAMES)] = columns[owner]
        day = landmarks.day[owner] + offset
        invoice = landmarks.invoice[owner]
        days_late = day - facts.due[invoice]
        since = columns[owner, LANDMARK_NAMES.index("days_since_payment")] + offset
        gap = np.maximum(columns[owner, LANDMARK_NAMES.index("payment_gap_median")], 1)
        place = self.calendar.at(day)
        daily = width == 1
        on_weekday, on_month_day = self.calendar.weekday[place], self.calendar.day_of_month[place]
        cdf, hazard = own_delay_pattern(facts, landmarks, owner, days_late)
        weekday_share = self.pay_days.weekday_share(landmarks, owner, on_weekday)
        result[:, len(LANDMARK_NAMES) :] = np.column_stack(
            [
                days_late,
                day - facts.issue[invoice],
                np.where(daily, on_weekday, np.nan),
                on_month_day,
                self.calendar.to_month_end[place],
                on_month_day <= 3,
                np.where(daily, self.calendar.holiday[place], np.nan),
                since,
                since / gap,
                days_late - columns[owner, LANDMARK_NAMES.index("delay_p50")],
                width,
                np.where(daily, weekday_share, np.nan),
                self.pay_days.month_day_share(landmarks, owner, on_month_day),
                cdf,
                hazard,
                columns[owner, LANDMARK_NAMES.index("days_since_part")] + offset,
            ]
        )
        return result


def _calendar(facts: Facts, horizon: int) -> CalendarDays:
    """Every day on which something was paid or may be scored."""
    paid = facts.paid_on[facts.paid_on < NEVER]
    starts = [facts.as_of, int(facts.issue.min(initial=facts.as_of)), int(paid.min(initial=facts.as_of))]
    ends = [facts.as_of, int(facts.issue.max(initial=facts.as_of)), int(paid.max(initial=facts.as_of))]
    return calendar_days(min(starts), max(ends) + horizon, book_country(facts))
