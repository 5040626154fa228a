"""From a comparison to one honest sentence: better, worse, cannot tell yet, or no answer at all, and what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from duecourse.science.evaluate.intervals import Interval
from duecourse.science.evaluate.off_policy import LEAST_ESS, LEAST_OVERLAP, Support

Answer = Literal["better", "worse", "cannot_tell", "refused"]
_MOST = 100_000_000  # beyond this the number is a way of saying never


@dataclass(frozen=True, slots=True)
class Verdict:
    """``answer``, the sentence for it, and how many more decisions of the same kind it takes (None: none will do)."""

    answer: Answer
    sentence: str
    more_decisions: int | None


def decisions_for_support(found: Support) -> int | None:
    """About how many more decisions of the same kind lift the effective number to 200; None when overlap is missing.

    Decisions of the same kind raise the effective number in proportion and leave the overlap as it is.
    """
    if found.overlap < LEAST_OVERLAP or found.ess <= 0:
        return None
    return max(0, math.ceil(found.n * (LEAST_ESS / found.ess - 1)))


def decisions_to_tell(gain: Interval, n: int, *, smallest: float) -> int | None:
    """About how many more decisions until an effect of this size leaves 0 outside its interval.

    ``N = n ((half-width / max(|estimate|, smallest))^2 - 1)`` for the same logging policy, ``smallest`` being the
    smallest effect of interest in the outcome's unit; None when the width is not known.
    """
    if not math.isfinite(gain.half_width):
        return None
    more = n * ((gain.half_width / max(abs(gain.estimate), smallest)) ** 2 - 1)
    return min(max(0, math.ceil(more)), _MOST)


def judge(found: Support, gain: Interval, *, smallest: float, higher_is_better: bool = True) -> Verdict:
    """The verdict on one outcome. ``gain`` is B minus what was done, in the outcome's own direction."""
    if not found.suffices:
        return refusal(found)
    if gain.low <= 0 <= gain.high:
        more = decisions_to_tell(gain, found.n, smallest=smallest)
        needed = "nobody can say how many more decisions it takes" if more is None else f"about {_round(more)} more"
        tail = "" if more is None else f" decision{'s' if more != 1 else ''} of the same kind"
        return Verdict("cannot_tell", f"cannot tell yet; {needed}{tail}", more)
    better = (gain.low > 0) == higher_is_better
    return Verdict("better" if better else "worse", "would have done better" if better else "would have done worse", 0)


def refusal(found: Support) -> Verdict:
    """Why no answer is given, with what would mend it."""
    if found.overlap < LEAST_OVERLAP:
        sentence = (
            f"no answer: only {found.overlap:.0%} of what it would do was ever tried with a chance of 1 % or more "
            f"(needed {LEAST_OVERLAP:.0%}); more decisions of the same kind will not help, the missing acts must be "
            "drawn at random now and then"
        )
        return Verdict("refused", sentence, None)
    more = decisions_for_support(found)
    sentence = (
        f"no answer: the {found.n:,} decisions say as much as {found.ess:,.0f} (needed {LEAST_ESS:g}); "
        + ("no number of decisions of the same kind mends that" if more is None else f"needs about {_round(more)} more")
        + ("" if more is None else " decisions of the same kind")
    )
    return Verdict("refused", sentence, more)


def _round(number: int) -> str:
    """Two leading digits: more would claim a precision that nobody has."""
    if number < 100:
        return str(number)
    unit = 10 ** (len(str(number)) - 2)
    return f"{math.ceil(number / unit) * unit:,}"
