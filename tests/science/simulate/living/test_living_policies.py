"""The built-in policies in their order, the null world, and the bands of the calibration (few seeds here)."""

from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.simulate.living import Book, LivingWorld, load_living
from duecourse.science.simulate.living.book import none
from duecourse.science.simulate.living.oracles.beliefs import Beliefs
from duecourse.science.simulate.living.oracles.deciding import BeliefOracle, Clairvoyant, outlook
from duecourse.science.simulate.living.oracles.paying import Paying, fit_paying, logistic
from duecourse.science.simulate.living.oracles.watching import kernel, month_phase
from duecourse.science.simulate.living.policies.ladder import arrears, ladder, ladder_mails
from duecourse.science.simulate.living.policies.simple import blast, value_at_stake
from duecourse.science.simulate.living.portrait import portrait
from duecourse.science.simulate.living.spec import ARM, Living
from duecourse.science.simulate.pay_calendar import day_number, to_date

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def base() -> Living:
    return load_living("base")


@pytest.fixture(scope="module")
def paying(base: Living) -> Paying:
    return fit_paying(base, customers=3000, weeks=40)


def test_the_kernel_is_carry_over_after_delay() -> None:
    assert kernel((1.0, 0.5, 0.25)) == pytest.approx([0.667, 1.0, 0.881, 0.548, 0.190, 0.048], abs=1e-3)


def test_month_phases_follow_the_last_weekday_of_a_month() -> None:
    def week(text: str) -> int:
        year, month, day = map(int, text.split("-"))
        return (day_number(to_date(0).replace(year=year, month=month, day=day)) + 3) // 7

    assert month_phase(week("2025-01-31")) == 1
    assert month_phase(week("2025-02-05")) == 2
    assert month_phase(week("2025-02-12")) == 0
    assert month_phase(week("2025-08-29")) == 1  # a Friday; the 31st is a Sunday


def test_logistic_regression_finds_what_made_the_data() -> None:
    rng = np.random.Generator(np.random.Philox(1))
    design = np.column_stack([np.ones(20_000), rng.normal(size=20_000)])
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(design @ [-1.0, 0.7])))).astype(float)
    assert logistic(design, y) == pytest.approx([-1.0, 0.7], abs=0.06)


