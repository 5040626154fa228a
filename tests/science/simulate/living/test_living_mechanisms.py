"""Each mechanism leaves its footprint when it is on, none when it is off, and moves no other one's draws."""

from dataclasses import replace

import numpy as np
import pytest

from duecourse.core.errors import UsageError
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import LivingWorld, family, living_names, load_living, surely
from duecourse.science.simulate.living.book import none
from duecourse.science.simulate.living.inboxes import FAR
from duecourse.science.simulate.living.nature import make_nature
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, blast
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.living.state import State
from duecourse.science.simulate.living.view import CALLS

WEEKS = 10


def small(name: str = "base", changes: dict[str, object] | None = None, *, customers: int = 200) -> Living:
    spec = load_living(name, changes)
    return replace(spec, company=replace(spec.company, customers=customers), span=replace(spec.span, history_weeks=20))


def lived(changes: dict[str, object] | None = None, seed: int = 3) -> State:
    return LivingWorld(small(changes=changes), seed, WEEKS).lived(blast).state


@pytest.fixture(scope="module")
def usual() -> State:
    return lived()


def test_every_shipped_world_and_the_family_run() -> None:
    names = ("base", "demo", "drift", "harm", "healthy", "large", "null", "small", "stress", "waiting")
    assert living_names() == names
    for spec in [load_living(name) for name in names] + [family(1), family(2)]:
        tiny = replace(
            spec, company=replace(spec.company, customers=40), span=replace(spec.span, history_weeks=5, follow_weeks=5)
        )
        outcome = LivingWorld(tiny, 1, 3).run(ladder)
        assert outcome.frame().height == 3
        assert np.isfinite(outcome.figures).all()


def test_members_of_the_family_differ_from_each_other_and_never_from_themselves() -> None:
    assert family(9) == family(9)
    one, other = family(9), family(11)
    assert one.effects.by_type != other.effects.by_type
    assert sum(kind.mix for kind in one.company.types.values()) == pytest.approx(1)
    assert family(10).worth == load_living("healthy").worth
    assert family(9, "healthy").worth == load_living("healthy").worth
    assert family(9, "healthy", {"changes": {"customers": 50}}).company.customers == 50
    assert family(9, "healthy").effects == family(9).effects
    with pytest.raises(ValueError, match="numbered from 1"):
        family(0)


def test_disputes_off_leave_none_and_every_other_decision_as_it_was() -> None:
    types = small().company.types
    calm = replace(small(), company=replace(small().company, types={
        name: replace(kind, disputes=0.0) for name, kind in types.items()}))  # fmt: skip
    alone = LivingWorld(calm, 3, WEEKS).lived(none).state
    usual = LivingWorld(small(), 3, WEEKS).lived(none).state
    assert (alone.dispute_opened == NEVER).all()
    assert (usual.dispute_opened != NEVER).sum() > 20
    untouched = (usual.dispute_opened == NEVER) & (alone.decided != NEVER)
    assert np.mean(alone.decided[untouched] == usual.decided[untouched]) > 0.98  # cash types share one purse


def test_promises_change_nothing_but_the_books(usual: State) -> None:
    silent = lived({"talk": {"promise": 0.0}})
    assert len(silent.promises) == 0
    assert len(usual.promises) > 20
    left = LivingWorld(small(changes={"talk": {"promise": 0.0}}), 3, WEEKS).lived(none).state
    heard = LivingWorld(small(), 3, WEEKS).lived(none).state
    later = heard.decided >= 0
    assert np.mean(left.decided[later] == heard.decided[later]) > 0.95  # the history's calls were held back by promises


