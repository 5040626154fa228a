"""The worth of a contact against a simulation of the hazard that it is computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.decisions.learned.book import ARM
from duecourse.science.decisions.learned.hazard_model import Columns
from duecourse.science.decisions.learned.panel import past_of
from duecourse.science.decisions.learned.policy import Settings, learn
from duecourse.science.decisions.learned.value import (
    HORIZON,
    annoyance_list,
    effects_of,
    price_unit,
    quality,
    relationship_prices,
    situations_of,
    value_bands,
)
from duecourse.science.decisions.learned.write_off import value_if_unpaid
from support.contact_worlds import SmallWorld, at_random


@pytest.fixture(scope="module")
def world() -> SmallWorld:
    one = SmallWorld(4, {"email_soft": 0.6, "call_service": 1.0}, points=60, new_per_week=8)
    one.live(at_random({"email_soft": 0.3, "call_service": 0.1}), 30)
    return one


def test_dp_and_cash_equal_a_simulation_of_the_hazard(world: SmallWorld) -> None:
    book, resources = world.book(), world.resources()
    known = learn(book, resources, Settings(learnt=None, tune=False, instrument=False))
    found = situations_of(book, known.past, known.columns, known.ends)
    found = replace(found, loss=np.full_like(found.loss, 0.02))
    mode = known.posterior.mode[None]
    effects = effects_of(found, known.columns, mode, known.past, 0.002)
    rng = np.random.default_rng(0)
    columns: Columns = known.columns
    at = int(np.argmax(found.open_minor))
    arm = columns.arms.index(ARM["call_service"])
    segment = found.segment[at]
    own = mode[0][columns.own(int(segment))]
    shared = mode[0][: columns.shared].copy()
    shared[columns.repeated] += own
    theta = shared[columns.mu][arm] + sum(found.modifiers[at, m] * shared[columns.phi(m)][arm] for m in range(4))
    number = 400_000
    paid = {}
    for contacted in (False, True):
        draws = rng.random((2, HORIZON, number))
        alive, hits = np.ones(number, dtype=bool), np.zeros(number, dtype=bool)
        for week in range(HORIZON):
            eta = found.future[at, week] @ shared + contacted * known.past.lags[week] * found.dampening[at] * theta
            pays = alive & (draws[0, week] < 1 / (1 + np.exp(-eta)))
            hits |= pays
            alive &= ~pays & (draws[1, week] >= 0.02)
        paid[contacted] = hits.mean()
    row = int(np.searchsorted(effects.points, found.point[at]))
    alone = [i for i in range(found.point.size) if found.point[i] == found.point[at]]
    assert paid[True] - paid[False] == pytest.approx(_dp_of(found, known, mode, at, arm), abs=4 * np.sqrt(0.5 / number))
    assert effects.cash_alone[0, row] <= found.open_minor[alone].sum()


def _dp_of(found, known, mode, at, arm):  # noqa: ANN001, ANN202
    only = replace(found, **{name: getattr(found, name)[[at]] for name in found.__dataclass_fields__})
    effects = effects_of(only, known.columns, mode, known.past, 0.002)
    return float(effects.chance[0, known.columns.arms[arm]])


def test_v_is_the_expected_present_value_of_an_open_unit() -> None:
    hazard, loss, capital = 0.1, 0.02, 0.003
    rng = np.random.default_rng(1)
    # Continuous time: paid at rate h, lost at rate d; the first of the two decides.
    paid_at, lost_at = rng.exponential(1 / hazard, 400_000), rng.exponential(1 / loss, 400_000)
    value = np.where(paid_at < lost_at, np.exp(-capital * paid_at), 0.0).mean()
    formula = value_if_unpaid(np.array([[hazard]]), np.array([0]), np.array([loss / (1 + 0 / 8)]), np.zeros(1), capital)
    assert (hazard / (hazard + capital + loss)) == pytest.approx(value, abs=0.002)
    assert formula[0, 0] == pytest.approx(value, abs=0.03)


def test_who_gives_debts_up_at_26_weeks_loses_value_as_that_day_comes_near() -> None:
    given_up = np.zeros(59)
    given_up[26:] = 1.0
    hazard, lost = np.full((3, 1), 0.05), np.full(3, 1e-6)
    value = value_if_unpaid(hazard, np.array([0, 20, 25]), lost, given_up, 0.002)[:, 0]
    assert value[0] > value[1] > value[2]
    rng = np.random.default_rng(2)
    weeks = rng.geometric(0.05, 200_000) - 1  # complete weeks before the one of the payment
    expected = np.where(weeks < 26, 1.002 ** -weeks.astype(float), 0.0).mean()
    left = (weeks >= 26).mean() * 1.002**-26 * 0.4  # all that is given up is worth .4
    assert value[0] == pytest.approx(expected + left, abs=0.01)


def test_a_week_of_time_value_never_pays_for_a_call() -> None:
    """2,500 a week earlier at 12 % a year is worth 5.8: the sanity figure of the method's page."""
    assert pytest.approx(5.45, abs=0.5) == 2500 * ((1.12) ** (1 / 52) - 1)


def test_prices_of_a_contact_grow_with_fatigue_and_with_what_the_customer_is_worth(world: SmallWorld) -> None:
    annoyance = annoyance_list(100.0)
    prices = relationship_prices(np.array([0.0, 2.0, 2.0]), np.array([1.0, 1.0, 4.0]), annoyance, 200.0)
    assert prices[0, ARM["email_soft"]] == 200
    assert prices[1, ARM["email_soft"]] == 600
    assert prices[1, ARM["call_service"]] == 1400
    assert prices[2, ARM["call_service"]] == 5600
    assert not prices[:, [ARM["none"], ARM["route_dispute"]]].any()
    book = world.book()
    assert price_unit(book) == pytest.approx(np.median(book.collectible_minor[book.overdue]) / 2500)
    bands = value_bands(book)
    assert bands.min() >= 0.5
    assert bands.max() <= 4
    assert np.median(bands) == pytest.approx(1, abs=0.1)


def test_arms_that_do_not_exist_are_never_worth_anything(world: SmallWorld) -> None:
    book, resources = world.book(), world.resources()
    known = learn(book, resources, Settings(learnt=None, tune=False, instrument=False))
    found = situations_of(book, past_of(book), known.columns, known.ends)
    effects = effects_of(found, known.columns, known.posterior.mode[None], known.past, 0.002)
    worth = quality(effects, np.zeros((effects.points.size, 13)), resources)
    assert np.isneginf(worth[:, :, ARM["letter_formal"]]).all()
    assert not worth[:, :, 0].any()