def test_the_ladder_takes_its_steps_once(base: Living) -> None:
    world = LivingWorld(replace(base, company=replace(base.company, customers=300)), 1, 20)
    house = world.stepper()
    sent: dict[int, list[tuple[int, int]]] = {}
    for _ in range(12):
        book = house.book()
        owed = arrears(book)
        mails = ladder_mails(book)
        assert (mails[owed.days_late == 0] == 0).all()
        for point in np.flatnonzero(mails).tolist():
            sent.setdefault(point, []).append((int(owed.days_late[point]) // 7, int(mails[point])))
        house.apply(ladder(book, house.capacity, 0))
    soft = [arm for steps in sent.values() for week, arm in steps if week < 4]
    assert set(soft) == {ARM["email_soft"]}
    firm = [arm for steps in sent.values() for week, arm in steps if 4 <= week < 6]
    assert ARM["email_firm"] in firm


def test_beliefs_start_at_the_mix_and_sharpen(base: Living, paying: Paying) -> None:
    world = LivingWorld(base, 2, 30)
    house = world.stepper()
    early = house.book()
    points = early.allowed.shape[0]
    beliefs = Beliefs(base, paying, points)
    assert np.allclose(beliefs.types, paying.mix, atol=1e-6)
    beliefs.see(early)
    types = beliefs.types
    assert np.allclose(types.sum(axis=1), 1)
    true = world.nature.inboxes.kind[house.week - world.nature.first_week]
    at_random = np.log(paying.mix[true] + 1e-12).mean()
    assert np.log(types[np.arange(points), true]).mean() > at_random + 0.1


def test_the_worth_of_an_unpaid_unit_falls_with_its_age(base: Living, paying: Paying) -> None:
    later = outlook(base, paying).later
    assert ((later >= 0) & (later <= 1)).all()
    assert (later[0] >= later[20]).all()
    worst, best = (list(base.company.types).index(name) for name in ("insolvent", "prompt"))
    assert later[0, worst] < later[0, best]


def test_the_order_of_the_policies_in_base(base: Living, paying: Paying) -> None:
    gains: dict[str, list[float]] = {"clairvoyant": [], "belief oracle": [], "none": []}
    for seed in SEEDS[:2]:
        world = LivingWorld(base, seed, 26)
        reference = world.run(ladder)
        scale = 100 / reference.total("balance")
        for name, policy in (
            ("clairvoyant", Clairvoyant(base, paying)), ("belief oracle", BeliefOracle(base, paying)), ("none", none),
        ):  # fmt: skip
            gains[name].append(scale * (world.run(policy).net() - reference.net()))
    mean = {name: float(np.mean(each)) for name, each in gains.items()}
    assert mean["clairvoyant"] > mean["belief oracle"] > 0 > mean["none"]
    assert mean["clairvoyant"] > 1.0
    assert -6 < mean["none"] < -1.5


def test_where_contacts_do_nothing_a_policy_loses_exactly_its_price() -> None:
    spec = load_living("null")
    for seed in SEEDS[:1]:
        world = LivingWorld(spec, seed, 13)
        left = world.run(none)
        for policy in (ladder, blast, value_at_stake):
            outcome = world.run(policy)
            price = outcome.total("cost") + outcome.total("relationship")
            assert outcome.total("value") == pytest.approx(left.total("value"), rel=1e-12)
            assert outcome.net() - left.net() == pytest.approx(
                left.total("cost") + left.total("relationship") - price, rel=1e-6
            )
            assert price > 5_000


def test_the_null_world_with_all_mechanisms_gives_no_gain() -> None:
    comparison = LivingWorld(load_living("null"), 1, 13).compare(ladder, none, seeds=SEEDS)
    assert comparison.gains.size == len(SEEDS)
    assert comparison.mean < 0


def test_an_oracle_that_looks_into_the_future_would_be_noticed(base: Living, paying: Paying) -> None:
    """The same book gives the same decisions, whatever will happen: the future is drawn anew and nothing changes."""
    world = LivingWorld(replace(base, company=replace(base.company, customers=400)), 2, 10)
    house = world.stepper()
    decided = []
    for one in (house, house.copied(future=5)):
        policy = Clairvoyant(base, paying)
        policy.begin(one)
        decided.append(policy(one.book(), one.capacity, 0))
    assert np.array_equal(decided[0].point, decided[1].point)
    assert np.array_equal(decided[0].arm, decided[1].arm)
    assert decided[0].point.size > 5


@pytest.fixture(scope="module")
def healthy_portraits() -> list[dict[str, float]]:
    return [portrait(LivingWorld(load_living("healthy"), seed, 52).lived(ladder)) for seed in SEEDS]


BANDS = {
    "late": (0.45, 0.55), "late 30": (0.12, 0.22), "late 60": (0.05, 0.12), "late 90": (0.03, 0.08),
    "lost": (0.005, 0.02), "mean days late": (9, 18), "median days of the late": (12, 25),
    "paid in the end, 0 days": (0.90, 0.97), "paid in the end, 91 days": (0.60, 0.80),
    "paid in the end, 182 days": (0.35, 0.55), "icc": (0.2, 0.4),
    "month-end week / mean week": (1.2, 1.8), "cleared on a weekend": (0, 0.01),
    "cleared with another": (0.5, 0.8), "remittances of one": (0.55, 0.75), "disputed": (0.04, 0.10),
    "late if disputed, more": (0.3, 0.5), "promises kept": (0.55, 0.75), "calls reached": (0.35, 0.5),
    "replies per mail": (0.08, 0.25), "opt-outs per mail": (0.0005, 0.0032),
}  # fmt: skip


@pytest.mark.parametrize("measure", list(BANDS))
def test_healthy_lies_in_its_bands(healthy_portraits: list[dict[str, float]], measure: str) -> None:
    low, high = BANDS[measure]
    assert low <= np.mean([each[measure] for each in healthy_portraits]) <= high


def test_a_book_is_whole_for_a_reader_that_copies_its_fields(base: Living) -> None:
    book = LivingWorld(replace(base, company=replace(base.company, customers=60)), 1, 4).stepper().book()
    assert isinstance(book, Book)
    for name in ("collectible_minor", "amount_minor", "timing_logit"):
        assert getattr(book, name).dtype == np.float64
    for name in ("point", "issued", "due", "paid_day", "closed_day", "written_off_day", "contact_arm"):
        assert getattr(book, name).dtype == np.int64
    assert book.allowed.dtype == bool
    assert book.dispute_whole.dtype == bool
