"""Offers of terms: the window they run in, what they cost, and the guards, by hand and against a slow reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.decisions.learned import Settings, decide
from duecourse.science.decisions.learned.book import ARM, Book
from duecourse.science.decisions.learned.policy import Outcome
from duecourse.science.decisions.learned.terms import (
    Beliefs,
    Offer,
    all_but_certain,
    expected_cost,
    may_be_offered,
    paid_in_window,
    with_offers,
    within_budget,
)
from support.contact_worlds import SmallWorld

COLD = Settings(learnt=None)
DISCOUNT = ARM["email_discount"]


def lived(seed: int = 6) -> tuple[SmallWorld, Book]:
    world = SmallWorld(seed)
    world.live(None, 10)
    return world, world.book()


def decided(book: Book, world: SmallWorld, settings: Settings) -> Outcome:
    resources = world.resources()
    exists = resources.exists.copy()
    exists[DISCOUNT] = True
    return decide(book, replace(resources, exists=exists), 1, settings)


def beliefs_of(outcome: Outcome, draws: int = 8) -> Beliefs:
    known = outcome.knowledge
    drawn = known.posterior.draws(draws, np.random.default_rng(3), 0.5)
    return Beliefs(outcome.situations, outcome.effects, known.columns, drawn, known.past.lags, 0.5)


def test_a_window_of_six_weeks_pays_what_the_effects_say() -> None:
    """The same share as ``effects_of``, which computes all arms at once; a shorter window pays less."""
    world, book = lived()
    outcome = decided(book, world, COLD)
    known = outcome.knowledge
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1, book.as_of])))
    draws = known.posterior.draws(COLD.draws, rng, COLD.temper)
    beliefs = Beliefs(outcome.situations, outcome.effects, known.columns, draws, known.past.lags, COLD.temper)
    everybody = np.ones(outcome.effects.points.size, dtype=bool)
    alone, with_it = paid_in_window(beliefs, DISCOUNT, everybody, 42)
    money = np.bincount(book.point[book.overdue], book.collectible_minor[book.overdue], book.points)
    money = money[outcome.effects.points]
    np.testing.assert_allclose(alone, outcome.effects.cash_alone.mean(axis=0) / money, rtol=1e-9)
    expected = (outcome.effects.cash_alone + outcome.effects.cash[:, :, DISCOUNT]) / money
    np.testing.assert_allclose(with_it, expected, rtol=1e-9)
    early, _ = paid_in_window(beliefs, DISCOUNT, everybody, 10)
    assert (early < alone).all()
    nobody, _ = paid_in_window(beliefs, DISCOUNT, ~everybody, 42)
    assert not nobody.any()


def test_the_price_falls_due_with_everybody_who_takes_it() -> None:
    offer = Offer(2.0)
    assert expected_cost(offer, np.array([1000.0]), np.array([0.5])) == pytest.approx(9.0)
    capped = expected_cost(offer, np.array([1000.0]), np.array([0.5]), np.array([1.0]))
    assert capped == pytest.approx(4.5)
    assert Offer(2.0, most_percent=np.array([3.0, 1.5])).percent_of(np.array([1, 0])).tolist() == [1.5, 2.0]


def test_certainty_is_that_of_the_posterior_and_not_of_tempered_draws() -> None:
    gain = np.linspace(0.1, 1.9, 19)[:, None]  # mean 1, 25 % quantile .55
    assert all_but_certain(gain)[0]
    assert all_but_certain(gain, 0.5)[0]  # 1 - .45 / .5 = .1
    assert not all_but_certain(gain, 0.4)[0]  # 1 - .45 / .4 = -.125
    assert not all_but_certain(gain, 0.0)[0]


def test_an_invoice_is_never_offered_twice_however_long_ago() -> None:
    _, book = lived()
    asked = np.flatnonzero(book.overdue)
    first = book.point[asked[0]]
    points = np.unique(book.point[asked])
    long_ago = replace(
        book, as_of=book.as_of + 400, contact_point=np.array([first]), contact_day=np.array([book.as_of]),
        contact_arm=np.array([DISCOUNT]), contact_human=np.array([False]), contact_reached=np.array([-1]),
    )  # fmt: skip
    gain, alone = np.ones((4, points.size)), np.zeros(points.size)
    assert not may_be_offered(long_ago, points, alone, gain)[points == first][0]
    before = replace(long_ago, contact_day=np.array([int(book.issued[book.point == first].min()) - 1]))
    assert may_be_offered(before, points, alone, gain).all()


def test_the_yearly_limit_goes_to_the_offers_that_bring_most() -> None:
    gain, worst = np.array([5.0, 9.0, 8.0, 50.0]), np.array([10.0, 10.0, 10.0, 10.0])
    wanted = np.array([True, True, True, False])
    assert within_budget(gain, worst, wanted, Offer(2.0, budget_minor=20)).tolist() == [False, True, True, False]
    assert not within_budget(gain, worst, wanted, Offer(2.0, budget_minor=9)).any()
    assert within_budget(gain, worst, wanted, Offer(2.0)).tolist() == wanted.tolist()


def test_without_terms_nobody_is_offered_any_and_with_a_price_beyond_gain_neither() -> None:
    world, book = lived()
    none_stated = decided(book, world, COLD)
    assert not none_stated.decided.propensities[:, DISCOUNT].any()
    dear = decided(book, world, replace(COLD, offer=Offer(20.0, days=10)))
    assert not dear.decided.propensities[:, DISCOUNT].any()
    outcome = none_stated
    allowed = np.ones(outcome.decided.propensities.shape, dtype=bool)
    worth = np.where(np.isfinite(outcome.quality[:8]), outcome.quality[:8], 1e9)
    priced, may = with_offers(book, Offer(2.0, days=10), beliefs_of(outcome), worth, allowed)
    alone, with_it = paid_in_window(beliefs_of(outcome), DISCOUNT, allowed[:, DISCOUNT], 10)
    money = np.bincount(book.point[book.overdue], book.collectible_minor[book.overdue], book.points)
    paid_for = worth[:, :, DISCOUNT] - priced[:, :, DISCOUNT]
    np.testing.assert_allclose(paid_for, 0.018 * money[outcome.effects.points] * with_it, rtol=1e-6)
    assert may[:, DISCOUNT].tolist() == (alone <= 0.60).tolist()  # whoever pays anyway is offered nothing
    assert may[:, DISCOUNT].sum() > 0
