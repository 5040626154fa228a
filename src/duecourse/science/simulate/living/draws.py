"""The random numbers of one run: keyed by stream, entity and week, so that a policy changes thresholds, never draws.

``Draws.branched`` gives the same past and another future: the numbers of weeks from a branching week on come from
another seed. With the same branch the same future comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from duecourse.core.ids import uniform
from duecourse.science.simulate.customers import Codes, normal
from duecourse.science.simulate.living.inboxes import FAR
from duecourse.science.simulate.pay_calendar import Floats


@dataclass(frozen=True)
class Draws:
    """Keyed numbers of ``seed``; from ``branch_week`` on those of ``branch_seed``."""

    seed: int
    branch_week: int = FAR
    branch_seed: int = 0

    def branched(self, week: int, future: int) -> Draws:
        """The same numbers before ``week``; those of the ``future`` numbered so from it on (0: the same)."""
        return self if future == 0 else replace(self, branch_week=week, branch_seed=self.seed + 7_919_000_003 * future)

    def seed_of(self, week: int) -> int:
        """The seed that is in force in a week."""
        return self.branch_seed if week >= self.branch_week else self.seed

    def uniform(self, stream: str, codes: Codes, week: int) -> Floats:
        """Uniform numbers in [0, 1), shape of ``codes``."""
        return uniform(self.seed_of(week), stream, codes, week)

    def normal(self, stream: str, codes: Codes, week: int) -> Floats:
        """Standard normal numbers, shape of ``codes``."""
        return normal(self.seed_of(week), f"{stream} {week}", codes)
