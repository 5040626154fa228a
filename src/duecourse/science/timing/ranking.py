"""How well scores put the bad cases on top: AUC, average precision and recall at a fixed alert rate.

All three treat equal scores as equal: no order inside a tie is invented, so a constant score has AUC .5 and finds
5 % of the bad cases among the first 5 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FEWEST_POSITIVES = 5  # below this a ranking figure is noise and is left out
ALERT_RATE = 0.05  # the share of all cases that somebody can look at


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranking figures of one label: ``n`` cases of which ``positives`` are bad; None where there are too few to say."""

    n: int
    positives: int
    auc: float | None
    average_precision: float | None
    recall_at_5_percent: float | None


def rank(scores: Floats, bad: Flags) -> Ranking:
    """AUC, AP and recall of ``scores`` (n,), high = bad, against the labels ``bad`` (n,)."""
    n, positives = int(bad.size), int(bad.sum())
    if positives < FEWEST_POSITIVES or positives == n:
        return Ranking(n, positives, None, None, None)
    return Ranking(n, positives, auc(scores, bad), average_precision(scores, bad), recall_at(scores, bad, ALERT_RATE))


def auc(scores: Floats, bad: Flags) -> float:
    """P(score of a bad case > score of a good case) + half the ties (Mann-Whitney). Needs both kinds."""
    _, tie_group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(sizes) - (sizes - 1) / 2.0
    positives = int(bad.sum())
    negatives = bad.size - positives
    rank_sum = float(middle_rank[tie_group][bad].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def average_precision(scores: Floats, bad: Flags) -> float:
    """Sum over thresholds of (recall step) x (precision there), each distinct score one threshold."""
    _, tie_group, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(tie_group, weights=bad.astype(np.float64), minlength=sizes.size)
    precision = np.cumsum(hits) / np.cumsum(sizes)
    return float((hits / bad.sum() * precision).sum())


def recall_at(scores: Floats, bad: Flags, alert_rate: float) -> float:
    """Share of the bad cases among the ``alert_rate`` highest scores.

    Where the cut falls inside a tie, the tied cases count in proportion: the expected value of a random order.
    """
    _, tie_group, sizes = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(tie_group, weights=bad.astype(np.float64), minlength=sizes.size)
    before = np.cumsum(sizes) - sizes
    taken = np.clip((alert_rate * bad.size - before) / sizes, 0.0, 1.0)
    return float((hits * taken).sum() / bad.sum())