@pytest.mark.parametrize(
    ("changes", "footprint"),
    [
        ({"reach": {"answered": 1e-9, "answered_sd": 0.0}}, lambda s: (s.contacts.ints("reached") == 1).sum()),
        ({"reach": {"reply": 0.0, "reply_disputed": 0.0}}, lambda s: len(s.replies)),
        ({"annoyance": {"opt_out": -50.0}}, lambda s: s.opted_out.sum()),
        ({"annoyance": {"complaint": -50.0}}, lambda s: s.churned.sum()),
        ({"failing": {"per_week": 0.0}}, lambda s: (s.failed_known != NEVER).sum()),
        ({"people": {"deviate": 0.0}}, lambda s: s.contacts["human"][s.contacts.ints("day") >= 20_094].sum()),
        ({"changes": {"cash": {"part": 0.0}}}, lambda s: (s.rest_posted != NEVER).sum()),
        ({"quarrels": {"told": 0.0, "silent": 1.0}}, lambda s: (s.dispute_known != NEVER).sum()),
    ],
)
def test_a_mechanism_that_is_off_leaves_no_trace(usual: State, changes: dict[str, object], footprint) -> None:  # noqa: ANN001
    assert footprint(usual) > 0
    assert footprint(lived(changes)) == 0


def test_fatigue_damps_and_fades() -> None:
    world = LivingWorld(small(changes={"effects": {"personal_sd": 0.0}}), 2, WEEKS)
    house = world.stepper()
    points = np.flatnonzero(house.book().allowed[:, ARM["call_service"]])[:5]
    calls = np.full(points.size, ARM["call_service"])
    before = house.state.fatigue[points].copy()
    house.apply(surely(points, calls), people=False)
    assert house.state.fatigue[points] == pytest.approx(0.7 * (before + 1))
    contacts = house.state.contacts
    reached = contacts.ints("reached")[-points.size :] == 1
    skill = world.nature.skill[world.nature.inboxes.collector[points]]
    strength = np.where(reached, 2.0 * skill, 0.25) / (1 + 0.5 * before)
    assert house.state.exposure[1, points, ARM["call_service"]] == pytest.approx(strength)
    assert (house.state.exposure[0] == 0).all()


def test_a_member_of_a_group_shares_the_inbox_of_its_parent() -> None:
    nature = make_nature(small(customers=1000), 1, 4)
    sizes = np.bincount(nature.point)
    assert 0.08 < sizes[sizes > 1].sum() / 1000 < 0.16
    more = make_nature(small(customers=1100), 1, 4)
    assert np.array_equal(nature.customers.kind, more.customers.kind[:1000])
    assert (sizes >= 1).all()


def test_types_switch_and_the_drifting_world_breaks() -> None:
    nature = make_nature(small("drift", customers=1000), 1, 60)
    kinds = nature.inboxes.kind
    at = nature.start_week - nature.first_week + 52
    names = list(nature.world.company.types)
    forgetful = kinds[at - 1] == names.index("forgetful")
    became = (kinds[at] == names.index("cash")) & forgetful
    assert 0.2 < became.sum() / forgetful.sum() < 0.47
    steps = (kinds[1:at] != kinds[: at - 1]).mean()
    assert 0.001 < steps < 0.0025
    assert (nature.inboxes.schedule[at] != nature.inboxes.schedule[at - 1]).mean() > 0.1
    sms = ARM["sms_soft"]
    assert nature.theta(nature.start_week + 51)[:, sms].sum() > 1.5 * nature.theta(nature.start_week + 52)[:, sms].sum()


