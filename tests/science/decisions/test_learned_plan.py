"""The learned policy on a ledger: contract columns, exact propensities, replay, and the ladder where it cannot plan."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from duecourse.ledger.schema import ARMS, TABLES
from duecourse.science.decisions import DEFAULT_CAPACITY, Arm, Capacity, Plan, plan
from duecourse.science.decisions.contact_points import gather
from duecourse.science.decisions.learned.from_view import book_from_view
from duecourse.science.decisions.mask import mask
from support.small_books import AS_OF, Book, moment, prediction

FEW = {name: DEFAULT_CAPACITY.arms[name] for name in ("email_soft", "email_neutral", "call_service", "route_dispute")}


def full_book() -> Book:
    """Forty customers in every situation, two currencies."""
    book = Book()
    for number in range(40):
        name = f"C{number:02}"
        book.customer(name)
        book.history(name, [number % 9, number % 4, number % 30] * 3, first_due=380)
        book.invoice(f"{name}-0", name, days_late=number * 2 - 4, minor=20_000 * (number + 1),
                     currency=("EUR", "JPY")[number % 2])  # fmt: skip
        if number % 9 == 0:
            book.invoice(f"{name}-D", name, days_late=40, minor=90_000)
            book.add("disputes", dispute_id=f"D{number}", invoice_id=f"{name}-D", opened_on=AS_OF - timedelta(2))
    book.add("promises", promise_id="P", customer_id="C20", promised_on=AS_OF - timedelta(40),
             due_on=AS_OF - timedelta(30), amount_minor=10_000, currency="EUR", invoice_ids=["C20-0"])  # fmt: skip
    return book


def logged(book: Book, number: int, customer: str, weeks_ago: int, *, arm: str = "email_soft",
           propensities: Any = None, **row: Any) -> Book:  # fmt: skip
    chances = {"none": 0.5, "email_soft": 0.5} if propensities is None else propensities
    return book.add(
        "decisions", decision_id=f"L{number}", decided_at=moment(AS_OF, -7 * weeks_ago, 0), customer_id=customer,
        arm=arm, propensities=chances if isinstance(chances, str) else json.dumps(chances),
        executed_arm=row.pop("executed_arm", arm), executed_at=moment(AS_OF, -7 * weeks_ago), **row,
    )  # fmt: skip


def make(book: Book, *, seed: int = 1, capacity: Capacity = DEFAULT_CAPACITY) -> Plan:
    view = book.view()
    return plan(view, prediction(view, {}), policy="learned", capacity=capacity, seed=seed)


def test_everybody_is_decided_in_the_contracts_columns_with_exact_propensities() -> None:
    made = make(full_book())
    assert made.decisions.columns == list(TABLES["decisions"].dtypes)
    assert made.decisions.height == 40
    for row in made.decisions.iter_rows(named=True):
        chances, masked = json.loads(row["propensities"]), json.loads(row["masked"])
        assert math.isclose(math.fsum(chances.values()), 1, abs_tol=1e-9)
        assert set(chances) | set(masked) == set(ARMS)
        assert not set(chances) & set(masked)
        assert math.isclose(row["propensity"], chances[row["arm"]], abs_tol=1e-12)
        assert row["propensity"] > 0
        assert row["gain_p10_minor"] <= row["expected_gain_minor"] <= row["gain_p90_minor"] or row["eps"] == 0
        assert (row["policy"], row["policy_version"], row["draws"]) == ("learned", "learned/1", 64)
        assert row["posterior_id"]
        assert row["prior_id"]
        assert row["features_hash"]
    drawn = made.decisions.filter(pl.col("eps") > 0)
    assert drawn.height >= 25
    assert json.loads(drawn.item(0, "q_arms"))["none"] == 0
    names = [*made.worklist.get_column("customer_id"), *made.not_worked.get_column("customer_id")]
    assert sorted(names) == [f"C{number:02}" for number in range(40)]
    assert made.worklist.get_column("why").str.len_chars().max() <= 140
    assert made.not_worked.get_column("detail").str.len_chars().max() <= 140


def test_the_same_snapshot_and_seed_give_equal_frames_and_another_seed_does_not() -> None:
    book = full_book()
    first, again, other = make(book), make(book), make(book, seed=2)
    assert first.decisions.equals(again.decisions)
    assert first.worklist.equals(again.worklist)
    assert not first.decisions.get_column("arm").equals(other.decisions.get_column("arm"))


def test_minutes_hold_on_every_day_and_disputes_are_settled() -> None:
    tight = Capacity(24.0, 7, 0.1, FEW)
    made = make(full_book(), capacity=tight)
    days = made.worklist.filter((pl.col("minutes") > 0) & pl.col("send_at").is_not_null())
    assert float(made.worklist.get_column("minutes").sum()) <= 24.0 * 5
    spent = days.group_by(pl.col("send_at").dt.date()).agg(pl.col("minutes").sum())
    assert spent.get_column("minutes").max() is None or spent.get_column("minutes").max() <= 24.0
    worked = made.worklist.filter(pl.col("arm") == "route_dispute")
    assert worked.height >= 1


def test_what_no_rule_lets_through_is_never_drawn() -> None:
    book = full_book()
    book.add("activities", activity_id="Q", customer_id="C30", channel="email", direction="in",
             occurred_at=moment(AS_OF, -2), text="Which order?")  # fmt: skip
    made = make(book, capacity=Capacity(420, 7, 0.1, FEW))
    row = made.decisions.filter(pl.col("customer_id") == "C30").to_dicts()[0]
    assert row["arm"] == "none"
    assert row["epoch_kind"] == "reply"
    assert row["propensity"] == 1.0
    for one in made.decisions.iter_rows(named=True):
        assert one["arm"] not in json.loads(one["masked"])


def test_without_a_log_the_prior_alone_speaks_and_says_so() -> None:
    made = make(full_book())
    assert "this ledger holds no decision that was drawn by lot" in made.assumptions[0]


def test_a_log_is_learnt_from_counted_and_unconfirmed_rows_are_named() -> None:
    book = full_book()
    number = 0
    for weeks_ago in range(2, 12):
        for customer in range(0, 40, 2):
            number += 1
            arm = "email_soft" if number % 2 else "none"
            logged(book, number, f"C{customer:02}", weeks_ago, arm=arm)
    logged(book, 9001, "C01", 3, executed_arm=None)
    book.add("decisions", decision_id="OLD", decided_at=moment(AS_OF, -100), customer_id="C01", arm="none")
    made = make(book)
    said = " ".join(made.assumptions)
    assert "201 decisions drawn by lot" in made.assumptions[0]
    assert "1 logged decisions have no propensities" in said
    assert "1 proposed contacts have no sign of having been carried out" in said


def test_who_was_decided_within_the_week_waits_for_the_next_turn() -> None:
    book = full_book()
    book.add("decisions", decision_id="L1", decided_at=moment(AS_OF, -3, 0), customer_id="C15", arm="none",
             propensities=json.dumps({"none": 0.7, "email_soft": 0.3}))  # fmt: skip
    made = make(book)
    assert "C15" not in made.decisions.get_column("customer_id")
    row = made.not_worked.filter(pl.col("customer_id") == "C15").to_dicts()[0]
    assert row["reason"] == "deferred"
    assert row["detail"] == f"Decided 3 days ago; the next decision is on {AS_OF + timedelta(days=4)}."


@pytest.mark.parametrize(
    ("propensities", "arm", "said"),
    [
        ({"none": 0.5, "email_soft": 0.4}, "email_soft", "propensities sum to 0.9, not to 1"),
        ({"none": 0.5, "carrier_pigeon": 0.5}, "none", "the arm 'carrier_pigeon' that does not exist"),
        ({"none": 1.5, "email_soft": -0.5}, "none", "not a number from 0 to 1"),
        ({"none": 1.0, "email_soft": 0.0}, "email_soft", "was drawn with propensity 0"),
        ("not json", "none", "propensities are not JSON"),
        ("[1]", "none", "not an object"),
        ({"none": True}, "none", "not a number"),
    ],
)
def test_a_log_that_contradicts_itself_is_named_and_the_ladder_plans(propensities: Any, arm: str, said: str) -> None:
    book = logged(full_book(), 7, "C05", 4, arm=arm, propensities=propensities)
    made = make(book)
    assert made.assumptions[0].startswith("The ladder planned instead of the learned policy: the decision log cannot")
    assert "decision L7" in made.assumptions[0]
    assert said in made.assumptions[0]
    assert set(made.decisions.get_column("policy")) == {"ladder"}
    view = book.view()
    ladder = plan(view, prediction(view, {}), policy="ladder", capacity=DEFAULT_CAPACITY, seed=1)
    assert made.decisions.equals(ladder.decisions)


@pytest.mark.parametrize(
    ("capacity", "said"),
    [
        (Capacity(0.0, 7, 0.1, FEW), "no minutes but arms that need some (call_service, route_dispute)"),
        (Capacity(420.0, 7, 0.1, {}), "lists no arm"),
    ],
)
def test_without_capacity_the_ladder_plans_and_says_why(capacity: Capacity, said: str) -> None:
    made = make(full_book(), capacity=capacity)
    assert said in made.assumptions[0]
    assert set(made.decisions.get_column("policy")) == {"ladder"}
    assert not made.worklist.filter(pl.col("minutes") > 0).height


def test_an_empty_ledger_and_one_without_open_invoices_are_planned_without_a_crash() -> None:
    assert make(Book().customer("A")).decisions.height == 0
    assert make(Book().customer("A").history("A", [1, 2, 3])).decisions.height == 0


def test_mail_only_capacity_needs_no_minutes() -> None:
    made = make(full_book(), capacity=Capacity(0.0, 7, 0.1, {"email_soft": Arm(30, 0.0)}))
    assert set(made.decisions.get_column("policy")) == {"learned"}
    assert set(made.worklist.get_column("arm")) <= {"email_soft"}


def test_the_book_holds_what_the_ledger_says_in_one_scale() -> None:
    book = full_book()
    book.contacted("C03", days_ago=5, tone="firm")
    book.contacted("C04", days_ago=5, channel="call", tone=None, outcome="reached")
    view = book.view()
    points = gather(view, prediction(view, {}), cost_of_capital=0.1)
    source = book_from_view(view, points, [mask(point, DEFAULT_CAPACITY) for point in points])
    found = source.book
    assert found.points == 40
    assert (found.paid_day >= 0).sum() == 40 * 9
    assert found.collectible_minor[found.collectible_minor > 0].size >= 39
    assert [ARMS[code] for code in found.contact_arm] == ["email_firm", "call_service"]
    assert found.contact_reached.tolist() == [-1, 1]
    assert found.contact_human.tolist() == [True, True]
    assert found.promise_outcome.tolist() == [2]
    assert found.dispute_whole.all()
    assert source.scale["EUR"] == 1.0
    assert source.scale["JPY"] != 1.0
    assert found.allowed[:, 0].all()
