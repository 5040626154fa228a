"""The weekly hazard of losing an invoice for good: grows with age, updated from the tenant's own write-offs.

    d = d0_segment x (1 + age / 8)

A gamma prior on d0 counts as ``PRIOR_LOSSES`` losses; the book updates it, and each segment is drawn to the book.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.decisions.learned.book import Floats, Ints
from duecourse.science.decisions.learned.panel import Panel
from duecourse.science.decisions.learned.segments import SEGMENTS

TYPICAL = 0.00075  # [A] per week at age 0
PRIOR_LOSSES = 5.0
AGE_SCALE = 8.0


def loss_rates(panel: Panel, typical: float = TYPICAL) -> Floats:
    """(segments,) d0: posterior means, first of the book and then of each segment drawn to it."""
    exposed = np.bincount(panel.segment, weights=1 + panel.age / AGE_SCALE, minlength=len(SEGMENTS))
    losses = np.bincount(panel.segment, weights=panel.lost, minlength=len(SEGMENTS))
    book = (PRIOR_LOSSES + losses.sum()) / (PRIOR_LOSSES / typical + exposed.sum())
    result: Floats = (PRIOR_LOSSES + losses) / (PRIOR_LOSSES / book + exposed)
    return result


def weekly_loss(rates: Floats, segment: Ints, age: Ints) -> Floats:
    """(n,) the hazard of being lost within a week of age ``age``."""
    result: Floats = np.minimum(rates[segment] * (1 + np.maximum(age, 0) / AGE_SCALE), 0.5)
    return result
