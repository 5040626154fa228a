"""The policy in a small company with a known truth: it finds what helps, drops what harms, and believes in nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.decisions.learned import LearnedPolicy, Settings, decide
from duecourse.science.decisions.learned.book import ARM
from duecourse.science.decisions.learned.hazard_model import Columns, design_of, fit
from duecourse.science.decisions.learned.panel import AGE_DUMMIES, past_of
from duecourse.science.decisions.learned.prior import cold_prior
from duecourse.science.decisions.learned.terms import Offer, expected_cost, may_be_offered
from support.contact_worlds import SmallWorld, at_random

COLD = Settings(learnt=None)


def test_same_book_resources_and_seed_give_the_same_decisions_warm_or_cold() -> None:
    world = SmallWorld(1, {"email_soft": 0.6})
    world.live(LearnedPolicy(COLD), 12)
    book, resources = world.book(), world.resources()
    first, again = decide(book, resources, 7, COLD), decide(book, resources, 7, COLD)
    np.testing.assert_array_equal(first.decided.arm, again.decided.arm)
    np.testing.assert_array_equal(first.decided.propensities, again.decided.propensities)
    warm = decide(book, resources, 7, COLD, warm=first.knowledge)
    np.testing.assert_array_equal(first.decided.arm, warm.decided.arm)
    other = decide(book, resources, 8, COLD)
    assert not np.array_equal(first.decided.arm, other.decided.arm)


def test_ranges_are_those_of_the_posterior_whatever_the_draws_were_tempered_to() -> None:
    """Plain draws give the 10 % and 90 % quantiles themselves; tempered ones are narrower and are stretched back."""
    world = SmallWorld(8, {"email_soft": 0.6, "call_service": 1.0})
    world.live(at_random({"email_soft": 0.3, "call_service": 0.1}), 16)
    book, resources = world.book(), world.resources()
    plain, tempered = (decide(book, resources, 7, replace(COLD, draws=512, temper=t)) for t in (1.0, 0.1))
    wide, narrow = [], []
    for row in range(plain.decided.point.size):
        values = plain.quality[:, row, ARM["call_service"]]
        assert plain.posterior_range(values) == pytest.approx(tuple(np.quantile(values, (0.1, 0.9))))
        low, high = plain.posterior_range(values)
        wide.append(high - low)
        low, high = tempered.posterior_range(tempered.quality[:, row, ARM["call_service"]])
        narrow.append(high - low)
    assert np.median(np.array(narrow) / np.array(wide)) == pytest.approx(1, abs=0.15)


def test_masked_arms_are_never_drawn_and_capacity_holds_every_week() -> None:
    world = SmallWorld(2, {"call_service": 1.0, "email_soft": 0.3}, calls=3)
    policy, resources = LearnedPolicy(COLD), world.resources()
    for week in range(16):
        book = world.book()
        allowed = book.allowed.copy()
        allowed[::3, ARM["email_soft"]] = False
        decided = policy(replace(book, allowed=allowed), resources, week)
        chosen = allowed[decided.point, decided.arm]
        assert chosen.all()
        assert not decided.propensities[~allowed[decided.point]].any()
        np.testing.assert_allclose(decided.propensities.sum(axis=1), 1, atol=1e-9)
        assert resources.minutes[decided.arm].sum() <= resources.minutes_total
        world.step(decided)


def test_what_helps_is_found_and_what_harms_is_dropped() -> None:
    arms = {"email_soft": 0.9, "email_firm": -0.9, "call_service": 1.2}
    world = SmallWorld(3, arms, points=400, new_per_week=60)
    policy = LearnedPolicy(COLD)
    world.live(policy, 30)
    early, late = np.mean(world.firm_share[1:6]), np.mean(world.firm_share[-8:])
    assert late <= 0.06
    assert late <= early + 0.01
    known = policy.knowledge
    assert known is not None
    effects = dict(zip(known.columns.arms, known.posterior.mode[known.columns.mu], strict=True))
    assert effects[ARM["email_firm"]] < 0.1  # hardly used any more, so hardly measured any more
    assert effects[ARM["email_firm"]] < effects[ARM["email_soft"]]
    assert effects[ARM["email_firm"]] < effects[ARM["call_service"]]


def _mean_effect(world: SmallWorld, *, age_dummies: bool) -> float:
    panel = past_of(world.book()).panel
    columns = Columns((ARM["email_soft"],))
    design = design_of(panel, columns)
    if not age_dummies:
        design.Z[:, 1 : 1 + AGE_DUMMIES] = 0
    prior = cold_prior(columns)
    return float(fit(design, replace(prior, mean=np.zeros(columns.total))).mode[columns.mu][0])


def test_without_age_dummies_the_lag_of_payments_looks_like_an_effect() -> None:
    """Null world: contacts only fall on overdue weeks, payments come weeks after the decision to pay."""
    with_them, without = [], []
    for seed in range(3):
        world = SmallWorld(20 + seed, {}, points=600, new_per_week=80, delay=(0.2, 0.3, 0.3, 0.2), base=-1.0)
        world.live(at_random({"email_soft": 0.5}), 30)
        with_them.append(_mean_effect(world, age_dummies=True))
        without.append(_mean_effect(world, age_dummies=False))
    assert abs(np.mean(with_them)) < 0.10
    assert np.mean(without) > np.mean(with_them) + 0.02


def test_in_a_null_world_nothing_is_believed_and_little_is_sent() -> None:
    world = SmallWorld(5, {}, points=400, new_per_week=60)
    policy = LearnedPolicy(COLD)
    world.live(policy, 40)
    known = policy.knowledge
    assert known is not None
    assert abs(known.posterior.mode[known.columns.mu].mean()) < 0.15
    before = world.contacts
    world.live(policy, 6)
    overdue = np.unique(world.book().point[world.book().overdue]).size
    assert (world.contacts - before) / 6 < 0.5 * overdue


def test_offers_have_guards_and_a_price() -> None:
    world = SmallWorld(6)
    world.live(None, 10)
    book = world.book()
    points = np.unique(book.point[book.overdue])
    gain = np.ones((20, points.size))
    gain[:, 0] = np.linspace(-1, 1, 20)  # the 25 % quantile is below 0
    alone = np.full(points.size, 0.3)
    alone[1] = 0.7  # will pay anyway
    offered = replace(book, contact_point=points[[2]], contact_day=np.array([book.as_of - 300]),
                      contact_arm=np.array([ARM["email_discount"]]), contact_human=np.array([False]),
                      contact_reached=np.array([-1]))  # fmt: skip
    allowed = may_be_offered(offered, points, alone, gain)
    assert allowed[:3].tolist() == [False, False, False]
    assert allowed[3:].all()
    assert expected_cost(Offer(2.0), np.array([1000.0]), np.array([0.5])) == pytest.approx(9.0)


def test_an_empty_book_is_decided_by_deciding_nothing() -> None:
    world = SmallWorld(7)
    outcome = decide(world.book(), world.resources(), 1, COLD)
    assert outcome.decided.point.size == 0
    assert outcome.decided.propensities.shape == (0, 13)
