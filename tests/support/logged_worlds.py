"""Logged decisions as arrays from small worlds with a known truth: fixed and learning logging policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.evaluate.logged import Logged


@dataclass(frozen=True)
class Shape:
    """Size of a world: ``decisions`` over ``payers``, ``actions`` whose effects differ by ``segments``."""

    decisions: int = 2000
    per_payer: int = 8
    actions: int = 6
    segments: int = 8
    eps: float = 0.1
    batches: int = 10
    payer_sd: float = 0.08


def learning_world(seed: int, shape: Shape | None = None) -> tuple[Logged, float]:
    """A log written by averaged Thompson sampling that learns batch by batch, and the true gain of the best policy.

    Outcomes are 0 or 1 with chance base(segment) + effect(segment, action) + payer; effects are 2 to 5 points, a third
    of them harmful. B always takes the best action of the segment.
    """
    size = shape or Shape()
    g = np.random.default_rng(seed)
    k, segments, n = size.actions, size.segments, size.decisions
    base = g.uniform(0.2, 0.5, segments)
    sign = g.choice([1.0, 1.0, -0.5], (segments, k - 1))
    effect = np.column_stack([np.zeros(segments), g.uniform(0.02, 0.05, (segments, k - 1)) * sign])
    mean = base[:, None] + effect
    best = np.eye(k)[mean.argmax(axis=1)]
    payers = n // size.per_payer
    segment_of, payer_effect = g.integers(0, segments, payers), g.normal(0, size.payer_sd, payers)
    won, lost = np.ones((segments, k)), np.ones((segments, k))
    parts: list[tuple[npt.NDArray[np.float64], ...]] = []
    level = []
    for _ in range(size.batches):
        draws = g.beta(np.repeat(won[None], 64, 0), np.repeat(lost[None], 64, 0))
        policy = np.eye(k)[draws.argmax(axis=2)].mean(axis=0)
        policy = (1 - size.eps) * policy + size.eps / k
        payer = g.integers(0, payers, n // size.batches)
        segment = segment_of[payer]
        action = (policy[segment].cumsum(axis=1) < g.random(len(payer))[:, None]).sum(axis=1).clip(0, k - 1)
        chance = np.clip(mean[segment, action] + payer_effect[payer], 0, 1)
        outcome = (g.random(len(payer)) < chance).astype(float)
        np.add.at(won, (segment, action), outcome)
        np.add.at(lost, (segment, action), 1 - outcome)
        parts.append((payer, segment, action, outcome, policy[segment]))
        level.append((policy * mean).sum(axis=1))
    payer, segment, action, outcome, propensities = (np.concatenate(part) for part in zip(*parts, strict=True))
    truth = float(((best * mean).sum(axis=1) - np.mean(level, axis=0)).mean())
    logged = Logged(
        np.eye(segments)[segment][:, 1:], action, propensities[np.arange(len(action)), action], outcome, payer,
        best[segment], propensities,
    )  # fmt: skip
    return logged, truth


def fixed_log(
    seed: int, *, n: int = 400, spread: tuple[float, ...] = (0.5, 0.3, 0.2), gain: float = 0.0, per_payer: int = 4
) -> Logged:
    """A log of a fixed policy; action 1 pays ``gain`` more often than the others; B always takes action 1."""
    g = np.random.default_rng(seed)
    k = len(spread)
    action = g.choice(k, size=n, p=spread)
    features = g.normal(size=(n, 2))
    chance = np.clip(0.4 + 0.05 * features[:, 0] + gain * (action == 1), 0, 1)
    outcome = (g.random(n) < chance).astype(float)
    propensities = np.tile(np.array(spread), (n, 1))
    target = np.tile(np.eye(k)[1], (n, 1))
    return Logged(features, action, propensities[np.arange(n), action], outcome, np.arange(n) // per_payer, target,
                  propensities)  # fmt: skip
