"""Is the whole distribution right? Probability integral transforms, their tails, and D-calibration with censoring.

u = F(y-1) + V (F(y) - F(y-1)) is uniform on [0, 1] when F is the truth (V uniform, keyed by invoice, because F has
jumps). A case that is unpaid at its horizon h is only known to have u > F(h-1): its unit of mass is spread evenly over
(F(h-1), 1], as in D-calibration (Haider, Hoehn, Davis and Greiner 2020, "Effective ways to build and evaluate
individual survival distributions", JMLR 21).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BINS = 10


@dataclass(frozen=True)
class Pit:
    """One value per case: u where ``paid``, else the lower bound F(h-1) above which u is known to lie."""

    value: Floats
    paid: Flags


@dataclass(frozen=True, slots=True)
class Uniformity:
    """How far the PIT is from uniform: shares in ten bins, both tails (target .10 each), distance, chi-square p."""

    histogram: tuple[float, ...]
    below_10: float
    above_90: float
    distance: float
    d_calibration_p: float


def pit(cdf: Floats, paid_after: Days, draw: Floats, horizon: int) -> Pit:
    """PIT of each case: ``cdf`` (n, >= horizon), ``paid_after`` (n,) days, ``draw`` (n,) uniform numbers V."""
    row = np.arange(paid_after.size)
    paid = paid_after < horizon
    day = np.minimum(paid_after, horizon - 1)
    at = cdf[row, day]
    before = np.where(day > 0, cdf[row, np.maximum(day - 1, 0)], 0.0)
    return Pit(np.where(paid, before + draw * (at - before), at), paid)


def uniformity(values: Pit) -> Uniformity:
    """Histogram, tails, largest distance to the uniform and D-calibration of PIT values."""
    histogram = _mass_below(values, np.linspace(0.0, 1.0, BINS + 1)[1:])
    shares = np.diff(histogram, prepend=0.0)
    return Uniformity(
        histogram=tuple(float(share) for share in shares),
        below_10=float(shares[0]),
        above_90=float(shares[-1]),
        distance=_distance(values),
        d_calibration_p=_chi_square_p(shares * values.value.size),
    )


def _mass_below(values: Pit, at: Floats, side: Literal["left", "right"] = "right") -> Floats:
    """Share of the mass up to each point of ``at`` (itself included: right), censored mass spread above its bound."""
    u = np.sort(values.value[values.paid])
    mass = np.searchsorted(u, at, side=side).astype(np.float64)
    bound = np.sort(values.value[~values.paid])
    bound = bound[bound < 1.0]  # a curve that reached 1 too early puts its case at 1 itself
    if bound.size:
        # The spread of one case is (t - b) / (1 - b) above b; prefix sums add all cases with b <= t at once.
        slope = np.concatenate([[0.0], np.cumsum(1.0 / (1.0 - bound))])
        offset = np.concatenate([[0.0], np.cumsum(bound / (1.0 - bound))])
        below = np.searchsorted(bound, at, side="right")
        mass += at * slope[below] - offset[below]
    result: Floats = mass / values.value.size
    if side == "right":
        result[at >= 1.0] = 1.0
    return result


def _distance(values: Pit) -> float:
    """Kolmogorov-Smirnov distance to the uniform: the distribution is linear between its own points."""
    points = np.unique(np.clip(values.value, 0.0, 1.0))
    return float(
        max(
            np.abs(_mass_below(values, points) - points).max(),
            np.abs(_mass_below(values, points, "left") - points).max(),
        )
    )


def _chi_square_p(counts: Floats) -> float:
    """P(a chi-square with 9 degrees of freedom exceeds the statistic of ten equal bins)."""
    from scipy.stats import chi2

    expected = counts.sum() / counts.size
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, counts.size - 1))
