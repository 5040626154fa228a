"""Which acts drive customers away: opt-outs and complaints after an act against nothing, per act, at every look.

Decisions that could have been either ``a`` or ``none`` are weighed by p_a p_none, which is bounded however rare an act
was (overlap weights, Li, Morgan and Zaslavsky 2018):

    difference = mean((1[a] p_none - 1[none] p_a) y) / mean(p_a p_none),   y = 1 when it happened within 28 days

One event may follow several decisions about a payer; that is the same for both sides, and payers are the clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.objections import are_complaints_kept, are_opt_outs_kept, complaints, opt_outs
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.decision_log import DecisionLog
from duecourse.science.evaluate.features import with_payer
from duecourse.science.evaluate.intervals import confidence_sequence
from duecourse.science.evaluate.logged import FloatArray

WINDOW_DAYS = 28
FEWEST_DRAWN = 20  # of the act, and of none
_NONE = ARMS.index("none")


@dataclass(frozen=True, slots=True)
class ArmHarm:
    """``difference`` of the chance of ``harm`` after ``arm`` against after none; ``lower_bound`` one-sided, 95 %.

    ``drawn`` decisions drew the arm where none was possible too, ``events`` of them were followed by the harm. The
    bound holds at all looks together and is minus infinity before 100 payers.
    """

    arm: str
    harm: str
    drawn: int
    events: int
    difference: float
    lower_bound: float

    @property
    def crossed(self) -> bool:
        """True when the act surely does harm."""
        return self.lower_bound > 0


def arm_harms(view: View, log: DecisionLog) -> tuple[ArmHarm, ...]:
    """Every act with at least 20 draws, for each harm; decisions count once their 28 days have passed.

    A harm of which the books keep nothing is left out. ``log.rows`` needs the column ``payer``.
    """
    mature = log.rows.get_column("decided_on") + timedelta(days=WINDOW_DAYS) <= view.as_of
    part = log.take(mature.to_numpy())
    arms = [arm for arm in range(len(ARMS)) if arm != _NONE]
    found: list[ArmHarm | None] = []
    kept = [("opt_outs", opt_outs(view))] if are_opt_outs_kept(view) else []
    kept += [("complaints", complaints(view))] if are_complaints_kept(view) else []
    for harm, facts in kept:
        followed = _followed(view, part, facts)
        found += [_judged(part, arm, harm, followed) for arm in arms]
    return tuple(one for one in found if one is not None)


def _judged(log: DecisionLog, arm: int, harm: str, followed: FloatArray) -> ArmHarm | None:
    p_arm, p_none = log.propensities[:, arm], log.propensities[:, _NONE]
    rows = np.flatnonzero((p_arm > 0) & (p_none > 0))
    drew, rested = log.arm[rows] == arm, log.arm[rows] == _NONE
    if min(int(drew.sum()), int(rested.sum())) < FEWEST_DRAWN:
        return None
    signed = drew * p_none[rows] - rested * p_arm[rows]
    values = signed * followed[rows] / float((p_arm[rows] * p_none[rows]).mean())
    payer = log.rows.get_column("payer").rank("dense").cast(pl.Int64).to_numpy()[rows]
    seen = confidence_sequence(values, payer, level=0.90)
    reach = seen.estimate - seen.low
    if seen.std_error:
        reach *= max(1.0, _error_if_alike(p_arm[rows], p_none[rows], followed[rows][drew | rested]) / seen.std_error)
    low = seen.estimate - reach if math.isfinite(reach) else -math.inf
    return ArmHarm(ARMS[arm], harm, int(drew.sum()), int(followed[rows][drew].sum()), seen.estimate, low)


def _error_if_alike(p_arm: FloatArray, p_none: FloatArray, followed: FloatArray) -> float:
    """Standard error of the difference if act and none were followed alike often.

    The bound uses no less: where one of both was drawn seldom and nothing followed it, it would seem to be surely safe.
    """
    rate, both = float(followed.mean()), p_arm * p_none
    return math.sqrt(rate * (1 - rate) * float((both * (p_arm + p_none)).sum())) / float(both.sum())


def _followed(view: View, log: DecisionLog, facts: pl.DataFrame) -> FloatArray:
    """(n,) 1 where a fact about the payer came within the window after the decision."""
    decisions = log.rows.select("payer", "decided_on").with_row_index("place")
    after = (pl.col("on") - pl.col("decided_on")).dt.total_days()
    hit = (
        with_payer(facts, view).select("payer", "on").join(decisions, on="payer", how="inner")
        .filter((after >= 0) & (after < WINDOW_DAYS)).get_column("place").unique()
    )  # fmt: skip
    result = np.zeros(log.n)
    result[hit.to_numpy()] = 1.0
    return result
