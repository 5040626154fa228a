"""Would policy B have done better? The gain of B over what was done, from decisions whose propensities were logged.

Estimand: B decides once, then the logged policy goes on; the gain is its mean outcome minus the mean of what was done.

    doubly robust   q(x, pi_B) + w (y - q(x, a)) - y        w = pi_B(a | x) / p

q is cross-fitted, so its faults cost width only; the propensities carry the truth (Dudik, Langford and Li 2011).
Beside it, as sensitivity: IPS, SNIPS, SWITCH with weights above 20 left to q (Wang, Agarwal and Dudik 2017), and the
naive mean of those decisions that B would have taken too, which is no estimate of anything and is shown as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from duecourse.science.evaluate.intervals import (
    Interval,
    betting_bound,
    clustered_interval,
    confidence_sequence,
)
from duecourse.science.evaluate.logged import FloatArray, Logged
from duecourse.science.evaluate.outcome_model import Regression, cross_fitted

WEIGHT_CAP = 20.0
LIKELY = 0.01  # an action below this propensity was practically not tried
LEAST_ESS = 200.0
LEAST_OVERLAP = 0.80


@dataclass(frozen=True, slots=True)
class Support:
    """How much the log can say about B.

    ``ess`` = (sum w)^2 / sum w^2, the number of decisions that would say as much with equal weights; ``overlap`` the
    share of B's choices on actions with a propensity of .01 or more (from the weights, at most 1, where only the drawn
    action's propensity is known); ``mean_weight`` is about 1 when the propensities are true and the overlap complete;
    ``clipped`` the share of the weight above 20.
    """

    n: int
    clusters: int
    ess: float
    max_weight: float
    mean_weight: float
    overlap: float
    clipped: float

    @property
    def suffices(self) -> bool:
        """True when an answer may be given."""
        return self.ess >= LEAST_ESS and self.overlap >= LEAST_OVERLAP


@dataclass(frozen=True)
class Comparison:
    """B against what was done on one outcome, in the outcome's unit.

    ``gain``: doubly robust with the sandwich interval; ``exact``: the betting interval;
    ``sequence``: the anytime-valid interval; ``sensitivity``: estimator -> its gain with sandwich interval.
    ``logged_mean`` is the mean outcome of what was done.
    """

    support: Support
    logged_mean: float
    gain: Interval
    exact: Interval
    sequence: Interval
    sensitivity: Mapping[str, Interval]


def compare(logged: Logged, *, regression: Regression | None = None, level: float = 0.95, seed: int = 0) -> Comparison:
    """The comparison of ``logged.target`` with the logged policy; ``regression`` replaces the default outcome model.

    It is always computed; whether it may be read as an answer is ``support.suffices``.
    """
    predicted = cross_fitted(logged, regression, seed=seed)
    parts = influence(logged, predicted)
    intervals = {name: clustered_interval(values, logged.cluster, level=level) for name, values in parts.items()}
    return Comparison(
        support(logged), float(logged.outcome.mean()), intervals.pop("dr"),
        betting_interval(logged, level=level, seed=seed),
        confidence_sequence(parts["dr"], logged.cluster, level=level),
        {**intervals, "naive": naive(logged, level=level)},
    )  # fmt: skip


def support(logged: Logged) -> Support:
    """What the log can say about the target, see ``Support``."""
    weight = logged.weight
    total = float(weight.sum())
    if logged.propensities is not None:
        overlap = float((logged.target * (logged.propensities >= LIKELY)).sum() / logged.n)
    else:
        overlap = min(1.0, float(weight[logged.propensity >= LIKELY].sum()) / logged.n)
    return Support(
        n=logged.n, clusters=logged.clusters,
        ess=total**2 / float(weight @ weight) if total else 0.0,
        max_weight=float(weight.max()), mean_weight=total / logged.n, overlap=overlap,
        clipped=float(np.maximum(weight - WEIGHT_CAP, 0).sum()) / total if total else 0.0,
    )  # fmt: skip


def influence(logged: Logged, predicted: FloatArray) -> dict[str, FloatArray]:
    """Per estimator, values whose mean is its estimate of the gain and whose spread is its error; each (n,)."""
    weight, y = logged.weight, logged.outcome
    drawn = predicted[np.arange(logged.n), logged.action]
    of_target = (logged.target * predicted).sum(axis=1)
    result = {
        "dr": of_target + weight * (y - drawn) - y,
        "ips": weight * y - y,
        "switch": of_target + np.where(weight <= WEIGHT_CAP, weight, 0.0) * (y - drawn) - y,
    }
    if weight.sum() > 0:
        value = float(weight @ y / weight.sum())
        result["snips"] = value + weight / weight.mean() * (y - value) - y
    return result


def betting_interval(logged: Logged, *, level: float = 0.95, seed: int = 0) -> Interval:
    """The gain with an interval that is exact for independent clusters, weights cut at 20; centred on IPS.

    With y in [0, 1] the lower end bets on (w - 1) y >= -1, the upper on (1 - w)(1 - y) <= 1 (both have the gain as
    mean, as the mean weight is 1); cutting the weights moves each end outwards, so it costs width and not validity.
    """
    low, high = logged.bounds
    y = (logged.outcome - low) / (high - low)
    weight = np.minimum(logged.weight, WEIGHT_CAP)
    one_sided = (1 + level) / 2
    least = betting_bound((weight - 1) * y, logged.cluster, (-1.0, 1.0), level=one_sided, seed=seed)
    most = -betting_bound((weight - 1) * (1 - y), logged.cluster, (-1.0, 1.0), level=one_sided, seed=seed)
    centre = float(((logged.weight - 1) * y).mean())
    return Interval(centre, min(least, centre), max(most, centre)).scaled(high - low)


def naive(logged: Logged, *, level: float = 0.95) -> Interval:
    """Mean outcome where B's most likely action is the one that was drawn, minus the mean of all: not causal."""
    agree = logged.target.argmax(axis=1) == logged.action
    if not agree.any():
        return Interval(0.0, -np.inf, np.inf)
    value = float(logged.outcome[agree].mean())
    values = value + agree / agree.mean() * (logged.outcome - value) - logged.outcome
    return clustered_interval(values, logged.cluster, level=level)
