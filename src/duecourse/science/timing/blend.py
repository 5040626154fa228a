"""Mixing the model's hazard with the hazard of the customer's own past, day by day.

``h(x) = (1 - a(x)) h_model + a(x) h_own`` with ``a(x) = max(a, 20 / (20 + n(x)) * w(x) / (w(x) + 20))``: n(x) payments
of the book came x days after the due date or later, w(x) invoices were watched at x and never paid. Trees know nothing
about delays at which they saw hardly a payment and answer as they do for the debts next to them; where many debts were
watched in vain, counting does better (ADR 0023). Mixing hazards, unlike mixing cdfs, leaves days on which nobody pays
at zero; one curve then serves both dates and cash.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.curves import paying_days
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.own_hazard import UnpaidBook, book_counts, own_hazard

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

DOUBT_PAYMENTS = 20  # payments at a delay or beyond at which the trees would count for half
WATCHED_IN_VAIN = 20  # unpaid invoices at which counting is believed by half


def blended_hazards(
    model_hazard: FloatArray, facts: Facts, landmarks: Landmarks, *, weights: Sequence[float], paying: BoolArray
) -> list[FloatArray]:
    """The mixed hazard for each weight a, with h_own from ``own_hazard``; 0 on non-paying days; shapes (n, horizon)."""
    horizon = model_hazard.shape[1]
    own = own_hazard(facts, landmarks, horizon)
    days = paying_days(landmarks, horizon, paying)
    return [mixed(model_hazard, own, own_weights(facts, landmarks, horizon, weight=weight), days) for weight in weights]


def mixed(model_hazard: FloatArray, own: FloatArray, weights: FloatArray, paying: BoolArray) -> FloatArray:
    """(1 - a) h_model + a h_own where anybody pays, else 0; all shapes (n, horizon)."""
    return np.where(paying, (1.0 - weights) * model_hazard + weights * own, 0.0)


def own_weights(facts: Facts, landmarks: Landmarks, horizon: int, *, weight: float) -> FloatArray:
    """a(x) of each day of each landmark, from what was known on its ``known_day``; shape (n, horizon)."""
    days_late = (landmarks.day - facts.due[landmarks.invoice])[:, None] + np.arange(horizon)[None, :]
    counts = book_counts(facts, UnpaidBook(facts), landmarks.known_day, days_late)
    doubt = DOUBT_PAYMENTS / (DOUBT_PAYMENTS + counts.paid_later)
    return np.maximum(weight, doubt * counts.watched / (counts.watched + WATCHED_IN_VAIN))
