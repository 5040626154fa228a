"""Mixing the model's hazard with the hazard of the customer's own distribution, day by day.

``h = (1 - a) h_model + a h_own``. Mixing hazards, unlike mixing cdfs, leaves days on which nobody pays at zero; one
curve then serves both dates and cash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.curves import paying_days
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.own_hazard import own_hazard

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def blended_hazard(
    model_hazard: FloatArray, facts: Facts, landmarks: Landmarks, *, weight: float, paying: BoolArray
) -> FloatArray:
    """(1 - a) h_model + a h_own with h_own from ``own_hazard``; 0 on non-paying days; shape (n, horizon)."""
    if weight <= 0 or not len(landmarks):
        return model_hazard
    horizon = model_hazard.shape[1]
    own = own_hazard(facts, landmarks, horizon)
    mixed = (1.0 - weight) * model_hazard + weight * own
    return np.where(paying_days(landmarks, horizon, paying), mixed, 0.0)
