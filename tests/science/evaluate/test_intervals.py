"""Clustered, exact and always-valid intervals: by hand, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.evaluate.intervals import (
    Interval,
    betting_bound,
    clustered_error,
    clustered_interval,
    confidence_sequence,
    degrees_of_freedom,
    sequence_factor,
)


def test_clustered_error_by_hand() -> None:
    values = np.array([1.0, 1, -1, -1])
    # clusters (1, 1) and (-1, -1): sums 2 and -2, (4 + 4) x 2/1 / 16 = 1
    assert clustered_error(values, np.array([0, 0, 1, 1])) == pytest.approx(1.0)
    # each alone: 4 x 4/3 / 16
    assert clustered_error(values, np.arange(4)) == pytest.approx(math.sqrt(1 / 3))
    # opposite within a payer: nothing is left
    assert clustered_error(values, np.array([0, 1, 0, 1])) == pytest.approx(0.0)
    assert clustered_error(values, np.zeros(4, dtype=int)) == math.inf


def test_few_heavy_clusters_leave_few_degrees_of_freedom() -> None:
    g = np.random.default_rng(0)
    even = g.normal(size=2000)
    assert 1500 < degrees_of_freedom(even, np.arange(2000)) <= 1999
    heavy = even.copy()
    heavy[:4] = (60, -60, 60, -60)
    assert degrees_of_freedom(heavy, np.arange(2000)) < 15
    assert clustered_interval(heavy, np.arange(2000)).half_width > 2.1 * clustered_error(heavy, np.arange(2000))
    # one value of two clusters cannot have more than one degree
    assert degrees_of_freedom(np.array([1.0, 2.0]), np.arange(2)) == 1
    assert degrees_of_freedom(np.ones(5), np.arange(5)) == 4


def test_one_cluster_says_nothing() -> None:
    found = clustered_interval(np.array([1.0, 2.0]), np.zeros(2, dtype=int))
    assert (found.estimate, found.low, found.high) == (1.5, -math.inf, math.inf)


def test_turning_an_interval_round_swaps_its_ends() -> None:
    assert Interval(1.0, 0.5, 2.0, 0.1).scaled(-2) == Interval(-2.0, -4.0, -1.0, 0.2)


def test_the_sequence_is_as_wide_as_published() -> None:
    # Waudby-Smith et al.: about 1.6 times a fixed 95 % interval at the planned size
    for n in (500, 4000, 20_000):
        assert 1.5 < sequence_factor(n, planned=n) * math.sqrt(n) / 1.96 < 1.65
    assert sequence_factor(100, planned=4000) > sequence_factor(200, planned=4000)


def test_no_sequence_before_a_hundred_clusters() -> None:
    values = np.random.default_rng(0).normal(size=99)
    assert confidence_sequence(values, np.arange(99)).high == math.inf
    assert confidence_sequence(np.append(values, 0.0), np.arange(100)).high < math.inf


def test_betting_holds_where_the_normal_interval_fails() -> None:
    """Rare large values: the normal lower bound is wrong far more often than one time in forty."""
    g = np.random.default_rng(1)
    wrong_bet = wrong_normal = 0
    for _ in range(300):
        values = np.where(g.random(150) < 0.02, -1.0, 0.02)  # mean -.0004, skewed down
        truth = 0.98 * 0.02 - 0.02
        wrong_bet += betting_bound(values, np.arange(150), (-1.0, 1.0)) > truth
        wrong_normal += values.mean() - 1.96 * clustered_error(values, np.arange(150)) > truth
    assert wrong_bet <= 15
    assert wrong_normal > 15


def test_betting_is_not_useless() -> None:
    values = np.random.default_rng(2).choice([0.0, 1.0], 4000)
    low = betting_bound(values, np.arange(4000), (0.0, 1.0))
    assert 0.45 < low < values.mean()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000), n=st.integers(2, 80), clusters=st.integers(1, 20), shift=st.floats(-3, 3),
    scale=st.floats(0.1, 10),
)  # fmt: skip
def test_clustered_interval_moves_with_the_values(seed: int, n: int, clusters: int, shift: float, scale: float) -> None:
    g = np.random.default_rng(seed)
    values, cluster = g.normal(size=n), g.integers(0, clusters, n)
    one, two = clustered_interval(values, cluster), clustered_interval(scale * values + shift, cluster)
    assert two.low == pytest.approx(scale * one.low + shift)
    assert two.high == pytest.approx(scale * one.high + shift)
    bounds = (float(values.min()) - 1, float(values.max()) + 1)
    assert bounds[0] <= betting_bound(values, cluster, bounds) <= values.mean() + 1e-12
