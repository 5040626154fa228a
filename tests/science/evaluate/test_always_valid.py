"""A test that may be looked at daily, its guardrails, and how long it must run."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.evaluate.always_valid import Groups, Guardrail, cuped, guardrails, look, winsorised
from duecourse.science.evaluate.power import (
    Design,
    Spread,
    detectable_effect,
    power_sentence,
    spread_of,
    weeks_needed,
)


def groups(seed: int, n: int, effect: float = 0.0, share: float = 0.5) -> Groups:
    g = np.random.default_rng(seed)
    before = g.normal(size=(n, 1))
    treated = g.random(n) < share
    outcome = 1.0 * before[:, 0] + g.normal(size=n) + effect * treated
    return Groups(treated, outcome, before, share)


def test_a_payer_at_the_top_is_cut() -> None:
    values = np.array([1.0] * 99 + [1000.0])
    assert winsorised(values).max() == 1.0
    assert winsorised(np.array([])).size == 0


def test_covariates_from_before_take_their_share_of_the_noise() -> None:
    one = groups(0, 4000)
    left, explained = cuped(one.outcome, one.before)
    assert explained == pytest.approx(0.5, abs=0.04)
    assert left.var() == pytest.approx(1.0, abs=0.06)
    plain = look(Groups(one.treated, one.outcome, one.before[:, :0], 0.5), planned=4000)
    assert look(one, planned=4000).difference.half_width < 0.8 * plain.difference.half_width


def test_an_effect_is_found_and_none_is_not() -> None:
    assert look(groups(1, 4000, effect=0.3), planned=4000).decided
    assert look(groups(1, 4000, effect=0.3), planned=4000).difference.holds(0.3)
    assert not look(groups(2, 4000), planned=4000).decided
    tilted = look(groups(3, 4000, effect=0.3, share=0.9), planned=4000)
    assert tilted.difference.holds(0.3)


def test_daily_looks_are_rarely_wrong_where_fixed_intervals_often_are() -> None:
    wrong = fixed_wrong = 0
    for seed in range(100):
        all_of = groups(seed, 2000)
        seen = [look(all_of.first(number), planned=2000) for number in range(100, 2001, 50)]
        wrong += any(one.decided for one in seen)
        fixed_wrong += any(not one.fixed.holds(0.0) for one in seen)
    assert wrong <= 9  # 5 of 100 and two standard errors; the benchmark counts 2,000
    assert fixed_wrong >= 20


def test_no_answer_before_a_hundred_payers() -> None:
    early = look(groups(4, 99, effect=5.0), planned=4000)
    assert not early.decided
    assert math.isinf(early.difference.high)
    assert not look(groups(4, 1), planned=100).decided


def test_a_guardrail_is_crossed_by_harm_alone() -> None:
    harm, fine = groups(5, 3000, effect=0.4), groups(5, 3000, effect=-0.4)
    found = {one.name: one for one in guardrails({"opt_outs": harm, "complaints": fine}, planned=3000)}
    assert found["opt_outs"].crossed
    assert not found["complaints"].crossed
    assert not guardrails({"opt_outs": harm}, planned=3000, tolerated={"opt_outs": 1.0})[0].crossed
    with pytest.raises(ValueError, match="no such guardrail: profits"):
        guardrails({"profits": harm}, planned=10)


def test_a_harm_that_befalls_few_is_seen_and_luck_in_a_small_holdout_is_none() -> None:
    number = np.arange(2000)
    held = number % 20 == 0

    def judged(outcome: np.ndarray, treated: np.ndarray) -> Guardrail:
        groups = Groups(treated, outcome.astype(float), np.zeros((2000, 0)), float(treated.mean()))
        return guardrails({"complaints": groups}, planned=2000)[0]

    rare = judged(~held & (number % 25 == 1), ~held)  # 80 of 1,900 against none of 100
    assert rare.difference == pytest.approx(80 / 1900)
    assert not rare.crossed  # none of 100 is likely at 4 % too
    half = judged((number % 2 == 1) & (number % 25 == 1), number % 2 == 1)
    assert half.difference == pytest.approx(0.04)
    assert half.crossed  # none of 1,000 is not
    huge = judged(np.where(number == 1, 1e9, number % 25 == 1), ~held)
    assert huge.difference < 1  # one payer decides nothing


def test_bad_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        groups(0, 10).__class__(np.ones(2, bool), np.zeros(2), np.zeros((2, 0)), 1.0)
    with pytest.raises(ValueError, match="one row per payer"):
        Groups(np.ones(2, bool), np.zeros(3), np.zeros((2, 0)), 0.5)
    with pytest.raises(ValueError, match="finite"):
        Groups(np.ones(2, bool), np.array([1.0, np.nan]), np.zeros((2, 0)), 0.5)


def test_detectable_effect_by_hand() -> None:
    # one look, 50/50, 400 payers, variance 1 between: (1.96 + .8416) sqrt(4/400)
    design = Design(payers=400, per_week=1.0, looks=False)
    assert detectable_effect(Spread(1.0, 0.0), design, 10) == pytest.approx(2.8016 * 0.1, abs=1e-4)
    # half of the variance known before: narrower by sqrt(.5)
    assert detectable_effect(Spread(1.0, 0.0, 0.5), design, 10) == pytest.approx(2.8016 * 0.1 * 0.5**0.5, abs=1e-4)
    # variance within payers melts with decisions: 4 weeks of one decision each
    assert detectable_effect(Spread(0.0, 4.0), design, 4) == pytest.approx(2.8016 * 0.1, abs=1e-4)
    daily = detectable_effect(Spread(1.0, 0.0), Design(payers=400, per_week=1.0), 10)
    assert 1.3 < daily / (2.8016 * 0.1) < 1.5


def test_weeks_are_the_first_that_suffice_and_never_is_said() -> None:
    spread, design = Spread(0.01, 0.2), Design(payers=2000, per_week=0.5)
    weeks = weeks_needed(spread, design, 0.03)
    assert weeks is not None
    assert detectable_effect(spread, design, weeks) <= 0.03 < detectable_effect(spread, design, weeks - 1)
    assert weeks_needed(spread, design, 0.001) is None
    assert power_sentence(spread, design, 0.03, "points").startswith(f"this test needs {weeks} week")
    assert "can never show" in power_sentence(spread, design, 0.001, "points")
    assert detectable_effect(spread, design, 0) == math.inf


def test_spread_comes_from_ones_own_decisions() -> None:
    g = np.random.default_rng(0)
    payer = np.repeat(np.arange(500), 8)
    own = g.normal(0, 0.3, 500)
    outcome = 0.5 + own[payer] + g.normal(0, 0.6, 4000)
    found = spread_of(outcome, payer, before=own[payer])
    assert found.between == pytest.approx(0.09, rel=0.2)
    assert found.within == pytest.approx(0.36, rel=0.1)
    assert 0.5 < found.explained < 0.9
    with pytest.raises(ValueError, match="two payers"):
        spread_of(outcome[:8], payer[:8])


@settings(max_examples=40, deadline=None)
@given(
    between=st.floats(0, 1), within=st.floats(0.001, 1), payers=st.integers(4, 5000), weeks=st.integers(1, 200),
    looks=st.booleans(),
)  # fmt: skip
def test_more_of_anything_never_hides_an_effect(
    between: float, within: float, payers: int, weeks: int, looks: bool
) -> None:
    spread = Spread(between, within)
    now = detectable_effect(spread, Design(payers, 1.0, looks=looks), weeks)
    assert detectable_effect(spread, Design(payers, 1.0, looks=looks), weeks + 1) <= now
    assert detectable_effect(spread, Design(payers + 1, 1.0, looks=looks), weeks) <= now + 1e-12
    assert detectable_effect(spread, Design(payers, 1.0, treated=0.1, looks=looks), weeks) >= now
