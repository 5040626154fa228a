"""How much of the customer's own distribution goes into the hazard: chosen on the book's own past months.

Each mature month start is scored once with every candidate weight. Another weight than the usual one is taken only
where it lowers the CRPS by at least 1 %: closer weights differ by less than another seed of the trees would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import Curves, crps_per_case

FloatArray = npt.NDArray[np.float64]

WEIGHTS = (0.0, 0.1, 0.2, 0.4)
FEWEST_SETS = 6  # three month starts, new and open
CLEAR_GAIN = 0.01
NOT_TRIED = "not tried: fewer than three past months could be tested"


@runtime_checkable
class Blending(Protocol):
    """A model whose curves can be made with other weights than its own."""

    blend_weight: float

    def blends(self, facts: Facts, landmarks: Landmarks, weights: Sequence[float], horizon: int) -> FloatArray:
        """Curves per weight, shape (weights, n, horizon)."""


@dataclass(frozen=True, slots=True)
class BlendReport:
    """The weight that served best, whether it replaces the usual one, in words, and each weight's CRPS against it.

    ``relative_crps`` aligns with ``weights``; 1 is the usual weight's.
    """

    weight: float
    says: str
    weights: tuple[float, ...] = ()
    relative_crps: tuple[float, ...] = ()


def blend_crps(one: CaseSet, curves: FloatArray) -> tuple[float, ...]:
    """Mean CRPS in days of each of ``curves`` (weights, n, horizon) over the mature cases; empty without any."""
    mature = one.cases.known_days >= one.horizon if one.horizon else np.zeros(one.cases.size, dtype=bool)
    if not mature.any():
        return ()
    cases = one.cases.take(mature)
    return tuple(float(crps_per_case(cases, Curves(each[mature]), one.horizon).mean()) for each in curves)


def choose_weight(trials: Sequence[tuple[float, ...]], usual: float) -> BlendReport:
    """The weight for this book from the CRPS of each scored set with each of ``WEIGHTS``; else ``usual``."""
    judged = [one for one in trials if one]
    if len(judged) < FEWEST_SETS or usual not in WEIGHTS:
        return BlendReport(usual, NOT_TRIED)
    table = np.array(judged)
    relative = (table / table[:, [WEIGHTS.index(usual)]]).mean(axis=0)
    best = int(relative.argmin())
    gain = 1.0 - float(relative[best])
    figures = tuple(float(each) for each in relative)
    if gain < CLEAR_GAIN:
        return BlendReport(usual, "no other weight was clearly better on past months", WEIGHTS, figures)
    says = f"{gain:.1%} more accurate on past months than with the usual {usual:.0%}"
    return BlendReport(WEIGHTS[best], says, WEIGHTS, figures)