def test_insolvency_has_signs_before_and_no_contacts_after() -> None:
    world = LivingWorld(small(changes={"failing": {"per_week": 0.01}}), 1, WEEKS)
    nature = world.nature
    fails = nature.inboxes.fails_week
    ahead = (fails - nature.inboxes.signs_week)[fails < FAR]
    assert set(np.unique(ahead)) <= set(range(4, 13))
    house = world.lived(blast)
    gone = np.flatnonzero(house.state.failed_known != NEVER)
    contacts = house.state.contacts
    for point in gone.tolist():
        days = contacts.ints("day")[contacts.ints("point") == point]
        assert (days <= fails[point] * 7 - 3).all()
    owner = nature.invoice_point
    orders = nature.orders
    assert not (house.state.placed & ((orders.issued + 3) // 7 >= fails[owner])).any()


def test_finite_cash_pays_less_at_a_time_and_the_oldest_first() -> None:
    tight, loose = (
        LivingWorld(small(changes={"purse": {"on": on, "income": 0.3}}), 2, WEEKS).lived(none) for on in (True, False)
    )
    names = list(tight.nature.world.company.types)
    poor = tight.nature.inboxes.kind[0] == names.index("cash")
    mine = poor[tight.nature.invoice_point]
    assert (tight.state.decided[mine] != NEVER).sum() < (loose.state.decided[mine] != NEVER).sum()
    assert (tight.state.purse >= 0).all()


def test_discounts_exist_only_where_they_are_allowed_and_make_some_wait() -> None:
    house = LivingWorld(small("waiting"), 1, WEEKS).stepper()
    arm = ARM["email_discount"]
    offered = np.flatnonzero(house.book().allowed[:, arm])
    assert offered.size > 5
    house.apply(surely(offered, np.full(offered.size, arm)), people=False)
    assert not house.book().allowed[offered, arm].any()
    assert (house.state.waiting_until != NEVER).sum() > 0
    for _ in range(4):
        house.apply(none(house.book(), house.capacity, 0))
    assert house.state.discounted.sum() > 0
    assert not LivingWorld(small(), 1, WEEKS).stepper().book().allowed[:, arm].any()


def test_documents_and_routing_end_the_disputes_that_need_them() -> None:
    world = LivingWorld(small(changes={"quarrels": {"desk_days": 300.0, "silent": 0.0}}), 1, WEEKS)
    for arm, documents in (("send_documents", True), ("route_dispute", False)):
        house = world.stepper()
        points = np.flatnonzero(house.book().allowed[:, ARM["route_dispute"]])
        before = house.state.copied()
        house.apply(surely(points, np.full(points.size, ARM[arm])), people=False)
        open_then = (before.dispute == 1) & np.isin(world.nature.invoice_point, points)
        sooner = open_then & (house.state.dispute_ends < before.dispute_ends)
        right = world.nature.latent.documents == documents
        assert sooner.sum() > 3
        assert right[sooner].all()


def test_people_leave_calls_undone_and_go_to_bad_accounts_instead() -> None:
    house = LivingWorld(small(customers=600), 1, WEEKS).lived(ladder)
    decisions, contacts = house.state.decisions, house.state.contacts
    calls = np.isin(decisions.ints("arm"), CALLS)
    done = np.isin(decisions.ints("executed"), CALLS)
    assert 0.65 < done.sum() / calls.sum() < 0.9
    assert not (done & ~calls).any()
    own = contacts["human"] & (contacts.ints("day") >= house.nature.start_week * 7 - 3)
    assert 0.1 < own.sum() / calls.sum() < 0.25


def test_the_random_logger_draws_what_it_says() -> None:
    world = LivingWorld(small(customers=600), 1, 20)
    house = world.lived(RandomLog())
    decisions = house.state.decisions
    chance, arm = decisions["propensities"], decisions.ints("arm")
    assert np.allclose(chance.sum(axis=1), 1)
    assert (chance >= 0).all()
    drawn = np.zeros_like(chance)
    drawn[np.arange(arm.size), arm] = 1
    spread = np.sqrt((chance * (1 - chance)).sum(axis=0))
    used = spread > 1
    z = ((drawn - chance).sum(axis=0)[used]) / spread[used]
    assert used.sum() >= 7
    assert np.sqrt((z**2).mean()) < 1.7
    assert (chance[np.arange(arm.size), arm] > 0).all()


def test_an_unknown_world_arm_or_type_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown world 'atlantis': expected one of base, demo, drift"):
        load_living("atlantis")
    with pytest.raises(ValueError, match="unknown arm 'pigeon'"):
        load_living("base", {"effects": {"by_type": {"prompt": {"pigeon": 1.0}}}})
    with pytest.raises(ValueError, match="unknown type 'saint'"):
        load_living("base", {"effects": {"by_type": {"saint": {"email_soft": 1.0}}}})
    with pytest.raises(ValueError, match="unknown value 'colour'"):
        load_living("base", {"reach": {"colour": 1.0}})
