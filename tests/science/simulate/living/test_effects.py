"""True effects and curves: those of running the weeks again, and watching changes nothing."""

from dataclasses import replace

import numpy as np
import pytest

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import House, LivingWorld, ledger_of, load_living
from duecourse.science.simulate.living.effects import Witness, true_curve
from duecourse.science.simulate.living.policies.simple import RandomLog
from duecourse.science.simulate.living.view import listed
from duecourse.science.simulate.living.world import effect_from


def _world(name: str = "base") -> LivingWorld:
    spec = load_living(name)
    spec = replace(
        spec, company=replace(spec.company, customers=60), span=replace(spec.span, history_weeks=20, follow_weeks=12)
    )
    return LivingWorld(spec, 3, 8)


def _steered(policy: Witness | RandomLog, name: str = "base") -> House:
    world = _world(name)
    house = world.stepper()
    world.steer(house, policy, house.week + 3)
    return house


def test_watching_changes_nothing_and_every_contact_has_its_effect() -> None:
    witness = Witness(RandomLog())
    watched, alone = _steered(witness), _steered(RandomLog())
    for name, table in ledger_of(alone).tables.items():
        assert table.equals(ledger_of(watched).table(name), null_equal=True), name
    effects = witness.effects()
    decisions = ledger_of(watched).table("decisions")
    both = effects.join(decisions.select("decision_id", "arm"), on="decision_id", suffix=" decided")
    assert effects.height == both.height > 10
    assert (both["arm"] == both["arm decided"]).all()
    assert (effects["arm"] != "none").all()
    assert (effects["paid_more"] <= effects["invoices"]).all()
    assert (effects["paid_more"] != 0).any()


def test_an_effect_is_that_of_running_the_point_again() -> None:
    world = _world()
    house = world.stepper()
    witness = Witness(RandomLog())
    witness.begin(house)
    decided = witness(house.book(), house.capacity, 7)
    effects = witness.effects()
    at = int(effects["decision_id"][0].removeprefix("DEC-")) - len(house.state.decisions) - 1
    asked = listed(house.nature, house.state, house.week * 7 - 3)
    rows = asked.rows[(asked.days_late > 0) & (asked.point == decided.point[at])]
    alone = effect_from(house, rows, ARMS[decided.arm[at]])
    assert effects["paid_more"][0] == alone.paid.sum()
    assert effects["value_more"][0] == pytest.approx(alone.value.sum())


def test_without_effects_in_the_world_no_contact_brings_a_payment() -> None:
    witness = Witness(RandomLog())
    _steered(witness, "null")
    effects = witness.effects()
    assert effects.height > 10
    assert (effects["paid_more"] == 0).all()
    assert (effects["value_more"] <= 0).all()  # costs only


def test_a_witness_needs_its_house() -> None:
    house = _world().stepper()
    with pytest.raises(ValueError, match="needs begin"):
        Witness(RandomLog())(house.book(), house.capacity, 1)


def test_a_true_curve_rises_to_the_share_of_futures_in_which_is_paid() -> None:
    house = _world().stepper()
    asked = listed(house.nature, house.state, house.week * 7 - 3)
    rows = asked.rows[asked.days_late > 0][:6]
    before = house.state.paid.copy()
    curve = true_curve(house, rows, draws=12, days=35)
    assert np.array_equal(house.state.paid, before)
    assert curve.shape == (6, 36)
    assert (np.diff(curve, axis=1) >= 0).all()
    assert 0 < curve[:, -1].mean() <= 1
    assert np.allclose(curve * 12, np.round(curve * 12))
    on_its_way = np.flatnonzero((house.state.paid >= house.week * 7 - 3) & (house.state.paid != NEVER))
    certain = true_curve(house, on_its_way[:3], draws=3, days=119)
    assert (certain[:, -1] == 1).all()  # the money is on its way in every future
