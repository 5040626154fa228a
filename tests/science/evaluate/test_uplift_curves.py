"""Uplift curves on randomised rows, and learning curves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.evaluate.uplift_curves import learning_curve, uplift_curve
from support.logged_worlds import fixed_log


def test_a_curve_by_hand() -> None:
    # Two moved customers first, two unmoved after; treated and control of each, p = .5, y centred at .25.
    score = np.array([2.0, 2, 1, 1])
    treated = np.array([1, 0, 1, 0])
    outcome = np.array([1.0, 0, 0, 0])
    curve = uplift_curve(score, treated, outcome, np.full(4, 0.5))
    # z = 2 (y - .25) for treated, -2 (y - .25) for control: 1.5, .5, -.5, .5
    np.testing.assert_allclose(curve.share, [0, 0.5, 1])
    np.testing.assert_allclose(curve.gain, [0, 0.5, 0.5])
    assert curve.auuc == pytest.approx(0.125 + 0.25)
    assert curve.qini == pytest.approx(0.375 - 0.25)
    assert curve.qini_interval.estimate == pytest.approx(curve.qini)


def world(seed: int, n: int = 4000) -> tuple[np.ndarray, ...]:
    g = np.random.default_rng(seed)
    moved = g.random(n)
    treated = (g.random(n) < 0.3).astype(int)
    outcome = (g.random(n) < 0.3 + 0.4 * moved * treated).astype(float)
    return moved, treated, outcome, np.full(n, 0.3)


def test_the_true_order_beats_chance_and_the_reverse_loses() -> None:
    moved, treated, outcome, p = world(0)
    right, wrong = uplift_curve(moved, treated, outcome, p), uplift_curve(-moved, treated, outcome, p)
    assert right.qini_interval.low > 0 > wrong.qini_interval.high
    assert right.gain[-1] == pytest.approx(wrong.gain[-1])  # treating all is treating all
    random = uplift_curve(np.random.default_rng(9).random(4000), treated, outcome, p)
    assert random.qini_interval.holds(0.0)
    assert right.qini_interval.holds(0.4 / 12)  # integral of .4 (x - x^2/2) minus the line's .1


def test_rows_that_were_not_randomised_are_refused() -> None:
    moved, treated, outcome, p = world(1, 100)
    with pytest.raises(ValueError, match="randomised rows"):
        uplift_curve(moved, treated, outcome, np.where(treated == 1, 1.0, p))
    with pytest.raises(ValueError, match="same number"):
        uplift_curve(moved[:5], treated, outcome, p)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 60))
def test_ties_and_order_in_the_file_say_nothing(seed: int, n: int) -> None:
    g = np.random.default_rng(seed)
    score, treated = g.integers(0, 4, n).astype(float), g.integers(0, 2, n)
    outcome, p = g.random(n), g.uniform(0.2, 0.8, n)
    one = uplift_curve(score, treated, outcome, p)
    order = g.permutation(n)
    two = uplift_curve(score[order], treated[order], outcome[order], p[order])
    np.testing.assert_allclose(one.gain, two.gain, atol=1e-12)
    assert one.qini == pytest.approx(two.qini, abs=1e-12)
    assert one.qini_interval.estimate == pytest.approx(one.qini, abs=1e-12)
    # one score for all is the straight line
    assert uplift_curve(np.zeros(n), treated, outcome, p).qini == pytest.approx(0, abs=1e-12)


def test_a_learning_curve_covers_every_decision_once() -> None:
    logged = fixed_log(2, n=803, gain=0.3)
    curve = learning_curve(logged, blocks=8)
    assert curve[0].first == 1
    assert curve[-1].last == 803
    assert all(a.last + 1 == b.first for a, b in pairwise(curve))
    mean = sum(one.lead.estimate * (one.last - one.first + 1) for one in curve) / 803
    assert mean == pytest.approx(-0.21, abs=0.1)  # B would have gained .3 on the 70 % that drew another action
