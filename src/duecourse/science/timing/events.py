"""What dated events do to the hazard and to the curve: offsets, whole-amount disputes and active promises.

Offsets shift the logit of the hazard (sizes in ``signals``). A whole-amount dispute puts its resolution before the
payment. A live promise is neither ignored nor believed: the curve is a mixture of kept and not kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.config import FeatureSet
from duecourse.science.timing.facts import NEVER, Disputes, Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.rows import Rows
from duecourse.science.timing.signals import CONTACT_KINDS, OFFSETS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DISPUTE_MEAN_DAYS = 30.0  # prior of the days a whole-amount dispute lasts, exponential (an assumption of ours)
DISPUTE_PRIOR_CASES = 5


def active_signals(facts: Facts, landmarks: Landmarks, rows: Rows, feature_set: FeatureSet) -> BoolArray:
    """Which signals, known at the landmark, speak on the first day of each row; shape (rows, kinds of ``OFFSETS``)."""
    result = np.zeros((len(rows), len(OFFSETS)), dtype=bool)
    signals = facts.signals
    if not len(signals.invoice):
        return result
    start = np.searchsorted(signals.invoice, landmarks.invoice, side="left")
    count = np.searchsorted(signals.invoice, landmarks.invoice, side="right") - start
    day = landmarks.day[rows.owner] + rows.offset
    for nth in range(int(count.max(initial=0))):  # the nth signal of each invoice, all rows at once
        which = np.flatnonzero(count[rows.owner] > nth)
        owner = rows.owner[which]
        signal = start[owner] + nth
        active = (signals.from_day[signal] <= landmarks.known_day[owner]) & (signals.to_day[signal] > day[which])
        for place, kind in enumerate(OFFSETS):
            if feature_set == "no_contact" and kind in CONTACT_KINDS:
                continue
            result[which, place] |= active & (signals.kind[signal] == kind)
    return result


def hazard_offsets(
    facts: Facts, landmarks: Landmarks, rows: Rows, feature_set: FeatureSet, sizes: Mapping[str, float] = OFFSETS
) -> FloatArray:
    """Sum of the ``sizes`` of the signals that were known at the landmark and speak on the row's first day; (rows,)."""
    return offset_of(active_signals(facts, landmarks, rows, feature_set), sizes)


def offset_of(active: BoolArray, sizes: Mapping[str, float]) -> FloatArray:
    """Sum of the sizes of each row's active signals; ``active`` as ``active_signals`` gives it."""
    result = np.zeros(len(active))
    for place, kind in enumerate(OFFSETS):
        result[active[:, place]] += sizes[kind]
    return result


def disputed_cdf(facts: Facts, landmarks: Landmarks, cdf: FloatArray) -> FloatArray:
    """Curves of wholly disputed invoices: days until the dispute is closed, then the curve without it; (n, horizon).

    The days that a dispute still lasts come from the book's closed whole-amount disputes, mixed with five cases of an
    exponential prior (mean 30 days), given how long it has been open.
    """
    disputes = facts.disputes
    live = np.flatnonzero(
        disputes.whole & (disputes.known < facts.as_of) & (disputes.from_day < facts.as_of) & (disputes.to_day >= NEVER)
    )
    if not len(live):
        return cdf
    oldest = np.full(len(facts), NEVER, dtype=np.int64)
    np.minimum.at(oldest, disputes.invoice[live], disputes.from_day[live])
    result = cdf.copy()
    for row in np.flatnonzero(oldest[landmarks.invoice] < NEVER):
        age = int(landmarks.day[row] - oldest[landmarks.invoice[row]])
        resolved = resolution_days(disputes, max(age, 0), cdf.shape[1])
        result[row] = np.convolve(resolved, cdf[row])[: cdf.shape[1]]
    return result


def resolution_days(disputes: Disputes, age: int, horizon: int) -> FloatArray:
    """P(a dispute that is ``age`` days old ends k days from now), k = 0..horizon-1; shape (horizon,).

    From the book's closed whole-amount disputes that lasted as long, and five cases of the exponential prior.
    """
    done = disputes.whole & (disputes.to_day < NEVER)
    lasted = (disputes.to_day - disputes.from_day)[done]
    prior = (1 - np.exp(-1 / DISPUTE_MEAN_DAYS)) * np.exp(-np.arange(horizon) / DISPUTE_MEAN_DAYS)
    longer = lasted[lasted >= age] - age
    own = np.bincount(np.minimum(longer, horizon), minlength=horizon + 1)[:horizon]
    result: FloatArray = (own + DISPUTE_PRIOR_CASES * prior) / (len(longer) + DISPUTE_PRIOR_CASES)
    return result
