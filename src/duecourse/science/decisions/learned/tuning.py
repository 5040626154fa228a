"""What is learnt about the learning: the tenant's lag kernel and how far its coefficients spread (empirical Bayes).

Both are pure functions of the book. They are read from the rows up to a *milestone* - the 5,000th logged decision for
the kernel, the last of 5,000, 10,000, 20,000 ... for the spreads - so that they change seldom and for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from duecourse.science.decisions.learned.book import Book, Floats
from duecourse.science.decisions.learned.exposure import DEFAULT_KERNEL, KERNELS
from duecourse.science.decisions.learned.hazard_model import MODIFIER_NAMES, Columns, Posterior, Prior, design_of, fit
from duecourse.science.decisions.learned.panel import Past, past_of
from duecourse.science.decisions.learned.prior import ASSUMED_SPREAD, Learnt, Spread, mixed_prior

FIRST_MILESTONE = 5_000
EM_STEPS, EM_TOLERANCE = 10, 0.02
PRIOR_WEIGHT = 4.0
SMALLEST, LARGEST = 0.05, 1.0


@dataclass(frozen=True)
class Tuning:
    """The kernel and the spreads that a book has earned, and at how many decisions they were read."""

    lags: tuple[float, ...] = DEFAULT_KERNEL
    spread: Spread = ASSUMED_SPREAD
    kernel_at: int = 0
    spread_at: int = 0


def milestone(decisions: int) -> int:
    """The last of 5,000, 10,000, 20,000 ... that ``decisions`` has reached; 0 before the first."""
    if decisions < FIRST_MILESTONE:
        return 0
    return int(FIRST_MILESTONE * 2 ** int(np.log2(decisions / FIRST_MILESTONE)))


def tuning_of(book: Book, columns: Columns, learnt: Learnt | None, known: Tuning | None = None,
              trust: float = 0.0) -> Tuning:  # fmt: skip
    """The tuning that ``book`` has earned. ``known`` is an earlier answer for the same tenant: it only saves time."""
    reached = milestone(int(book.randomised.sum()))
    tuning = known if known is not None else Tuning()
    if not reached:
        return Tuning()
    prior = mixed_prior(columns, learnt, trust=trust)
    if not tuning.kernel_at:
        lags = choose_kernel(book, columns, prior)
        tuning = replace(tuning, lags=lags, kernel_at=FIRST_MILESTONE)
    if tuning.spread_at != reached:
        past = past_of(book, tuning.lags)
        spread = empirical_bayes(past, _weeks_before(book, reached), columns, learnt, trust)
        tuning = replace(tuning, spread=spread, spread_at=reached)
    return tuning


def choose_kernel(book: Book, columns: Columns, prior: Prior) -> tuple[float, ...]:
    """Of the twelve kernels the one under which the rows up to the first milestone have the largest evidence."""
    best, lags = -np.inf, DEFAULT_KERNEL
    start: Floats | None = None
    for candidate in (DEFAULT_KERNEL, *(kernel for kernel in KERNELS if kernel != DEFAULT_KERNEL)):
        past = past_of(book, candidate)
        kept = past.panel.ago >= _weeks_before(book, FIRST_MILESTONE)
        posterior = fit(design_of(past.panel, columns, kept), prior, start)
        start = posterior.mode
        if posterior.evidence > best:
            best, lags = posterior.evidence, candidate
    return lags


def _weeks_before(book: Book, number: int) -> int:
    """Full weeks from the decision with that ``number`` to today."""
    days = np.sort(book.decision_day[book.randomised])
    return max(int(book.as_of - days[number - 1]) // 7, 1)


def empirical_bayes(past: Past, ago: int, columns: Columns, learnt: Learnt | None, trust: float) -> Spread:
    """One spread per group of coefficients by expectation-maximisation with a weight of four on the assumed one."""
    design = design_of(past.panel, columns, past.panel.ago >= ago)
    assumed = spread = ASSUMED_SPREAD
    start: Floats | None = None
    for _ in range(EM_STEPS):
        prior = mixed_prior(columns, learnt, spread, trust)
        posterior = fit(design, prior, start)
        start = posterior.mode
        updated = Spread(*(
            _spread_of(posterior, prior, members, getattr(assumed, name))
            for name, members in groups_of(columns).items()
        ))  # fmt: skip
        change = max(abs(getattr(updated, name) / getattr(spread, name) - 1) for name in groups_of(columns))
        spread = updated
        if change < EM_TOLERANCE:
            break
    return spread


def groups_of(columns: Columns) -> dict[str, list[int]]:
    """Coefficients whose spread is learnt together, by the field of ``Spread``."""
    groups: dict[str, list[int]] = {"mu": [], "delta": [], "phi": [], "segment": [], "batch": []}
    for at, name in enumerate(columns.names):
        kind = name.partition(":")[0]
        if kind in ("mu", "delta", "segment"):
            groups[kind].append(at)
        elif kind in MODIFIER_NAMES and ":" in name:
            groups["phi"].append(at)
        elif name.startswith("batchness"):
            groups["batch"].append(at)
    return groups


def _spread_of(posterior: Posterior, prior: Prior, members: list[int], assumed: float) -> float:
    distance = prior.own_deviation(posterior.mode)[members] ** 2 + posterior.sd[members] ** 2
    squared = (float(distance.sum()) + PRIOR_WEIGHT * assumed**2) / (len(members) + PRIOR_WEIGHT)
    return float(np.clip(np.sqrt(squared), SMALLEST, LARGEST))
