"""``Logged``: decisions drawn at random with known propensities, what came of them, and what B would have done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import uniform

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FOLDS = 5
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Logged:
    """n logged decisions over k actions in c clusters, as arrays of equal first length.

    ``features`` (n, d): known before the decision. ``action`` (n,): the action that was drawn, 0..k-1 (the proposed
    one: what a person did instead is part of the outcome, intention to treat). ``propensity`` (n,): the probability
    with which it was drawn, in (0, 1]. ``outcome`` (n,): within ``bounds``. ``cluster`` (n,): the unit that was
    randomised and within which outcomes depend on each other (the paying parent). ``target`` (n, k): what policy B
    would have drawn, rows sum to 1. ``propensities`` (n, k): those of all actions, where known; without them the
    overlap can only be estimated. Raises ValueError for anything else, with the first row that is wrong.
    """

    features: FloatArray
    action: IntArray
    propensity: FloatArray
    outcome: FloatArray
    cluster: IntArray
    target: FloatArray
    propensities: FloatArray | None = None
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        n, k = self.target.shape
        sizes = {len(self.features), len(self.action), len(self.propensity), len(self.outcome), len(self.cluster), n}
        if sizes != {n} or self.features.ndim != 2 or n == 0:
            raise ValueError(f"every array needs the same number of decisions, at least one; got {sorted(sizes)}")
        low, high = self.bounds
        _first_wrong((self.action < 0) | (self.action >= k), f"an action outside 0..{k - 1}")
        _first_wrong(~((self.propensity > 0) & (self.propensity <= 1 + _SUM_TOLERANCE)), "a propensity outside (0, 1]")
        _first_wrong(~((self.outcome >= low) & (self.outcome <= high)), f"an outcome outside {low:g}..{high:g}")
        _first_wrong(~np.isfinite(self.features).all(axis=1), "a feature that is no finite number")
        _first_wrong(~_is_distribution(self.target), "a target policy that is no probability distribution")
        if self.propensities is not None:
            _first_wrong(~_is_distribution(self.propensities), "propensities that are no probability distribution")
            drawn = self.propensities[np.arange(n), self.action]
            _first_wrong(np.abs(drawn - self.propensity) > _SUM_TOLERANCE, "a propensity that its row does not hold")

    @property
    def n(self) -> int:
        """Number of decisions."""
        return len(self.action)

    @property
    def actions(self) -> int:
        """Number of actions k."""
        return int(self.target.shape[1])

    @property
    def clusters(self) -> int:
        """Number of different clusters."""
        return len(np.unique(self.cluster))

    @property
    def weight(self) -> FloatArray:
        """pi_B(a | x) / p of the drawn action, shape (n,)."""
        drawn: FloatArray = self.target[np.arange(self.n), self.action]
        return drawn / self.propensity


def cluster_folds(cluster: IntArray, folds: int = FOLDS, *, seed: int = 0) -> IntArray:
    """A fold 0..folds-1 per row, equal within a cluster, clusters spread evenly by a keyed draw; shape (n,)."""
    codes, inverse = np.unique(cluster, return_inverse=True)
    draws = uniform(seed, "evaluate/folds", codes.astype(np.uint64))
    fold_of = np.empty(len(codes), dtype=np.int64)
    fold_of[np.argsort(draws, kind="stable")] = np.arange(len(codes)) % folds
    return fold_of[inverse]


def _is_distribution(rows: FloatArray) -> npt.NDArray[np.bool_]:
    valid: npt.NDArray[np.bool_] = (rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= _SUM_TOLERANCE)
    return valid


def _first_wrong(found: npt.ArrayLike, what: str) -> None:
    wrong = np.asarray(found, dtype=bool)
    if wrong.any():
        raise ValueError(f"row {int(np.argmax(wrong))} has {what} ({int(wrong.sum())} such rows)")
