"""A holdout: a share of the payers that stays with the fixed rule for good, spread over sizes and segments.

Drawn by a keyed hash, so that the same payers are in it whoever asks. It guards (does anything get worse?), it cannot
prove: on 5 to 10 % of the payers only effects of several points of money show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from duecourse.core.ids import key_codes, uniform

SHARE = 0.05
DECILES = 10
_NOBODY: frozenset[str] = frozenset()


def size_deciles(sizes: Sequence[float]) -> list[int]:
    """Decile 0..9 of each size, ties and small books included; 0 are the smallest."""
    values = np.asarray(sizes, dtype=np.float64)
    if not len(values):
        return []
    cuts = np.quantile(values, np.arange(1, DECILES) / DECILES)
    return [int(place) for place in np.searchsorted(cuts, values, side="left")]


def holdout(
    strata: Mapping[str, str], *, already: frozenset[str] = _NOBODY, settled: frozenset[str] = _NOBODY,
    share: float = SHARE, seed: int = 0,
) -> frozenset[str]:  # fmt: skip
    """The payers in the holdout; ``strata``: payer -> stratum (size decile and segment), ``already``: held out before.

    Whoever is in stays in, also when his stratum changes, and who is ``settled`` (was under the policy while others
    were held out) stays out: nobody changes sides. Within each stratum the new ones come from the others with the
    lowest keyed hash, as many as keep the stratum at ``share``; the fraction of a payer is decided by the stratum's own
    hash, so that small strata are held out in proportion too. The same payers, seed, ``already`` and ``settled`` give
    the same answer in any order. Raises ValueError unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share of the holdout lies between 0 and 1, got {share}")
    by_stratum: dict[str, list[str]] = {}
    for payer in sorted(strata):
        by_stratum.setdefault(strata[payer], []).append(payer)
    chosen = set(already & set(strata))
    for stratum, members in sorted(by_stratum.items()):
        coin = float(uniform(seed, "evaluate/holdout/stratum", key_codes([stratum]))[0])
        wanted = int(share * len(members) + coin)
        held = sum(payer in already for payer in members)
        free = [payer for payer in members if payer not in already and payer not in settled]
        draws = uniform(seed, "evaluate/holdout", key_codes(free))
        order = sorted(range(len(free)), key=lambda place: (float(draws[place]), free[place]))
        chosen |= {free[place] for place in order[: max(0, wanted - held)]}
    return frozenset(chosen)
