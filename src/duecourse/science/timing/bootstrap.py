"""``ParentBootstrap``: resamples of whole parents over several scored sets, for intervals that respect dependence.

All invoices of a parent rise and fall together, in every snapshot: a resample draws parents, with all their cases in
all sets at once. Draws are keyed by parent id, so no row order matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes, uniform

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

REPLICATES = 400


@dataclass(frozen=True)
class ParentBootstrap:
    """``times``: how often each parent stands in each resample, shape (400, parents); ``rows``: each case's parent."""

    times: FloatArray
    rows: tuple[IntArray, ...]

    @classmethod
    def of(cls, parents: Sequence[TextArray], seed: int) -> ParentBootstrap:
        """Resamples of the parents that occur in any set; ``parents`` holds the parent id of each case, set by set."""
        known = np.unique(np.concatenate([one.astype(str) for one in parents]))
        codes = key_codes(known.tolist())
        times = np.empty((REPLICATES, known.size))
        for replicate in range(REPLICATES):
            drawn = (uniform(seed, "gate-bootstrap", codes, step=replicate) * known.size).astype(np.int64)
            times[replicate] = np.bincount(drawn, minlength=known.size)
        return cls(times, tuple(np.searchsorted(known, one.astype(str)) for one in parents))

    def sums(self, values: Sequence[FloatArray]) -> FloatArray:
        """Sum of each set's values in each resample, shape (400, sets); ``values`` holds one array per set."""
        size = self.times.shape[1]
        by_parent = [
            np.bincount(row, weights=value, minlength=size) for row, value in zip(self.rows, values, strict=True)
        ]
        result: FloatArray = self.times @ np.column_stack(by_parent)
        return result

    def mean_ratio(self, over: FloatArray, under: FloatArray) -> FloatArray:
        """Mean over the sets of ``over / under``, shape (400,); a set that a resample misses altogether is left out."""
        some = under > 0
        ratio = np.divide(over, under, out=np.zeros_like(over), where=some)
        result: FloatArray = ratio.sum(axis=1) / np.maximum(some.sum(axis=1), 1)
        return result
