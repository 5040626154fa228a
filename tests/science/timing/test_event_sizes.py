from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.timing.event_sizes import learned_sizes
from duecourse.science.timing.signals import OFFSET_SD, OFFSETS

BROKEN = list(OFFSETS).index("promise_broken")


def _rows(n: int, kind: int) -> np.ndarray:
    active = np.zeros((n, len(OFFSETS)), dtype=bool)
    active[:, kind] = True
    return active


def test_without_events_the_priors_stay() -> None:
    nothing = np.zeros((0, len(OFFSETS)), dtype=bool)
    assert learned_sizes(nothing, np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0)) == dict(OFFSETS)


def test_many_events_outweigh_the_prior() -> None:
    """20,000 days after a broken promise with the hazard 10 % that the trees expect anyway: no effect is left."""
    n = 20_000
    paid = np.arange(n) % 10 == 0
    sizes = learned_sizes(_rows(n, BROKEN), np.full(n, np.log(1 / 9)), paid, np.ones(n))
    assert sizes["promise_broken"] == pytest.approx(0.0, abs=0.01)
    assert {kind: size for kind, size in sizes.items() if kind != "promise_broken"} == {
        kind: size for kind, size in OFFSETS.items() if kind != "promise_broken"
    }


def test_few_events_hardly_move_it_and_it_is_the_posterior_mode() -> None:
    paid = np.array([True, False, False])
    logit = np.array([-1.0, -2.0, -0.5])
    size = learned_sizes(_rows(3, BROKEN), logit, paid, np.ones(3))["promise_broken"]
    hazard = 1 / (1 + np.exp(-(logit + size)))
    slope = (paid - hazard).sum() - (size - OFFSETS["promise_broken"]) / OFFSET_SD["promise_broken"] ** 2
    assert slope == pytest.approx(0.0, abs=1e-5)
    assert abs(size - OFFSETS["promise_broken"]) < 0.1


def test_a_row_with_weight_two_counts_as_two() -> None:
    paid, logit = np.array([True, False]), np.array([-1.0, -2.0])
    weighted = learned_sizes(_rows(2, BROKEN), logit, paid, np.array([1.0, 2.0]))
    twice = learned_sizes(_rows(3, BROKEN), logit[[0, 1, 1]], paid[[0, 1, 1]], np.ones(3))
    assert weighted == twice
