"""Does a ranking find those whom a contact moves? Uplift curves (Qini, AUUC) on randomised rows; learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from duecourse.science.evaluate.intervals import Interval, clustered_interval
from duecourse.science.evaluate.logged import FloatArray, IntArray, Logged
from duecourse.science.evaluate.off_policy import influence
from duecourse.science.evaluate.outcome_model import cross_fitted


@dataclass(frozen=True)
class UpliftCurve:
    """``gain[i]``: mean gain per row over treating nobody when the best ``share[i]`` by score are treated.

    ``auuc``: area under it; ``qini``: area between it and the straight line of a random order; both per row in the
    outcome's unit. ``qini_interval`` is clustered.
    """

    share: FloatArray
    gain: FloatArray
    auuc: float
    qini: float
    qini_interval: Interval


def uplift_curve(
    score: FloatArray, treated: IntArray, outcome: FloatArray, propensity: FloatArray, cluster: IntArray | None = None
) -> UpliftCurve:
    """The curve of ``score`` (n,), higher first, on rows whose treatment (0/1) was drawn with ``propensity`` (n,).

    Each row counts ``z = (T/p - (1 - T)/(1 - p)) y``, whose mean over any set of rows is the set's effect (Radcliffe
    2007, weighted by known propensities). Rows of equal score count together, so order in the file says nothing. Raises
    ValueError unless every propensity lies strictly between 0 and 1: on rows that were not randomised the curve
    measures who was chosen, not who was moved.
    """
    if not ((propensity > 0) & (propensity < 1)).all():
        raise ValueError("uplift curves need randomised rows: every propensity strictly between 0 and 1")
    if not (len(score) == len(treated) == len(outcome) == len(propensity)) or len(score) == 0:
        raise ValueError("score, treated, outcome and propensity need the same number of rows, at least one")
    z = effects(treated, outcome, propensity)
    n = len(z)
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order]) != 0), n - 1) + 1  # a tie is passed in one straight step
    share = np.concatenate([[0.0], ends / n])
    gain = np.concatenate([[0.0], np.cumsum(z[order])[ends - 1] / n])
    area = float(np.sum(np.diff(share) * (gain[1:] + gain[:-1]) / 2))
    # Each row's part in the area: it counts from its place in the order to the end, in a tie from the tie's middle.
    place = np.empty(n)
    place[order] = np.repeat((share[1:] + share[:-1]) / 2, np.diff(np.concatenate([[0], ends])))
    parts = z * (0.5 - place)
    rows = np.arange(n) if cluster is None else cluster
    return UpliftCurve(share, gain, area, area - float(gain[-1]) / 2, clustered_interval(parts, rows))


def effects(treated: IntArray, outcome: FloatArray, propensity: FloatArray) -> FloatArray:
    """Unbiased, noisy effect of each row: ``(T/p - (1 - T)/(1 - p))(y - mean y)``, shape (n,).

    Taking the mean away changes no expectation, as the bracket has mean 0, and takes most of the noise.
    """
    centred = outcome - outcome.mean()
    values: FloatArray = np.where(treated == 1, 1 / propensity, -1 / (1 - propensity)) * centred
    return values


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """One stretch of the log: decisions ``first`` to ``last`` (counted from 1) and what was done minus B in it."""

    first: int
    last: int
    lead: Interval


def learning_curve(logged: Logged, *, blocks: int = 8, seed: int = 0) -> tuple[LearningPoint, ...]:
    """By how much what was done beat B, stretch by stretch of decisions in the order of the rows.

    With B = the ladder a policy that learns rises; one that does not stays where it is. Each stretch has its own
    sandwich interval; the outcome model is fitted once, over all.
    """
    lead = -influence(logged, cross_fitted(logged, seed=seed))["dr"]
    edges = np.linspace(0, logged.n, min(blocks, logged.n) + 1).astype(int)
    return tuple(
        LearningPoint(a + 1, b, clustered_interval(lead[a:b], logged.cluster[a:b])) for a, b in pairwise(edges.tolist())
    )
