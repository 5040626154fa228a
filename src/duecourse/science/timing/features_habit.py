"""How a customer has paid before: the habit and recent families of features, as-of each landmark's known day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.empirical import HISTORY
from duecourse.science.timing.facts import NEVER, Facts, customer_day_key
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PERCENTILES = (0.10, 0.25, 0.50, 0.75, 0.90)
PERCENTILE_HISTORY = 20
GAP_DAYS = 10  # payment days whose gaps make the median gap
HABIT_NAMES = (
    "paid_count", "delay_mean", "delay_sd", "delay_p10", "delay_p25", "delay_p50", "delay_p75", "delay_p90",
    "share_late", "share_late_15", "average_amount_log", "delay_last", "delay_mean_3", "delay_second", "delay_third",
    "days_since_payment", "payment_gap_median",
)  # fmt: skip


class PaymentDays:
    """The distinct days on which each customer paid, in order of the day the books learnt of it."""

    def __init__(self, facts: Facts) -> None:
        customer, known = facts.customer[facts.cleared], facts.paid_known[facts.cleared]
        new_day = np.ones(len(known), dtype=bool)
        new_day[1:] = (customer[1:] != customer[:-1]) | (known[1:] != known[:-1])
        self.customer, self.day = customer[new_day], known[new_day]
        self.key = customer_day_key(self.customer, self.day)

    def last(self, customer: IntArray, before: IntArray, count: int) -> FloatArray:
        """The last ``count`` payment days before a day, newest first, NaN where there are fewer; shape (n, count)."""
        end = np.searchsorted(self.key, customer_day_key(customer, before), side="left")
        start = np.searchsorted(self.key, customer_day_key(customer, np.full_like(before, -NEVER)), side="left")
        position = end[:, None] - 1 - np.arange(count)[None, :]
        inside = position >= start[:, None]
        if not len(self.day):
            return np.full(position.shape, np.nan)
        return np.where(inside, self.day[np.where(inside, position, 0)].astype(np.float64), np.nan)


def sorted_delays(facts: Facts, landmarks: Landmarks) -> tuple[FloatArray, IntArray]:
    """Last 50 delays of each landmark's customer in rising order (infinite at the end), and their number."""
    delay = delays(facts, landmarks)
    count = np.isfinite(delay).sum(axis=1).astype(np.int64)
    return np.sort(np.where(np.isfinite(delay), delay, np.inf), axis=1), count


def delays(facts: Facts, landmarks: Landmarks) -> FloatArray:
    """Last 50 delays (days late) of each landmark's customer, newest first, NaN where there are fewer; (n, 50)."""
    rows = facts.last_cleared(facts.customer[landmarks.invoice], landmarks.known_day, HISTORY)
    if not len(facts):
        return np.full(rows.shape, np.nan)
    return np.where(rows >= 0, (facts.paid_on[rows] - facts.due[rows]).astype(np.float64), np.nan)


def habit_features(facts: Facts, landmarks: Landmarks, days: PaymentDays) -> FloatArray:
    """The columns of ``HABIT_NAMES`` for each landmark, NaN where there is no past; shape (n, 17)."""
    customer = facts.customer[landmarks.invoice]
    rows = facts.last_cleared(customer, landmarks.known_day, HISTORY)
    present = rows >= 0
    count = present.sum(axis=1)
    delay = np.where(present, (facts.paid_on[rows] - facts.due[rows]).astype(np.float64), 0.0)
    n = np.where(count > 0, count, np.nan)
    mean = delay.sum(axis=1) / n
    spread = np.where(present, delay - np.nan_to_num(mean)[:, None], 0.0)
    variance = (spread**2).sum(axis=1) / np.where(count > 1, count - 1, np.nan)
    start, end = facts.history(customer, landmarks.known_day)
    amount = np.where(present, facts.amount[rows], 0.0).sum(axis=1) / n
    last = np.where(present, delay, np.nan)
    recent = np.where(count >= 3, delay[:, :3].sum(axis=1) / 3, mean)
    payment_days = days.last(customer, landmarks.known_day, GAP_DAYS)
    return np.column_stack(
        [
            end - start,
            mean,
            np.sqrt(variance),
            percentiles(last[:, :PERCENTILE_HISTORY], PERCENTILES),
            (present & (delay > 0)).sum(axis=1) / n,
            (present & (delay > 15)).sum(axis=1) / n,
            np.log1p(np.maximum(amount, 0.0)),
            last[:, 0],
            recent,
            last[:, 1:3],
            landmarks.day - payment_days[:, 0],
            percentiles(payment_days[:, :-1] - payment_days[:, 1:], (0.5,)),
        ]
    )


def percentiles(values: FloatArray, shares: tuple[float, ...]) -> FloatArray:
    """Percentiles of each row without its NaN, linear between order statistics; NaN for an empty row; (n, shares)."""
    ordered = np.sort(values, axis=1)  # NumPy puts NaN last
    count = np.isfinite(values).sum(axis=1)
    rows = np.arange(len(values))
    columns = []
    for share in shares:
        place = share * np.maximum(count - 1, 0)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        weight = place - low
        column = (1 - weight) * ordered[rows, low] + weight * ordered[rows, high]
        columns.append(np.where(count > 0, column, np.nan))
    return np.column_stack(columns)
