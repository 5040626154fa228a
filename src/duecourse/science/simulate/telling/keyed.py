"""``Luck``: the random numbers of the telling, in streams of their own, so that no payer's fate hangs on a text.

Every draw is keyed by (seed, "telling" and what is drawn, id of the thing). The same ledger is told in the same words,
and what a later ledger adds changes no earlier word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from duecourse.core.ids import key_codes, uniform
from duecourse.science.simulate.customers import Codes
from duecourse.science.simulate.pay_calendar import Floats, Ints

T = TypeVar("T")


@dataclass(frozen=True)
class Luck:
    """Keyed draws of one telling."""

    seed: int

    def of(self, what: str, ids: Iterable[str]) -> Floats:
        """One uniform number in [0, 1) per id for this purpose."""
        return self.at(what, key_codes(ids))

    def at(self, what: str, codes: Codes, step: int = 0) -> Floats:
        """The same for keys that are codes already (``core.ids.key_codes``)."""
        return uniform(self.seed, f"telling {what}", codes, step)

    def whole(self, what: str, ids: Iterable[str], below: int) -> Ints:
        """One whole number 0 .. ``below`` - 1 per id."""
        return np.floor(below * self.of(what, ids)).astype(np.int64)

    def own(self, key: str) -> Fortune:
        """The numbers of one thing, for texts that are written one by one."""
        return Fortune(self.seed, key)


class Fortune:
    """A keyed sequence for one text: ``roll("greeting")`` always gives the same number for the same key and name."""

    def __init__(self, seed: int, key: str) -> None:
        self._seed = seed
        self._code = int(key_codes([key])[0])

    def roll(self, what: str) -> float:
        """A uniform number in [0, 1)."""
        mixed = (self._code ^ (_name_code(what, self._seed) * 0xD6E8FEB86659FD93)) & _MASK
        for _ in range(2):
            mixed = (mixed + 0x9E3779B97F4A7C15) & _MASK
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
            mixed ^= mixed >> 31
        return (mixed >> 11) * 2.0**-53

    def below(self, what: str, count: int) -> int:
        """A whole number 0 .. ``count`` - 1."""
        return int(self.roll(what) * count)

    def pick(self, what: str, options: Sequence[T]) -> T:
        """One of the options. Raises IndexError when there is none."""
        return options[self.below(what, len(options))]

    def chance(self, what: str, share: float) -> bool:
        """True with this probability."""
        return self.roll(what) < share


_MASK = (1 << 64) - 1
_NAMES: dict[tuple[str, int], int] = {}


def _name_code(what: str, seed: int) -> int:
    """Code of a draw's name; kept, since there are few names and very many draws."""
    code = _NAMES.get((what, seed))
    if code is None:
        code = _NAMES[what, seed] = int(key_codes([f"{seed}/telling/{what}"])[0]) | 1
    return code
