"""Did the plan's expected gains find those whom a contact moves? An uplift curve over one's own decisions."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.decision_log import DecisionLog
from duecourse.science.evaluate.logged import IntArray
from duecourse.science.evaluate.uplift_curves import UpliftCurve, uplift_curve

FEWEST_ROWS = 200
BEST_SHARE = 0.3
_NONE = ARMS.index("none")


@dataclass(frozen=True)
class Ranking:
    """``curve`` of contacting in the order of expected gain, over ``rows`` decisions; gains per decision.

    ``best``: share of the whole gain that the best 30 % by expected gain bring; NaN when the whole is not positive.
    """

    rows: int
    curve: UpliftCurve
    best: float


def ranking(log: DecisionLog, outcome: str = "paid_share") -> Ranking | None:
    """The curve over decisions with a known ``outcome`` at which both contact and none were possible draws.

    Score: the largest logged expected gain of an act beyond that of ``none`` (``q_arms``). Treated: any act. None below
    200 such decisions.
    """
    chance = 1 - log.propensities[:, _NONE]
    known = log.rows.get_column(outcome).is_not_null().to_numpy()
    score = np.array([_expected(text) for text in log.rows.get_column("q_arms")], dtype=np.float64)
    keep = known & (chance > 0) & (chance < 1) & np.isfinite(score)
    if keep.sum() < FEWEST_ROWS:
        return None
    part = log.take(keep)
    treated: IntArray = (part.arm != _NONE).astype(np.int64)
    payer = part.rows.get_column("payer").rank("dense").cast(int).to_numpy()
    values = part.rows.get_column(outcome).to_numpy()
    curve = uplift_curve(score[keep], treated, values, chance[keep], payer)
    whole = float(curve.gain[-1])
    best = float(np.interp(BEST_SHARE, curve.share, curve.gain)) / whole if whole > 0 else float("nan")
    return Ranking(part.n, curve, best)


def _expected(text: str | None) -> float:
    """The best act's expected gain beyond ``none``; NaN where the row does not say."""
    try:
        gains = json.loads(text or "{}")
    except ValueError:
        return float("nan")
    if not isinstance(gains, dict) or not all(isinstance(value, int | float) for value in gains.values()):
        return float("nan")
    acts = [float(value) for name, value in gains.items() if name != "none"]
    return max(acts) - float(gains.get("none", 0.0)) if acts else float("nan")
