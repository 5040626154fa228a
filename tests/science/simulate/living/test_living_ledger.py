"""The ledger of a living house: whole, as the book says, never of the future, and plannable from outside."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.schema import ARMS, TABLES
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living import House, LivingWorld, decided_from, ledger_of, load_living
from duecourse.science.simulate.living.ledger import point_ids
from duecourse.science.simulate.living.policies.simple import RandomLog
from duecourse.science.simulate.pay_calendar import day_number, to_date


def _house(world: str = "base") -> House:
    spec = load_living(world)
    spec = replace(spec, company=replace(spec.company, customers=150), span=replace(spec.span, history_weeks=40))
    living = LivingWorld(spec, 2, 12)
    house = living.stepper()
    living.steer(house, RandomLog(), house.week + 6)
    return house


@pytest.fixture(scope="module")
def house() -> House:
    return _house()


def test_the_ledger_keeps_the_invariants(house: House) -> None:
    ledger = ledger_of(house)
    assert invariant_problems(ledger) == ()
    for name in ("activities", "promises", "disputes", "decisions", "credits"):
        assert ledger.table(name).height > 5, name
    assert invariant_problems(ledger_of(_house("waiting"))) == ()


def test_nothing_is_recorded_on_or_after_the_monday_or_before_it_happened(house: House) -> None:
    monday = to_date(house.week * 7 - 3)
    for name, frame in ledger_of(house).tables.items():
        own = TABLES[name].known_from
        recorded = frame.filter(pl.col("recorded_at").is_not_null())
        assert recorded.filter(pl.col("recorded_at").dt.date() >= monday).height == 0, name
        if own is not None:
            assert recorded.filter(pl.col("recorded_at").dt.date() < pl.col(own).cast(pl.Date)).height == 0, name


def test_the_ledger_and_the_book_say_the_same(house: House) -> None:
    book = house.book()
    balances = invoice_balances(ledger_of(house).as_of(to_date(book.as_of))).sort("invoice_id")
    assert balances.height == book.point.size
    assert balances["due_on"].to_list() == [to_date(day) for day in book.due.tolist()]
    paid = [NEVER if day is None else day_number(day) for day in balances["paid_on"].to_list()]
    whole = ~np.isin(np.arange(book.point.size), book.part_invoice)
    open_minor = balances["open_minor"].to_numpy()
    in_book = (book.paid_day == NEVER) & (book.closed_day == NEVER) & (book.written_off_day == NEVER)
    assert ((open_minor > 0.05 * book.amount_minor) == in_book)[whole].all()
    same = (book.paid_day != NEVER) & (np.array(paid) != NEVER)
    assert np.array_equal(np.array(paid)[same & whole], book.paid_day[same & whole])
    assert same.sum() > 200


def test_a_later_ledger_repeats_the_earlier_one(house: House) -> None:
    later = house.copied()
    before = ledger_of(house)
    for _ in range(3):
        later.apply(RandomLog()(later.book(), later.capacity, later.week))
    after = ledger_of(later)
    monday = to_date(house.week * 7 - 3)
    for name in ("invoices", "payments", "allocations", "activities", "promises", "disputes", "decisions", "credits"):
        earlier, again = before.table(name), after.table(name)
        known = again.filter(pl.col("recorded_at").dt.date() < monday)
        key = [*TABLES[name].key, "recorded_at"]
        assert earlier.sort(key).equals(known.sort(key), null_equal=True), name


def test_decisions_are_logged_as_the_contract_says(house: House) -> None:
    decisions = ledger_of(house).table("decisions")
    book = house.book()
    assert decisions.height == book.decision_point.size
    for row in decisions.head(50).iter_rows(named=True):
        chances, masked = json.loads(row["propensities"]), json.loads(row["masked"])
        assert sum(chances.values()) == pytest.approx(1)
        assert set(chances) | set(masked) == set(ARMS)
        assert not set(chances) & set(masked)
        assert row["propensity"] == chances[row["arm"]] > 0
        assert row["executed_arm"] in ("none", row["arm"])
    linked = ledger_of(house).table("activities").filter(pl.col("decision_id").is_not_null())
    executed = decisions.filter(pl.col("executed_arm") != "none")
    assert linked.height == executed.height


def test_decisions_written_in_a_ledger_are_taken_back_as_they_were(house: House) -> None:
    """The house after decisions from outside is the house after the same decisions from inside."""
    inside, outside = house.copied(), house.copied()
    decided = RandomLog()(house.book(), house.capacity, 5)
    names = point_ids(house)
    frame = pl.DataFrame({
        "customer_id": [names[at] for at in decided.point.tolist()],
        "arm": [ARMS[code] for code in decided.arm.tolist()],
        "propensities": [
            json.dumps({arm: float(chance) for arm, chance in zip(ARMS, row, strict=True) if chance > 0})
            for row in decided.propensities
        ],
    })  # fmt: skip
    inside.apply(decided)
    outside.apply(decided_from(outside, frame))
    one, other = ledger_of(inside), ledger_of(outside)
    for name, table in one.tables.items():
        assert table.equals(other.table(name), null_equal=True), name


def test_a_decision_for_nobody_or_with_an_unknown_arm_is_refused(house: House) -> None:
    frame = pl.DataFrame({"customer_id": ["C99999"], "arm": ["none"], "propensities": ['{"none":1.0}']})
    with pytest.raises(ValueError, match="'C99999', which is no contact point"):
        decided_from(house, frame)
    frame = frame.with_columns(customer_id=pl.lit(point_ids(house)[0]), arm=pl.lit("pigeon"))
    with pytest.raises(ValueError, match="unknown arm 'pigeon'"):
        decided_from(house, frame)
