"""From hazards per period to hazards and cdfs per day, and back to dates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import weekday
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.rows import Rows

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def daily_hazard(
    landmarks: Landmarks, rows: Rows, hazard: FloatArray, config: TimingConfig, paying: BoolArray
) -> FloatArray:
    """Hazard of each day j = 0..horizon-1, 0 on non-paying days; shape (n, horizon).

    The hazard B of a bin with n paying days is spread as ``1 - (1 - B)^(1/n)`` over each of them.
    """
    result = np.zeros((len(landmarks), config.horizon))
    daily = rows.width == 1
    result[rows.owner[daily], rows.offset[daily]] = hazard[daily]
    each = 1.0 - (1.0 - hazard[~daily]) ** (1.0 / max(int(paying.sum()), 1))
    for step in range(7):
        result[rows.owner[~daily], rows.offset[~daily] + step] = each
    return np.where(paying_days(landmarks, config.horizon, paying), result, 0.0)


def paying_days(landmarks: Landmarks, horizon: int, paying: BoolArray) -> BoolArray:
    """Whether somebody may pay on day j of each landmark; shape (n, horizon)."""
    first = weekday(landmarks.day)
    result: BoolArray = paying[(first[:, None] + np.arange(horizon)[None, :]) % 7]
    return result


def cdf_from_hazard(hazard: FloatArray) -> FloatArray:
    """F(j) = 1 - prod_{v <= j} (1 - h(v)); shape as given."""
    return np.asarray(1.0 - np.cumprod(1.0 - hazard, axis=1), dtype=np.float64)


def quantile_day(cdf: FloatArray, share: float) -> IntArray:
    """Smallest j with F(j) >= share, the horizon where there is none; shape (n,)."""
    reached = cdf >= share
    result: IntArray = np.where(reached.any(axis=1), reached.argmax(axis=1), cdf.shape[1]).astype(np.int64)
    return result


def shifted(cdf: FloatArray, days: IntArray) -> FloatArray:
    """The same curves begun ``days`` earlier (0 until they begin), cut at the same length; shape as given."""
    position = np.arange(cdf.shape[1])[None, :] - days[:, None]
    rows = np.arange(len(cdf))[:, None]
    return np.where(position >= 0, cdf[rows, np.maximum(position, 0)], 0.0)
