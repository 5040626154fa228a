"""``empirical_cdf``: what the customer has paid, as a payment-date distribution; the baseline ``customer_empirical``.

With G the delays (days late) of everything the book is known to have paid, E the customer's last 50 and n their number,
``C = w E + (1 - w) G``, ``w = n / (n + 5)``; given still open with ``d0`` days late at the landmark,
``F(j) = (C(d0 + j) - C(d0 - 1)) / max(1 - C(d0 - 1), .001)``, clipped to [0, 1].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

HISTORY = 50  # most recent payments that make the customer's own distribution
PRIOR_PAYMENTS = 5  # the book counts as this many payments of the customer
SMALLEST_OPEN_SHARE = 0.001  # beyond all that was ever seen, the conditional cdf rests on this share at least
_BLOCK = 20_000  # landmarks at a time: bounds the memory at about 30 MB per 178-day block


def empirical_cdf(facts: Facts, landmarks: Landmarks, horizon: int, *, book_day: int) -> FloatArray:
    """F(j | still open) for j = 0..horizon-1 from the customer's own delays mixed with the book's; shape (n, horizon).

    The customer's part is as-of each landmark's ``known_day``, the book's part as-of ``book_day``. In a book without
    any payment before that day the cdf is 0 throughout.
    """
    result = np.empty((len(landmarks), horizon))
    for first in range(0, len(landmarks), _BLOCK):
        part = landmarks.take(slice(first, first + _BLOCK))
        days_late = part.day - facts.due[part.invoice]
        own, count = own_distribution(facts, part, days_late, horizon)
        book = book_distribution(facts, book_day, days_late, horizon)
        weight = (count / (count + PRIOR_PAYMENTS))[:, None]
        result[first : first + len(part)] = conditional_on_open(weight * own + (1 - weight) * book)
    return result


def conditional_on_open(mixed: FloatArray) -> FloatArray:
    """F(j) from C at d0 - 1, d0, ..., d0 + horizon - 1; shape (n, horizon + 1) -> (n, horizon)."""
    before = mixed[:, :1]
    result: FloatArray = np.clip((mixed[:, 1:] - before) / np.maximum(1 - before, SMALLEST_OPEN_SHARE), 0.0, 1.0)
    return result


def own_distribution(
    facts: Facts, landmarks: Landmarks, days_late: IntArray, horizon: int
) -> tuple[FloatArray, IntArray]:
    """E(d0 - 1 + k) for k = 0..horizon of each landmark's customer, and its number of payments (at most 50)."""
    n = len(landmarks)
    rows = facts.last_cleared(facts.customer[landmarks.invoice], landmarks.known_day, HISTORY)
    present = rows >= 0
    delay = facts.paid_on[rows] - facts.due[rows] if len(facts) else rows
    column = np.clip(delay - (days_late[:, None] - 1), 0, horizon + 1)
    cell = np.arange(n)[:, None] * (horizon + 2) + column
    counts = np.bincount(cell[present], minlength=n * (horizon + 2)).reshape(n, horizon + 2)
    count = present.sum(axis=1).astype(np.int64)
    cumulated = counts[:, : horizon + 1].cumsum(axis=1)
    return cumulated / np.maximum(count, 1)[:, None], count


def book_distribution(facts: Facts, book_day: int, days_late: IntArray, horizon: int) -> FloatArray:
    """G(d0 - 1 + k) for k = 0..horizon: delays of all that was known to be paid before ``book_day``."""
    past = np.sort((facts.paid_on - facts.due)[facts.cleared[facts.paid_known[facts.cleared] < book_day]])
    grid = days_late[:, None] - 1 + np.arange(horizon + 1)[None, :]
    return np.searchsorted(past, grid, side="right") / max(past.size, 1)
