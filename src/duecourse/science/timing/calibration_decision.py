"""Whether the model's curves are recalibrated: only when needed, and only if it helped in the month after.

Needed: a PIT tail outside .06-.14 on at least 1,000 mature cases of three monthly snapshots. Kept: the CRPS of the
snapshot after them does not rise. Where a model was calibrated already, recalibrating it did harm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from duecourse.science.timing.calibration import Recalibration, learn
from duecourse.science.timing.measures import Curves, crps_per_case
from duecourse.science.timing.pit import Pit, uniformity
from duecourse.science.timing.scored import MODEL, ScoredSet

TAIL = (0.06, 0.14)
FEWEST_CASES = 1_000
FIT_SNAPSHOTS = 3


def decide(snapshots: Sequence[Sequence[ScoredSet]]) -> tuple[Recalibration | None, str]:
    """Whether to recalibrate, from monthly snapshots in order: learnt on three, tested on the one after.

    The sets of the last snapshot must have kept their curves. Gives the table (None when not needed or not kept) and
    the reason in words.
    """
    if len(snapshots) <= FIT_SNAPSHOTS:
        return None, f"not judged: it takes {FIT_SNAPSHOTS + 1} monthly snapshots, {len(snapshots)} are there"
    past = [one for sets in snapshots[-1 - FIT_SNAPSHOTS : -1] for one in sets if MODEL in one.tallies]
    off = [words for name in ("new", "open") if (words := _off(name, past))]
    if not off:
        return None, "not needed: the model's own curves were calibrated"
    values = Pit(
        np.concatenate([one.tallies[MODEL].pit.value for one in past]),
        np.concatenate([one.tallies[MODEL].pit.paid for one in past]),
    )
    table = learn(values, np.concatenate([one.segments for one in past]))
    changes = [_crps_change(table, one) for one in snapshots[-1] if one.curves is not None]
    why = "; ".join(off)
    if not changes or any(change > 0 for change in changes):
        return None, f"{why}; a correction did not help the month after, so none is used"
    return table, f"{why}; corrected, which did not raise the CRPS of the month after"


def _off(name: str, past: Sequence[ScoredSet]) -> str:
    """What is wrong with the tails of one set, empty when nothing is or too few cases can tell."""
    values = [one.tallies[MODEL].pit for one in past if one.case_set.name == name]
    if not values:
        return ""
    pooled = Pit(np.concatenate([one.value for one in values]), np.concatenate([one.paid for one in values]))
    shape = uniformity(pooled)
    inside = all(TAIL[0] <= tail <= TAIL[1] for tail in (shape.below_10, shape.above_90))
    if inside or pooled.value.size < FEWEST_CASES:
        return ""
    return f"tails of {name} invoices {shape.below_10:.1%} early and {shape.above_90:.1%} late instead of 10 %"


def _crps_change(table: Recalibration, one: ScoredSet) -> float:
    """CRPS after minus before on one set that kept its curves."""
    assert one.curves is not None  # noqa: S101 - the caller looked
    cases = one.case_set.cases.take(one.case_set.cases.known_days >= one.case_set.horizon)
    after = Curves(table.apply(one.curves, one.segments))
    return float(crps_per_case(cases, after, one.case_set.horizon).mean() - one.crps[MODEL].mean())
