"""The house of a living world: nothing before its cause, money conserved, pairs of runs on the same numbers."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import Book, House, LivingWorld, load_living, surely
from duecourse.science.simulate.living.book import none
from duecourse.science.simulate.living.outcome import settle
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog, blast
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.living.state import DISPUTED
from duecourse.science.simulate.living.view import CALLS, FIRM, MAILS
from duecourse.science.simulate.world import PayerType

WEEKS = 16


def small(changes: dict[str, object] | None = None, *, customers: int = 250) -> Living:
    spec = load_living("base", changes)
    return replace(spec, company=replace(spec.company, customers=customers), span=replace(spec.span, history_weeks=20))


@pytest.fixture(scope="module")
def lived() -> House:
    return LivingWorld(small(), 3, WEEKS).lived(RandomLog())


def test_the_same_world_and_seed_give_the_same_outcome_and_another_seed_another() -> None:
    one, again, other = (LivingWorld(small(), seed, WEEKS).run(ladder) for seed in (1, 1, 2))
    assert np.array_equal(one.figures, again.figures)
    assert not np.array_equal(one.figures, other.figures)


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    short, long = LivingWorld(small(), 1, 8), LivingWorld(small(), 1, 16)
    assert np.array_equal(short.run(ladder).figures, long.run(ladder, 8).figures)


def test_a_book_holds_nothing_that_happened_on_or_after_its_monday() -> None:
    world = LivingWorld(small(), 5, WEEKS)
    house = world.stepper()
    for _ in range(10):
        book = house.book()
        days = [
            "issued", "paid_day", "closed_day", "written_off_day", "dispute_opened", "dispute_resolved",
            "promise_made", "part_day", "contact_day", "decision_day",
        ]  # fmt: skip
        for name in days:
            assert getattr(book, name).max(initial=-1) < book.as_of, name
        assert set(np.unique(book.promise_outcome)) <= {0, 1, 2}
        assert (book.promise_outcome[book.promise_due >= book.as_of] != 2).all()
        house.apply(RandomLog()(book, house.capacity, house.week))


def test_a_later_book_repeats_what_an_earlier_one_said() -> None:
    world = LivingWorld(small(), 5, WEEKS)
    house = world.stepper()
    before = house.book()
    for _ in range(6):
        house.apply(ladder(house.book(), house.capacity, 0))
    after = house.book()
    size = before.point.size
    for name in ("point", "issued", "due"):
        assert np.array_equal(getattr(before, name), getattr(after, name)[:size])
    known = before.paid_day != NEVER
    assert np.array_equal(before.paid_day[known], after.paid_day[:size][known])
    assert (after.paid_day[:size][~known & (after.paid_day[:size] != NEVER)] >= before.as_of).all()
    assert np.array_equal(before.contact_arm, after.contact_arm[: before.contact_arm.size])


def test_every_field_of_the_book_has_the_declared_length() -> None:
    house = LivingWorld(small(), 5, WEEKS).stepper()
    book = house.book()
    groups = {"dispute_": 0, "promise_": 0, "part_": 0, "contact_": 0, "decision_": 0}
    for field in fields(Book):
        value = getattr(book, field.name)
        if field.name == "as_of":
            continue
        prefix = next((group for group in groups if field.name.startswith(group)), None)
        if prefix is not None:
            groups[prefix] = groups[prefix] or value.shape[0]
            assert value.shape[0] == groups[prefix], field.name
    assert book.allowed.shape == (book.point_cluster.size, len(ARMS))
    assert book.decision_propensities.shape[1] == len(ARMS)
    assert book.contact_human.all()
    assert book.decision_point.size == 0


def test_no_event_comes_before_its_cause(lived: House) -> None:
    state, orders = lived.state, lived.nature.orders
    decided = state.decided != NEVER
    assert (state.decided[decided] >= orders.issued[decided]).all()
    assert (state.received[decided] >= state.decided[decided]).all()
    assert (state.posted[decided] >= state.received[decided]).all()
    rest = state.rest_posted != NEVER
    assert (state.rest_posted[rest] > state.posted[rest]).all()
    assert not (decided & (state.written_off != NEVER)).any()
    known = state.dispute_known != NEVER
    assert (state.dispute_known[known] >= state.dispute_opened[known]).all()
    assert (state.dispute_opened[known] > orders.issued[known]).all()
    assert (decided <= (state.placed | state.churned)).all()
    assert not (state.placed & state.churned).any()
    promises = state.promises
    assert (promises.ints("due") > promises.ints("made")).all()
    assert len(promises) > 20


def test_promises_and_disclosures_come_from_conversations_only(lived: House) -> None:
    state = lived.state
    talks = {
        (point, day)
        for point, day, reached in zip(
            state.contacts.ints("point").tolist(), state.contacts.ints("day").tolist(),
            state.contacts.ints("reached").tolist(), strict=True,
        ) if reached == 1
    }  # fmt: skip
    talks |= set(zip(state.replies.ints("point").tolist(), state.replies.ints("day").tolist(), strict=True))
    owner = lived.nature.invoice_point[state.promises.ints("invoice")]
    assert set(zip(owner.tolist(), state.promises.ints("made").tolist(), strict=True)) <= talks
    silent = lived.nature.latent.silent & (state.dispute_known != NEVER)
    told = set(zip(lived.nature.invoice_point[silent].tolist(), state.dispute_known[silent].tolist(), strict=True))
    assert told <= talks
    assert silent.sum() > 0
    handled = np.isin(state.contacts.ints("arm"), [ARM["send_documents"], ARM["route_dispute"]])
    assert not handled.any()


def test_a_dispute_that_nobody_knows_of_never_ends(lived: House) -> None:
    state = lived.state
    unknown = (state.dispute_opened != NEVER) & (state.dispute_known == NEVER)
    assert unknown.sum() > 5
    assert (state.dispute[unknown] == DISPUTED).all()


def test_the_mask_is_never_passed(lived: House) -> None:
    world = LivingWorld(small(), 3, WEEKS)
    house = world.stepper()
    for _ in range(8):
        book = house.book()
        wild = np.full(book.point_cluster.size, ARM["call_firm"])
        house.apply(surely(book.point_cluster, wild))
        contacts = house.state.contacts
        now = contacts.ints("day") == book.as_of
        point, arm = contacts.ints("point")[now], contacts.ints("arm")[now]
        assert book.allowed[point, arm].all()
        assert np.isin(arm, CALLS).sum() <= house.capacity.calls
        assert np.unique(point).size == point.size


def test_a_stop_never_allows_more() -> None:
    house = LivingWorld(small(), 3, WEEKS).stepper()
    before = house.book().allowed
    for stop in ("opted_out", "failed_known", "talked", "hold"):
        other = house.copied()
        if stop == "opted_out":
            other.state.opted_out[:] = True
            assert not other.book().allowed[:, list(MAILS)].any()
        elif stop == "failed_known":
            other.state.failed_known[:] = 0
            assert not other.book().allowed[:, 1:].any()
        elif stop == "talked":
            everybody = np.arange(before.shape[0])
            day = other.week * 7 - 10
            other.state.contacts.append(point=everybody, day=day, arm=ARM["call_service"], human=True, reached=1)
            assert not other.book().allowed[:, list(CALLS)].any()
        else:
            other.state.hold_until[:] = 10**9
        after = other.book().allowed
        assert (after <= before).all() or stop == "hold"
        assert after[:, 0].all()


def test_tones_wait_for_their_age() -> None:
    house = LivingWorld(small(), 3, WEEKS).stepper()
    book = house.book()
    oldest = np.full(book.point_cluster.size, -100)
    asked = book.collectible_minor > 0
    np.maximum.at(oldest, book.point[asked], (book.as_of - book.due)[asked])
    firm = book.allowed[:, list(FIRM)].any(axis=1)
    assert firm.any()
    assert (oldest[firm] >= 28).all()
    assert (book.allowed[oldest <= 0][:, ARM["sms_soft"]] == 0).all()


def test_money_is_conserved(lived: House) -> None:
    """Every placed invoice is in exactly one state, and cash never exceeds what is owed."""
    outcome = settle(lived.nature, lived.state, WEEKS)
    assert outcome.total("cash") <= outcome.total("billed")
    assert outcome.total("value") <= outcome.total("billed")
    state = lived.state
    paid, lost = state.paid != NEVER, state.written_off != NEVER
    assert not (paid & lost).any()
    assert (paid | lost | np.isin(np.arange(paid.size), state.active))[state.placed & (
        lived.nature.orders.issued < lived.week * 7 - 3)].all()  # fmt: skip
    assert outcome.total("mails") > 0


def test_costs_are_shared_out_to_the_cent() -> None:
    world = LivingWorld(small({"people": {"deviate": 0.0, "absent": 0.0}}), 4, WEEKS)
    house = world.lived(blast)
    state = house.state
    cost, _, minutes = world.spec.priced()
    arms = state.contacts.ints("arm")
    assert state.cost.sum() == pytest.approx(cost[arms].sum(), rel=1e-9)
    assert state.minutes.sum() == pytest.approx(minutes[arms].sum(), rel=1e-9)
    assert state.mails.sum() + state.calls.sum() == pytest.approx(arms.size, rel=1e-9)


QUIET = {
    "purse": {"on": False}, "quarrels": {"silent": 0.0}, "drifting": {"switch_per_week": 0.0},
    "effects": {"scale": 0.0, "personal_sd": 0.0},
}  # fmt: skip


def _faster(kind: PayerType, by: float) -> PayerType:
    return replace(kind, hazard=1 / (1 + (1 - kind.hazard) / kind.hazard * np.exp(-by)))


@settings(max_examples=4, deadline=None)
@given(by=st.floats(0.05, 2.0), seed=st.integers(1, 10_000))
def test_a_higher_hazard_never_decides_later(by: float, seed: int) -> None:
    spec = small(QUIET, customers=80)
    types = {name: _faster(kind, by) for name, kind in spec.company.types.items()}
    quick = replace(spec, company=replace(spec.company, types=types))
    slow_state = LivingWorld(spec, seed, 4).lived(none).state
    fast_state = LivingWorld(quick, seed, 4).lived(none).state
    slow = np.where(slow_state.decided == NEVER, 10**9, slow_state.decided)
    fast = np.where(fast_state.decided == NEVER, 10**9, fast_state.decided)
    undisturbed = slow_state.dispute_opened == NEVER
    # Inside its week the day of a decision is drawn anew, so the comparison is by week.
    assert ((fast + 3) // 7 <= (slow + 3) // 7)[undisturbed].all()
    assert ((fast + 3) // 7 < (slow + 3) // 7).sum() > 0


def test_a_contact_that_helps_everybody_never_makes_a_decision_later() -> None:
    helpful = {kind: dict.fromkeys(("email_soft", "call_service"), 1.0) for kind in load_living("base").company.types}
    changes = QUIET | {"effects": {"scale": 1.0, "personal_sd": 0.0, "by_type": helpful}}
    world = LivingWorld(small(changes | {"failing": {"per_week": 0.0}}), 2, 8)
    mailed, left = world.lived(blast).state, world.lived(none).state
    week_mailed = np.where(mailed.decided == NEVER, 10**9, (mailed.decided + 3) // 7)
    week_left = np.where(left.decided == NEVER, 10**9, (left.decided + 3) // 7)
    same = mailed.placed & left.placed & (left.dispute_opened == NEVER)
    assert (week_mailed <= week_left)[same].all()
    assert (week_mailed < week_left)[same].sum() > 50


def test_the_effect_of_a_contact_is_that_of_running_the_whole_world_again() -> None:
    spec = small({"people": {"deviate": 0.0, "absent": 0.0}})
    world = LivingWorld(spec, 6, WEEKS)
    house = world.stepper()
    world.steer(house, ladder, world.nature.start_week + 4)
    book = house.book()
    points = np.flatnonzero(book.allowed[:, ARM["call_service"]])[:8]
    placed = np.flatnonzero(house.state.placed[: np.searchsorted(world.nature.orders.issued, book.as_of)])
    asked = placed[np.isin(book.point, points) & (book.collectible_minor > 0)]
    effect = world.effect(asked, 4, "call_service", policy=ladder, horizon=6)
    paid = np.zeros(asked.size)
    for arm, sign in (("call_service", 1), ("none", -1)):
        whole = house.copied()
        whole.apply(surely(points, np.full(points.size, ARM[arm])), people=False)
        for _ in range(6):
            whole.apply(none(whole.book(), whole.capacity, 0), people=False)
        came = (whole.state.paid[asked] != NEVER) & (whole.state.paid[asked] < (house.week + 6) * 7 - 3)
        paid += sign * came
    assert np.array_equal(effect.paid, paid)
    assert asked.size >= 8


def test_many_futures_average_the_effect() -> None:
    world = LivingWorld(small(), 6, WEEKS)
    book = world.stepper().book()
    state = world.stepper().state
    placed = np.flatnonzero(state.placed[: np.searchsorted(world.nature.orders.issued, book.as_of)])
    asked = placed[(book.collectible_minor > 0) & (book.as_of > book.due)]
    once = world.effect(asked, 0, "call_service", draws=1)
    often = world.effect(asked, 0, "call_service", draws=6)
    assert set(np.unique(once.paid)) <= {-1.0, 0.0, 1.0}
    assert np.unique(often.paid).size >= np.unique(once.paid).size
    assert not np.array_equal(once.paid, often.paid)
    assert np.array_equal(often.paid, world.effect(asked, 0, "call_service", draws=6).paid)


def test_a_world_is_not_run_beyond_what_it_was_made_for() -> None:
    with pytest.raises(ValueError, match="made for 4 weeks of arrivals, asked for 5"):
        LivingWorld(small(), 1, 4).run(none, 5)
