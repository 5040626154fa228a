"""Keyed standard normals: the shocks of the simulation, each named by (seed, stream, what it belongs to, draw).

One hash gives the numbers of four draws, 16 bits each, and a table of 65,536 equally likely normals turns them into
values: a tenth of the work of the exact quantile function, and no event of a probability above 1 in 65,536 is lost.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import keyed_bits

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]

LANES = 4  # draws per hash
_LANE_BITS = np.uint64(16)
_DRAW_STEP = np.uint64(0xD1342543DE82EF95)  # an odd constant keeps (key, draw) pairs apart


def normals(seed: int, stream: str, codes: Codes, draws: int | npt.NDArray[np.intp]) -> Floats:
    """Standard normals keyed by (seed, stream, code, draw), shape (len(codes), draws).

    ``draws`` is a number of draws, or the numbers of the draws that are wanted: draw 7 is the same in both.
    """
    if isinstance(draws, int):
        return normals_between(seed, stream, codes, 0, draws).astype(np.float64)
    numbers = draws.astype(np.uint64)
    lane = (numbers % np.uint64(LANES)) * _LANE_BITS
    bits = keyed_bits(seed, stream, _cells(codes, numbers // np.uint64(LANES)))
    values = _normal_table().take(((bits >> lane) & np.uint64(0xFFFF)).astype(np.intp))
    return values.astype(np.float64)


def normals_between(seed: int, stream: str, codes: Codes, first: int, last: int) -> Floats32:
    """The normals of the draws ``first``..``last`` - 1, shape (len(codes), last - first), in single precision."""
    begin, end = first // LANES, -(-last // LANES)
    bits = keyed_bits(seed, stream, _cells(codes, np.arange(begin, end, dtype=np.uint64)))
    numbers = bits.astype("<u8", copy=False).view("<u2")  # lane 0 first, on every machine
    wanted = numbers[:, first - begin * LANES : last - begin * LANES]
    result: Floats32 = _normal_table().take(wanted)
    return result


def due_weeks(due_day: Integers) -> Integers:
    """ISO weeks since the epoch (weeks begin on Monday; 1970-01-01 was a Thursday)."""
    return (due_day + 3) // 7


def _cells(codes: Codes, numbers: Codes) -> Codes:
    with np.errstate(over="ignore"):
        result: Codes = codes[:, None] + numbers[None, :] * _DRAW_STEP
    return result


@lru_cache(maxsize=1)
def _normal_table() -> Floats32:
    from scipy.special import ndtri

    table: Floats32 = ndtri((np.arange(65_536) + 0.5) / 65_536).astype(np.float32)
    table.flags.writeable = False
    return table
