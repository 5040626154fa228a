"""``RangeCounter``: how many of a stretch of values lie below a bound, for millions of questions at once.

A wavelet matrix (Claude, Navarro and Ordonez 2015, "The wavelet matrix") in NumPy: one bit level after the other, each
answered for all questions together. A question costs log2(n) look-ups, so a customer with 40,000 invoices costs no more
than 40,000 customers with one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Span = tuple[IntArray, IntArray]


class RangeCounter:
    """Counts over ``values`` (whole numbers) by position; build once, ask often.

    The values are ranked first, so their size does not matter, only their order.
    """

    def __init__(self, values: IntArray, *, alphabet: IntArray | None = None) -> None:
        self.alphabet: IntArray = np.unique(values) if alphabet is None else alphabet
        current = np.searchsorted(self.alphabet, values).astype(np.int32)
        self.levels = max(len(self.alphabet).bit_length(), 1)
        self.zeros_before: list[npt.NDArray[np.int32]] = []
        self.zeros: list[int] = []
        for level in range(self.levels - 1, -1, -1):
            is_zero = (current >> level) & 1 == 0
            before = np.zeros(len(values) + 1, dtype=np.int32)
            np.cumsum(is_zero, out=before[1:])
            self.zeros_before.append(before)
            self.zeros.append(int(before[-1]))
            current = np.concatenate([current[is_zero], current[~is_zero]])

    def below(self, span: Span, bound: IntArray) -> IntArray:
        """Number of positions in each [start, end) whose value is below its bound; shape of ``bound``."""
        start, end = span
        rank = np.searchsorted(self.alphabet, bound, side="left")
        low, high = start.astype(np.int64), np.maximum(end, start).astype(np.int64)
        total = np.zeros(bound.shape, dtype=np.int64)
        everything = rank >= 1 << self.levels
        for step, before in enumerate(self.zeros_before):
            bit = (rank >> (self.levels - 1 - step)) & 1 == 1
            zero_low, zero_high = before[low].astype(np.int64), before[high].astype(np.int64)
            total += np.where(bit, zero_high - zero_low, 0)
            low = np.where(bit, self.zeros[step] + low - zero_low, zero_low)
            high = np.where(bit, self.zeros[step] + high - zero_high, zero_high)
        return np.where(everything, end - start, total)

    def smallest_left(self, span: Span, gone: RangeCounter, gone_span: Span) -> IntArray:
        """Smallest value in ``span`` that remains when the values of ``gone`` in ``gone_span`` are taken away.

        What is gone must be part of what is there, and both counters must share one alphabet. Where nothing remains
        the answer is the largest value of the alphabet.
        """
        start, end = span
        low, high = start.astype(np.int64), np.maximum(end, start).astype(np.int64)
        gone_low, gone_high = gone_span[0].astype(np.int64), np.maximum(gone_span[1], gone_span[0]).astype(np.int64)
        rank = np.zeros(start.shape, dtype=np.int64)
        for step, before in enumerate(self.zeros_before):
            away = gone.zeros_before[step]
            zero_low, zero_high = before[low].astype(np.int64), before[high].astype(np.int64)
            away_low, away_high = away[gone_low].astype(np.int64), away[gone_high].astype(np.int64)
            left = (zero_high - zero_low) - (away_high - away_low) > 0
            rank = (rank << 1) | ~left
            low = np.where(left, zero_low, self.zeros[step] + low - zero_low)
            high = np.where(left, zero_high, self.zeros[step] + high - zero_high)
            gone_low = np.where(left, away_low, gone.zeros[step] + gone_low - away_low)
            gone_high = np.where(left, away_high, gone.zeros[step] + gone_high - away_high)
        result: IntArray = self.alphabet[np.minimum(rank, len(self.alphabet) - 1)]
        return result
