"""Learn the shipped prior: random logs of perturbed companies, one fit each, then what they have in common.

    python benchmarks/learn_prior.py

Worlds: family(1) .. family(8), each with the losses of a book in distress and with those of a healthy one; 5,000
customers, 52 weeks of contacts drawn by lot, four times the usual calls. Each world is fitted with the learner's own
model under its cold prior. The worlds' coefficients are then taken as draws from one normal distribution per
coefficient (random effects, expectation-maximisation): its mean and spread are the prior of a company that was not
seen. Written to the package as data.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from learned_glue import NOT_OFFERED, book_of

from duecourse.core.ids import sha256_hex, uniform
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.hazard_model import Columns, design_of, fit
from duecourse.science.decisions.learned.panel import past_of
from duecourse.science.decisions.learned.policy import NOT_MODELLED
from duecourse.science.decisions.learned.prior import cold_prior
from duecourse.science.decisions.learned.tuning import groups_of
from duecourse.science.decisions.learned.write_off import loss_coefficients
from duecourse.science.simulate.living import Book, Capacity, Decided, Living, LivingWorld
from duecourse.science.simulate.living.family import family

TARGET = Path(__file__).parent.parent / "src/duecourse/science/decisions/learned/data/prior.json"
NUMBERS, LOSSES = range(1, 9), ("base", "healthy")
CUSTOMERS, WEEKS, SEED = 5000, 52, 1
MORE_CALLS = 4.0  # so that calls are measured as well as mails
REST = 0.4
EM_STEPS, GROUP_WEIGHT = 40, 4.0
SMALLEST_SPREAD = 0.05  # [A] a real company differs from the simulated ones by more than these do from each other
COLUMNS = Columns(tuple(
    code for code, name in enumerate(ARMS) if name not in NOT_OFFERED and code not in NOT_MODELLED
))  # fmt: skip


@dataclass(frozen=True)
class Likelihood:
    """What one world says: the quadratic log-likelihood around its best coefficients, rows, and how it loses."""

    name: str
    precision: np.ndarray
    score: np.ndarray
    rows: int
    lost: np.ndarray


def by_lot(book: Book, capacity: Capacity, seed: int) -> Decided:
    """Nothing with 40 %, calls as far as the capacity goes, everything else allowed in equal parts; logged."""
    point = np.flatnonzero(book.allowed[:, list(COLUMNS.arms)].any(axis=1))
    drawn = np.zeros((point.size, len(ARMS)), dtype=bool)
    drawn[:, list(COLUMNS.arms)] = book.allowed[np.ix_(point, list(COLUMNS.arms))]
    calls = np.array([name.startswith("call") for name in ARMS])
    callable_points = max(int((drawn & calls).any(axis=1).sum()), 1)
    chances = np.where(drawn & calls, min(capacity.calls / callable_points, (1 - REST) / 2), 0.0)
    chances /= np.maximum((drawn & calls).sum(axis=1), 1)[:, None]
    written = drawn & ~calls
    left = 1 - REST - chances.sum(axis=1, keepdims=True)
    chances += np.where(written, left / np.maximum(written.sum(axis=1, keepdims=True), 1), 0.0)
    chances[:, 0] = 0
    chances[:, 0] = 1 - chances.sum(axis=1)
    lot = uniform(seed, "prior log", point.astype(np.uint64), book.week)
    arm = (lot[:, None] >= np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1).astype(np.int64)
    return Decided(point, arm, chances)


def widened(spec: Living) -> Living:
    """The world with so many customers and room for more calls."""
    calls = MORE_CALLS * spec.rules.calls_per_customer_week
    company = replace(spec.company, customers=CUSTOMERS)
    return replace(spec, company=company, rules=replace(spec.rules, calls_per_customer_week=calls))


def likelihood_of(name: str, spec: Living) -> Likelihood:
    """Simulate, log, fit, and take the cold prior out again."""
    world = LivingWorld(spec, SEED, WEEKS)
    house = world.stepper()
    until = house.week + WEEKS
    while house.week < until:
        house.apply(by_lot(house.book(), house.capacity, SEED))
    panel = past_of(book_of(house.book())).panel
    prior = cold_prior(COLUMNS)
    design = design_of(panel, COLUMNS)
    posterior = fit(replace(design, weight=np.ones(design.paid.size)), prior)  # nothing drifts away here
    precision = posterior.hessian - np.diag(prior.precision)
    score = posterior.hessian @ posterior.mode - prior.precision * prior.mean
    print(f"{name}: {panel.rows:,} rows, {int(panel.lost.sum())} lost", flush=True)
    return Likelihood(name, precision, score, panel.rows, loss_coefficients(panel))


def in_common(worlds: list[Likelihood]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each coefficient over companies, and the standard deviation with which a new one is to be expected."""
    cold = cold_prior(COLUMNS)
    mean, spread = cold.mean.copy(), cold.sd**2
    groups = list(groups_of(COLUMNS).values())
    for _ in range(EM_STEPS):
        first, second = np.zeros_like(mean), np.zeros_like(mean)
        modes = []
        for world in worlds:
            covariance = np.linalg.inv(world.precision + np.diag(1 / spread))
            modes.append(covariance @ (world.score + mean / spread))
            second += np.diag(covariance) + modes[-1] ** 2
            first += modes[-1]
        mean = (first / spread + cold.precision * cold.mean) / (len(worlds) / spread + cold.precision)
        own = second / len(worlds) - 2 * mean * first / len(worlds) + mean**2
        for members in groups:  # few worlds: a coefficient's spread leans on that of its kind
            typical = own[members].mean()
            own[members] = (len(worlds) * own[members] + GROUP_WEIGHT * typical) / (len(worlds) + GROUP_WEIGHT)
        spread = np.maximum(own, SMALLEST_SPREAD**2)
    return mean, np.sqrt(spread * (1 + 1 / len(worlds)))


def main() -> int:
    """Learn and write; prints what came out for the mean effects."""
    specs = [widened(family(number, losses)) for number in NUMBERS for losses in LOSSES]
    worlds = [likelihood_of(spec.name, spec) for spec in specs]
    mean, sd = in_common(worlds)
    content = {
        "name": "family-1-8",
        "about": (
            f"{len(worlds)} simulated companies, {CUSTOMERS} customers x {WEEKS} weeks each, "
            f"{sum(world.rows for world in worlds):,} overdue invoice-weeks with contacts drawn by lot"
        ),
        "world_hash": sha256_hex(*(json.dumps(spec.as_json(), sort_keys=True).encode() for spec in specs))[:16],
        "losses": [round(float(value), 4) for value in np.mean([world.lost for world in worlds], axis=0)],
        "coefficients": {
            name: [round(float(centre), 4), round(float(wide), 4)]
            for name, centre, wide in zip(COLUMNS.names, mean, sd, strict=True)
        },
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for name, centre, wide in zip(COLUMNS.names, mean, sd, strict=True):
        if name.startswith("mu:"):
            print(f"{name:24s} {centre:+.2f} +- {wide:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
