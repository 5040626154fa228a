"""``family(k)``: the k-th random relative of ``base`` (odd k) or ``healthy`` (even k), for priors and development.

Base rates move by up to .4 log-odds, effects by up to .3 and all together by a factor of .6 to 1.3; type mixes and
pay-runs are drawn around their start values; seasons, losses and capacities are scaled. Members 1-8 are for learning a
shipped prior, 9-99 for development, from 1000 on for acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from duecourse.science.simulate.living.spec import Effects, Living, load_living
from duecourse.science.simulate.world import PayerType, Runs, World

CONCENTRATION = 30.0  # how near the mixes stay to their start values
CLOSED = 1e-9


def family(number: int, losses: str | None = None, changes: Mapping[str, Any] | None = None) -> Living:
    """Member ``number`` (1, 2, ...), a relative of the world ``losses`` (default: by its number), after ``changes``.

    ``changes`` are values as in a world file, put over the start world before anything is drawn. Raises ValueError for
    a number below 1.
    """
    if number < 1:
        raise ValueError(f"members of the family are numbered from 1, got {number}")
    rng = np.random.Generator(np.random.Philox(number))
    start = load_living(losses or ("base" if number % 2 else "healthy"), changes)
    company = start.company
    worse = float(np.exp(rng.uniform(-0.5, 0.5)))
    season = float(rng.uniform(0.5, 1.5))
    mixes = _near(rng, [each.mix for each in company.types.values()])
    runs = _near(rng, [company.runs.weekly, company.runs.fortnightly, company.runs.month_end, company.runs.daily])
    types = {
        name: _moved(each, rng, mix, worse) for (name, each), mix in zip(company.types.items(), mixes, strict=True)
    }
    payer = replace(
        company.payer, month_end_logit=season * company.payer.month_end_logit,
        august_logit=season * company.payer.august_logit, year_end_logit=season * company.payer.year_end_logit,
    )  # fmt: skip
    relative: World = replace(company, types=types, payer=payer, runs=Runs(*runs))
    calls = start.rules.calls_per_customer_week * float(rng.uniform(0.7, 1.3))
    return replace(
        start, name=f"family-{number}-{start.name}", about=f"a random relative of {start.name}", company=relative,
        effects=_other_effects(start.effects, rng), rules=replace(start.rules, calls_per_customer_week=calls),
    )  # fmt: skip


def _near(rng: np.random.Generator, shares: list[float]) -> list[float]:
    drawn = rng.dirichlet(CONCENTRATION * np.array(shares)) + CLOSED
    return [float(share) for share in drawn / drawn.sum()]


def _moved(kind: PayerType, rng: np.random.Generator, mix: float, worse: float) -> PayerType:
    def shift(chance: float) -> float:
        return float(1 / (1 + (1 - chance) / chance * np.exp(-rng.uniform(-0.4, 0.4))))

    return replace(
        kind, mix=mix, late=shift(kind.late), hazard=shift(kind.hazard),
        month_end_hazard=shift(kind.month_end_hazard) if kind.month_end_hazard else 0.0,
        write_off=worse * kind.write_off,
    )  # fmt: skip


def _other_effects(effects: Effects, rng: np.random.Generator) -> Effects:
    scale = float(rng.uniform(0.6, 1.3))
    moved: Mapping[str, Mapping[str, float]] = {
        kind: {arm: effect + float(rng.uniform(-0.3, 0.3)) for arm, effect in row.items()}
        for kind, row in effects.by_type.items()
    }
    return replace(effects, scale=scale, by_type=moved)
