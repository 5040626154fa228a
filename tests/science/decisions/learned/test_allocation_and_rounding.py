"""Allocation against the linear programme, and lots with exact probabilities and exact counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.allocation import (
    Limits,
    allocate_draws,
    classes_of,
    is_scarce,
    limits_of,
    value_of,
)
from duecourse.science.decisions.learned.book import ARM, NEVER_EXPLORED, NONE, Resources
from duecourse.science.decisions.learned.rounding import draw, planned

A = len(ARMS)


def resources(minutes: float = 240.0, messages: float = float("inf"), letters: float = float("inf")) -> Resources:
    exists = np.ones(A, dtype=bool)
    needs = np.zeros(A)
    needs[[ARM["call_service"], ARM["call_firm"]]] = 12
    needs[ARM["call_plan"]] = 15
    return Resources(exists, np.zeros(A), needs, minutes, messages=messages, letters=letters)


def qualities(rng: np.random.Generator, draws: int, points: int) -> np.ndarray:
    quality = rng.lognormal(3, 1.2, (draws, points, A)) - 20
    quality[:, rng.random((points, A)) < 0.3] = -np.inf
    quality[:, :, NONE] = 0
    return quality


def best_possible(quality: np.ndarray, limits: Limits) -> float:
    """The linear programme's value (HiGHS)."""
    points = quality.shape[0]
    row, arm = np.nonzero(np.isfinite(quality))
    column = np.arange(row.size)
    one_each = coo_matrix((np.ones(row.size), (row, column)), shape=(points, row.size))
    use = coo_matrix(limits.use[:, arm])
    found = linprog(-quality[row, arm], A_ub=use, b_ub=limits.total, A_eq=one_each, b_eq=np.ones(points), bounds=(0, 1))
    assert found.status == 0
    return float(-found.fun)


@pytest.mark.parametrize(("points", "allowed_gap"), [(300, 0.004), (3000, 0.001)])
def test_the_allocation_is_close_to_the_linear_programme(points: int, allowed_gap: float) -> None:
    rng = np.random.default_rng(points)
    quality = qualities(rng, 2, points)
    limits = limits_of(resources(points * 1.0, messages=points * 0.3, letters=points * 0.05))
    made = allocate_draws(quality, limits)
    for at in range(2):
        optimum = best_possible(quality[at], limits)
        value = value_of(quality, made.arm)[at]
        assert value <= optimum + 1e-6
        assert value >= optimum * (1 - allowed_gap)
        assert made.bound[at] >= optimum - 1e-6 * optimum


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1), st.floats(0, 300), st.integers(0, 40), st.integers(0, 5))
def test_no_limit_is_exceeded_and_no_masked_arm_chosen(
    points: int, seed: int, minutes: float, messages: int, letters: int
) -> None:
    quality = qualities(np.random.default_rng(seed), 3, points)
    limits = limits_of(resources(minutes, float(messages), float(letters)))
    made = allocate_draws(quality, limits)
    for at in range(3):
        assert np.all(limits.use[:, made.arm[at]].sum(axis=1) <= limits.total + 1e-6)
        assert np.all(np.isfinite(quality[at, np.arange(points), made.arm[at]]))
        assert value_of(quality, made.arm)[at] >= 0  # none for all is always possible
    if minutes == 0:
        assert not np.isin(made.arm, [ARM["call_service"], ARM["call_plan"]]).any()


def test_without_limits_everybody_gets_their_best_arm() -> None:
    quality = qualities(np.random.default_rng(1), 2, 50)
    made = allocate_draws(quality, limits_of(resources(1e9)))
    np.testing.assert_allclose(value_of(quality, made.arm), quality.max(axis=2).sum(axis=1))
    assert not made.prices.any()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 50), st.integers(0, 2**32 - 1), st.floats(0, 200), st.integers(1, 40))
def test_propensities_sum_to_one_and_cover_what_is_allowed(
    points: int, seed: int, minutes: float, messages: int
) -> None:
    rng = np.random.default_rng(seed)
    limits = limits_of(resources(minutes, float(messages)))
    quality = qualities(rng, 16, points)
    allowed = np.isfinite(quality[0])
    chances = planned(allocate_draws(quality, limits).arm, allowed, limits)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-9)
    assert chances.min() >= 0
    assert not chances[~allowed].any()
    kind = classes_of(limits)
    for code in range(1, kind.max() + 1):
        total = chances[:, kind == code].sum()
        assert abs(total - round(total)) < 1e-6
    assert np.all((chances @ limits.use.T).sum(axis=0) <= limits.total + 1e-6)
    picked = draw(chances, kind, rng)
    assert np.all(chances[np.arange(points), picked] > 0)
    for code in range(1, kind.max() + 1):  # exact counts in each draw
        assert np.isin(picked, np.flatnonzero(kind == code)).sum() == round(chances[:, kind == code].sum())


def test_exploration_reaches_automated_arms_and_never_harsh_ones() -> None:
    limits = limits_of(resources(0.0))
    plans = np.zeros((64, 20), dtype=np.int64)
    chances = planned(plans, np.ones((20, A), dtype=bool), limits)
    assert not chances[:, [arm for arm in NEVER_EXPLORED if arm != NONE]].any()
    assert not chances[:, is_scarce(limits)].any()
    assert (chances[:, [ARM["email_soft"], ARM["email_neutral"]]] >= 0.01 - 1e-9).all()


def test_exploration_costs_no_call_that_the_plans_would_make() -> None:
    """64 plans of seven calls each: seven calls are drawn, though exploration alone would leave 6.65 and thus six."""
    rng = np.random.default_rng(3)
    limits = limits_of(resources(7 * 12.0, 1000.0))
    plans = np.zeros((64, 40), dtype=np.int64)
    for plan in plans:
        plan[rng.choice(12, 7, replace=False)] = ARM["call_service"]
    chances = planned(plans, np.ones((40, A), dtype=bool), limits)
    calls = chances[:, ARM["call_service"]]
    assert calls.sum() == pytest.approx(7, abs=1e-9)
    assert not calls[12:].any()  # nobody is called whom no plan calls
    assert calls.max() < 1
    assert (chances @ limits.use[0]).sum() <= limits.total[0] + 1e-9
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-12)
    assert chances.min() >= 0
    idle = plans.copy()
    idle[0] = NONE  # on average 6.9 calls: no seventh is invented
    assert planned(idle, np.ones((40, A), dtype=bool), limits)[:, ARM["call_service"]].sum() == pytest.approx(6)


def test_frequencies_are_the_logged_probabilities() -> None:
    """Rms z over all uncertain (point, arm) pairs between .95 and 1.05; class counts exact every time."""
    rng = np.random.default_rng(9)
    limits = limits_of(resources(600.0, 80.0))
    quality = rng.normal(0, 20, (24, 200, A)) + rng.normal(0, 20, (200, A))
    quality[:, :, NONE] = 0
    chances = planned(allocate_draws(quality, limits).arm, np.ones((200, A), dtype=bool), limits)
    kind = classes_of(limits)
    number = 700
    hits = np.zeros_like(chances)
    calls = set()
    for _ in range(number):
        picked = draw(chances, kind, rng)
        hits[np.arange(200), picked] += 1
        calls.add(int(np.isin(picked, np.flatnonzero(kind == kind[ARM["call_service"]])).sum()))
    assert len(calls) == 1
    open_ones = (chances > 0.002) & (chances < 0.998)
    z = (hits - number * chances)[open_ones] / np.sqrt(number * chances * (1 - chances))[open_ones]
    assert 0.95 <= np.sqrt(np.mean(z**2)) <= 1.05
