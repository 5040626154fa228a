"""Are the logged propensities true? What was drawn against what was promised, cell by cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from duecourse.science.evaluate.logged import FloatArray, IntArray

BINS = 10
FEWEST_EXPECTED = 10.0
_IMPLAUSIBLE = 1e-4  # [A] daily audits of a true log must not cry wolf within years


@dataclass(frozen=True, slots=True)
class PropensityAudit:
    """``rms_z``: root mean square over ``cells`` of (drawn - expected) / sqrt(sum p (1 - p)); about 1 for a true log.

    Below 1 where a plan fixes the number of its acts in advance, which is no fault. ``p_value``: chance that a true log
    shows at least so much in its worst action, times the number of actions (the actions of one draw are not
    independent of each other, the decisions are). ``impossible``: decisions whose drawn arm had propensity 0.
    """

    cells: int
    rms_z: float
    p_value: float
    impossible: int

    @property
    def passed(self) -> bool:
        """False only when the log contradicts its propensities."""
        return self.impossible == 0 and self.p_value >= _IMPLAUSIBLE


def propensity_audit(propensities: FloatArray, action: IntArray) -> PropensityAudit:
    """The audit of n draws over k actions: per action, decisions in ten groups of like propensity.

    Cells with fewer than ten expected draws or non-draws are left out. A log without randomness has no cells; there
    is nothing to contradict. Shapes (n, k) and (n,).
    """
    n, k = propensities.shape
    impossible = int((propensities[np.arange(n), action] <= 0).sum())
    squares: list[float] = []
    worst, judged = 1.0, 0
    for number in range(k):
        own = _squares(propensities[:, number], action == number)
        if own:
            judged += 1
            worst = min(worst, float(stats.chi2.sf(sum(own), len(own))))
            squares += own
    rms = math.sqrt(sum(squares) / len(squares)) if squares else math.nan
    return PropensityAudit(len(squares), rms, min(1.0, worst * max(judged, 1)), impossible)


def _squares(p: FloatArray, drawn: npt.NDArray[np.bool_]) -> list[float]:
    """Squared z of each cell of one action, cells of like propensity."""
    open_rows = np.flatnonzero((p > 0) & (p < 1))
    ranked = open_rows[np.argsort(p[open_rows], kind="stable")]
    found = []
    for rows in np.array_split(ranked, BINS):
        expected = float(p[rows].sum())
        if expected >= FEWEST_EXPECTED and len(rows) - expected >= FEWEST_EXPECTED:
            off = int(drawn[rows].sum()) - expected
            found.append(off**2 / float((p[rows] * (1 - p[rows])).sum()))
    return found
