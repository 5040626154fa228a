"""Where on the book the model earns its place: its word against the best simple method's, per behaviour segment.

The gate decides per set (new, open). These verdicts inform the reader and switch nothing: a model that serves the whole
book may still be no better than a simple method on, say, new customers, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.backtest_report import SegmentVerdict
from duecourse.science.timing.baselines import LABELS
from duecourse.science.timing.bootstrap import ParentBootstrap
from duecourse.science.timing.scored import MODEL, ScoredSet

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

FEWEST_CASES, FEWEST_PARENTS = 30, 10  # below these a verdict would rest on a handful of customers
ORDER = ("prompt", "occasional", "chronic", "new")


def segment_verdicts(sets: Sequence[ScoredSet], seed: int) -> tuple[SegmentVerdict, ...]:
    """One verdict per behaviour segment over the cases of all ``sets`` (snapshots of one kind) that hold a model."""
    judged = [one for one in sets if MODEL in one.crps]
    if not judged:
        return ()
    labels = np.concatenate([one.groups["segment"].astype(str) for one in judged])
    parent = np.concatenate([one.parent.astype(str) for one in judged])
    methods = [method for method in judged[0].crps if all(method in one.crps for one in judged)]
    crps = {method: np.concatenate([one.crps[method] for one in judged]) for method in methods}
    present = [name for name in ORDER if (labels == name).any()]
    return tuple(_verdict(name, labels == name, crps, parent, seed) for name in present)


def _verdict(
    segment: str, rows: BoolArray, crps: dict[str, FloatArray], parent: npt.NDArray[np.str_], seed: int
) -> SegmentVerdict:
    means = {method: float(values[rows].mean()) for method, values in crps.items()}
    rival = min((method for method in means if method != MODEL), key=lambda method: means[method])
    parents = int(np.unique(parent[rows]).size)
    resamples = ParentBootstrap.of([parent[rows].astype(object)], seed)
    gains = resamples.mean_ratio(
        resamples.sums([(crps[rival] - crps[MODEL])[rows]]), resamples.sums([np.ones(int(rows.sum()))])
    )
    low, high = (float(bound) for bound in np.quantile(gains, (0.1, 0.9)))
    cases, gain = int(rows.sum()), means[rival] - means[MODEL]
    enough = cases >= FEWEST_CASES and parents >= FEWEST_PARENTS
    if not enough:
        says = f"too few to tell: {cases} cases of {parents} customers"
    elif low > 0:
        says = "use the model"
    elif high < 0:
        says = f"use the baseline: {LABELS[rival]}"
    else:
        says = f"no clear difference from the best simple method ({LABELS[rival]})"
    return SegmentVerdict(segment, cases, parents, means[MODEL], rival, means[rival], gain, low, high, says)
