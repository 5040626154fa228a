"""What up to three decisions in a row by B would have done: the same question as ``off_policy``, one step deeper.

An episode is a decision about a contact point and the next ones (at most three in all) that fall into the outcome's
window. Its outcome is that of its first decision. Doubly robust from the last step back (Jiang and Li 2016):

    D_last+1 = y,    D_t = q_t(x_t, pi_B) + w_t (D_t+1 - q_t(x_t, a_t))

unbiased for B acting at every step of the episode and the logged policy afterwards, whatever q is.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.evaluate.intervals import Interval, clustered_interval
from duecourse.science.evaluate.logged import FloatArray, IntArray, Logged
from duecourse.science.evaluate.outcome_model import cross_fitted

MOST_STEPS = 3


def episodes(point: IntArray, day: IntArray, window_days: int) -> IntArray:
    """Rows of each episode, shape (episodes, 3), -1 where an episode has fewer steps.

    ``point`` and ``day`` (n,) name the contact point and the day of each decision. Windows of a contact point do not
    overlap: after an episode that began on day t the next begins at its first decision on or after t + ``window_days``.
    A fourth decision inside a window belongs to no episode: it is left to the logged policy.
    """
    order = np.lexsort((day, point))
    found: list[list[int]] = []
    begun: tuple[int, int] | None = None  # contact point and first day of the present episode
    for row in order.tolist():
        now = (int(point[row]), int(day[row]))
        if begun is None or now[0] != begun[0] or now[1] >= begun[1] + window_days:
            found.append([row])
            begun = now
        elif len(found[-1]) < MOST_STEPS:
            found[-1].append(row)
    result = np.full((len(found), MOST_STEPS), -1, dtype=np.int64)
    for number, rows in enumerate(found):
        result[number, : len(rows)] = rows
    return result


def episode_gain(logged: Logged, steps: IntArray, *, level: float = 0.95, seed: int = 0) -> Interval:
    """Mean gain per episode when B takes all its decisions; ``steps`` from ``episodes`` over the rows of ``logged``."""
    first = steps[:, 0]
    outcome = logged.outcome[first]
    value: FloatArray = outcome.copy()
    for step in range(steps.shape[1] - 1, -1, -1):
        there = np.flatnonzero(steps[:, step] >= 0)
        if len(there):
            rows = steps[there, step]
            part = Logged(
                logged.features[rows], logged.action[rows], logged.propensity[rows], outcome[there],
                logged.cluster[rows], logged.target[rows], bounds=logged.bounds,
            )  # fmt: skip
            predicted = cross_fitted(part, seed=seed)
            drawn = predicted[np.arange(len(rows)), part.action]
            of_target = (part.target * predicted).sum(axis=1)
            value[there] = of_target + part.weight * (value[there] - drawn)
    return clustered_interval(value - outcome, logged.cluster[first], level=level)
