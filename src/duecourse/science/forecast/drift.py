"""``drift_alarms``: says when forecasts have begun to miss to one side, before the averages show it.

Each mature week of a forecast has a rank: the share of the draws below what came. Under a calibrated forecast its
normal score is standard normal from week to week, so a two-sided CUSUM (Page 1954) with allowance 1/2 and limit 5
raises a false alarm once in about 9 years of weeks, and sees a lasting shift of one standard deviation after about 10
weeks, of two after 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from duecourse.science.forecast.scoring import latest

ALLOWANCE, LIMIT = 0.5, 5.0
RANK_MARGIN = 0.005  # half of one of the 100 draws that a record keeps
FEWEST_WEEKS = 4


@dataclass(frozen=True)
class DriftAlarm:
    """Since ``since`` (the first week of the run) ``direction`` ("less" or "more") cash came than forecast."""

    currency: str
    since: date
    raised: date
    direction: str
    weeks: int

    def __str__(self) -> str:
        return (
            f"forecasts have drifted: since {self.since} {self.direction} cash came than expected in a way that chance "
            f"does not explain ({self.currency}, {self.weeks} weeks, seen on the forecast of {self.raised}); refit the "
            "model and look for the cause"
        )


def drift_alarms(scores: pl.DataFrame) -> list[DriftAlarm]:
    """The alarm of each currency that is still standing at its newest mature week, if any.

    ``scores`` as of ``scoring.score`` over many records; the first week of all cash is used, once per record day.
    """
    week = (pl.col("part") == "total") & (pl.col("first_day") == 0) & (pl.col("last_day") == 7)
    ranked = latest(scores).filter(week & (pl.col("method") == "model") & pl.col("rank").is_not_null())
    found = []
    for (currency,), mine in sorted(ranked.group_by("currency"), key=lambda one: str(one[0])):
        in_order = mine.sort("as_of").unique("as_of", keep="last", maintain_order=True)
        if in_order.height >= FEWEST_WEEKS:
            found += _standing(str(currency), in_order)
    return found


def _standing(currency: str, weeks: pl.DataFrame) -> list[DriftAlarm]:
    from scipy.special import ndtri

    rank = weeks.get_column("rank").clip(RANK_MARGIN, 1 - RANK_MARGIN).to_numpy()
    days = weeks.get_column("as_of").to_list()
    found = []
    for direction, sign in (("less", -1.0), ("more", 1.0)):
        level, since, raised = 0.0, 0, -1
        for place, score in enumerate(sign * ndtri(rank)):
            if level <= 0:
                since = place
            level = max(0.0, level + float(score) - ALLOWANCE)
            raised = -1 if level <= 0 else raised if raised >= 0 else place if level > LIMIT else -1
        if raised >= 0:
            found.append(DriftAlarm(currency, days[since], days[raised], direction, len(days) - since))
    return found
