"""How far an average may lie from the truth when decisions of one payer depend on each other: three intervals.

``clustered_interval``: sandwich, approximate, for one look. ``betting_bound``: exact for bounded values, wider.
``confidence_sequence``: may be looked at every day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from duecourse.core.ids import uniform
from duecourse.science.evaluate.logged import FloatArray, IntArray

FIRST_LOOK_CLUSTERS = 100
_MOST_STAKED = 0.75  # of the stake that could lose everything
_BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval, in the unit of the values; ``std_error`` None where the method has none."""

    estimate: float
    low: float
    high: float
    std_error: float | None = None

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2

    def holds(self, value: float) -> bool:
        """True when ``value`` lies inside, ends included."""
        return self.low <= value <= self.high

    def scaled(self, factor: float) -> Interval:
        """The interval in another unit; a negative factor turns it round."""
        ends = sorted((self.low * factor, self.high * factor))
        error = None if self.std_error is None else self.std_error * abs(factor)
        return Interval(self.estimate * factor, ends[0], ends[1], error)


def cluster_sums(values: FloatArray, cluster: IntArray) -> tuple[FloatArray, FloatArray]:
    """Per cluster in the order of its code: sum of values and number of rows, each of shape (c,)."""
    _, inverse = np.unique(cluster, return_inverse=True)
    sums: FloatArray = np.bincount(inverse, weights=values).astype(np.float64)
    return sums, np.bincount(inverse).astype(np.float64)


def clustered_error(values: FloatArray, cluster: IntArray) -> float:
    """Standard error of the mean of ``values`` by the sandwich over clusters (Liang and Zeger 1986); inf for one."""
    sums, sizes = cluster_sums(values, cluster)
    number = len(sums)
    if number < 2:
        return math.inf
    off = sums - values.mean() * sizes
    return math.sqrt(float(off @ off) * number / (number - 1)) / len(values)


def clustered_interval(values: FloatArray, cluster: IntArray, *, level: float = 0.95) -> Interval:
    """Mean of ``values`` with the sandwich interval, Student's t with the freedom of ``degrees_of_freedom``."""
    mean, error = float(values.mean()), clustered_error(values, cluster)
    if not math.isfinite(error):
        return Interval(mean, -math.inf, math.inf, error)
    reach = float(stats.t.ppf((1 + level) / 2, degrees_of_freedom(values, cluster))) * error
    return Interval(mean, mean - reach, mean + reach, error)


def degrees_of_freedom(values: FloatArray, cluster: IntArray) -> float:
    """How well the error itself is known: 2 c / (kurtosis - 1) over c clusters, at most c - 1 (Satterthwaite 1946).

    A few heavy weights make the sandwich an average over few clusters in truth; where half of the error comes from a
    handful of payers, the normal quantile would cover too little.
    """
    sums, sizes = cluster_sums(values, cluster)
    off = sums - values.mean() * sizes
    spread = float(np.mean(off**2))
    most = len(sums) - 1.0
    if spread <= 0:
        return most
    kurtosis = float(np.mean(off**4)) / spread**2
    return most if kurtosis <= 1 else min(most, 2 * len(sums) / (kurtosis - 1))


def sequence_factor(n: int, *, planned: int, level: float = 0.95) -> float:
    """Half-width of the asymptotic confidence sequence at n units, in standard deviations of one unit.

    ``sqrt(2 (n r2 + 1)/(n^2 r2) log(sqrt(n r2 + 1)/alpha))``, tightest near ``planned`` units (Waudby-Smith, Arbour,
    Sinha, Kennedy and Ramdas 2021, "Time-uniform central limit theory and asymptotic confidence sequences").
    """
    alpha = 1 - level
    r2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / max(planned, 1)
    return math.sqrt(2 * (n * r2 + 1) / (n * n * r2) * math.log(math.sqrt(n * r2 + 1) / alpha))


def confidence_sequence(
    values: FloatArray, cluster: IntArray, *, planned: int | None = None, level: float = 0.95
) -> Interval:
    """The mean of ``values`` with an interval that holds at all looks together; clusters are the units.

    ``planned`` clusters decide where it is tightest (default: the present number). Infinite before
    ``FIRST_LOOK_CLUSTERS`` clusters, where its normal approximation is not trusted.
    """
    mean, error = float(values.mean()), clustered_error(values, cluster)
    number = len(np.unique(cluster))
    if number < FIRST_LOOK_CLUSTERS or not math.isfinite(error):
        return Interval(mean, -math.inf, math.inf, error)
    spread = error * math.sqrt(number)
    reach = spread * sequence_factor(number, planned=planned or number, level=level)
    return Interval(mean, mean - reach, mean + reach, error)


def betting_bound(
    values: FloatArray, cluster: IntArray, limits: tuple[float, float], *, level: float = 0.975, seed: int = 0
) -> float:
    """What the true mean of ``values`` exceeds with probability ``level``; needs no normal approximation.

    ``limits``: what no value can be below, and what the true mean cannot be above.

    A gambler bets on each cluster in a random order that the mean is above m; the largest m against which the money
    grew to 1/(1 - level) is the bound (Waudby-Smith and Ramdas 2023, "Estimating means of bounded random variables by
    betting"). Stakes depend on earlier clusters only, and no cluster can ruin. Exact for independent clusters of any
    size: the mean is that of decisions, not of clusters. Values may be large above at no cost but their variance.
    """
    sums, sizes = cluster_sums(values, cluster)
    codes = np.unique(cluster).astype(np.uint64)
    order = np.argsort(uniform(seed, "evaluate/betting", codes), kind="stable")
    sums, sizes = sums[order], sizes[order]
    floor, ceiling = limits
    needed = -math.log(1 - level)
    stake = np.minimum(_stakes(sums, sizes, needed), _MOST_STAKED / (float(sizes.max()) * (ceiling - floor)))

    def refused(m: float) -> bool:
        return float(np.log1p(stake * (sums - m * sizes)).sum()) >= needed

    outer, inner = floor, max(float(values.mean()), floor)
    if not refused(outer) or refused(inner):
        return floor
    for _ in range(_BISECTIONS):
        middle = (outer + inner) / 2
        outer, inner = (middle, inner) if refused(middle) else (outer, middle)
    return outer


def _stakes(sums: FloatArray, sizes: FloatArray, needed: float) -> FloatArray:
    """Stake per cluster from the clusters before it: sqrt(2 log(1/alpha) / (n variance)); 0 for the first."""
    number = len(sums)
    mean = np.cumsum(sums) / np.cumsum(sizes)
    variance = np.cumsum((sums - mean * sizes) ** 2) / np.arange(1, number + 1)
    before = np.concatenate([[0.0], variance[:-1]])
    seen = np.where(before > 0, before, np.inf)
    stake: FloatArray = np.sqrt(2 * needed / (number * seen))
    return stake
