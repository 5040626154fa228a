"""Recalibration: when the model's curves were off in the same way for months, the way back to honest probabilities.

K, the Kaplan-Meier cdf of past PIT values, is the identity for a calibrated model; the recalibrated curve is K(F), with
K shrunk as (n K + 500 id) / (n + 500), per segment with at least 500 cases, else pooled (after Qi, Yu and Greiner 2024,
"Conformalized survival distributions"). Whether it is used at all: ``calibration_decision``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.pit import Pit
from duecourse.science.timing.survival import kaplan_meier

FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

SEGMENT_CASES = 500  # the least for a map of its own, and the weight of the identity
FEW_PAYMENTS, VERY_LATE_DAYS = 3, 30
POOLED = "all"
GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Recalibration:
    """``maps``: segment -> K at 0, .01 .. 1 (one is for ``all``), ``cases``: segment -> cases behind it."""

    maps: Mapping[str, FloatArray]
    cases: Mapping[str, int]

    def apply(self, cdf: FloatArray, segments: TextArray) -> FloatArray:
        """K(F) of each curve by its segment; ``cdf`` (n, days), ``segments`` (n,); still rising, still in [0, 1]."""
        result = np.empty_like(cdf)
        for segment in np.unique(segments.astype(str)):
            rows = segments == segment
            result[rows] = np.interp(cdf[rows], GRID, self.maps.get(segment, self.maps[POOLED]))
        return result

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are stored with a model."""
        return {"maps": {name: one.tolist() for name, one in self.maps.items()}, "cases": dict(self.cases)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Recalibration:
        """What ``to_dict`` wrote."""
        maps = {name: np.array(one, dtype=np.float64) for name, one in plain["maps"].items()}
        return cls(maps, {name: int(n) for name, n in plain["cases"].items()})


def calibration_segments(facts: Facts, landmarks: Landmarks) -> TextArray:
    """few_payments (fewer than 3 known), else late_30, else new (seen from its issue day), else open; (n,)."""
    start, end = facts.history(facts.customer[landmarks.invoice], landmarks.known_day)
    days_late = landmarks.day - facts.due[landmarks.invoice]
    names = np.where(landmarks.day <= facts.issue[landmarks.invoice], "new", "open").astype(object)
    names[days_late >= VERY_LATE_DAYS] = "late_30"
    names[end - start < FEW_PAYMENTS] = "few_payments"
    return names


def learn(values: Pit, segments: TextArray) -> Recalibration:
    """Maps per segment with at least 500 cases and one for all, from PIT values of mature cases."""
    maps, cases = {POOLED: _shrunk_map(values)}, {POOLED: int(values.value.size)}
    for segment in np.unique(segments.astype(str)):
        rows = segments == segment
        if int(rows.sum()) >= SEGMENT_CASES:
            maps[str(segment)] = _shrunk_map(Pit(values.value[rows], values.paid[rows]))
            cases[str(segment)] = int(rows.sum())
    return Recalibration(maps, cases)


def _shrunk_map(values: Pit) -> FloatArray:
    beyond = kaplan_meier(values.value, values.paid)
    share = 1.0 - beyond(GRID)
    share[0], share[-1] = 0.0, 1.0
    n = values.value.size
    result: FloatArray = (n * share + SEGMENT_CASES * GRID) / (n + SEGMENT_CASES)
    return result
