"""What would have come of each action: a partially pooled ridge regression, cross-fitted by cluster.

    y = b0'(1, x) + b_a'(1, x) + noise,   b0 nearly free, b_a shrunk towards 0

So an action that was rarely taken is predicted as the average action. A wrong model costs width, never validity: in the
doubly robust estimate the propensities are exact. Any other regression can be handed to ``cross_fitted``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from duecourse.science.evaluate.logged import FOLDS, FloatArray, IntArray, Logged, cluster_folds

Predict = Callable[[FloatArray], FloatArray]
# (features (m, d), action (m,), outcome (m,), number of actions) -> features -> predictions (rows, actions)
Regression = Callable[[FloatArray, IntArray, FloatArray, int], Predict]

POOLED_PENALTY = 1.0  # [A] in rows: a slope needs about so many rows before it is believed
ACTION_PENALTY = 50.0  # [A] an action's own intercept and slopes need many more


def cross_fitted(
    logged: Logged, regression: Regression | None = None, *, folds: int = FOLDS, seed: int = 0
) -> FloatArray:
    """Predicted outcome of every action for every decision, shape (n, k), within the bounds of the outcome.

    Each fold of clusters is predicted by a regression that saw only the others; with one cluster alone by its mean.
    """
    fit = pooled_ridge if regression is None else regression
    fold = cluster_folds(logged.cluster, folds, seed=seed)
    predicted = np.full((logged.n, logged.actions), float(logged.outcome.mean()))
    for number in range(folds):
        seen, held = fold != number, fold == number
        if seen.any() and held.any():
            predict = fit(logged.features[seen], logged.action[seen], logged.outcome[seen], logged.actions)
            predicted[held] = predict(logged.features[held])
    clipped: FloatArray = np.clip(predicted, *logged.bounds)
    return clipped


def pooled_ridge(features: FloatArray, action: IntArray, outcome: FloatArray, actions: int) -> Predict:
    """The regression of the module's equation; features are standardised by what it saw.

    Each action's own coefficients are eliminated first (Schur complement), so the cost is k solves of size d + 1.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    level = float(outcome.mean())

    def design(rows: FloatArray) -> FloatArray:
        return np.column_stack([np.ones(len(rows)), (rows - centre) / spread])

    base = design(features)
    width = base.shape[1]
    own_penalty = ACTION_PENALTY * np.eye(width)
    left = POOLED_PENALTY * np.eye(width)
    left[0, 0] = 1e-6
    right = np.zeros(width)
    parts = []
    for number in range(actions):
        rows = base[action == number]
        gram = rows.T @ rows
        moment = rows.T @ (outcome[action == number] - level)
        shrunk = np.linalg.solve(gram + own_penalty, np.column_stack([gram, moment]))
        left += gram - gram @ shrunk[:, :width]
        right += moment - gram @ shrunk[:, width]
        parts.append((shrunk[:, :width], shrunk[:, width]))
    pooled = np.linalg.solve(left, right)
    coefficients = np.column_stack([pooled + own - through @ pooled for through, own in parts])

    def predict(rows: FloatArray) -> FloatArray:
        values: FloatArray = level + design(rows) @ coefficients
        return values

    return predict
