"""The plan: acceptance scenarios, one list per account, exact propensities, capacity, replay."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

from duecourse.core.errors import UsageError
from duecourse.ledger.as_of import View
from duecourse.ledger.schema import TABLES
from duecourse.science.decisions import DEFAULT_CAPACITY, Arm, Capacity, Plan, plan
from support.small_books import AS_OF, Book, FixedPrediction, moment, prediction


def make(book: Book, soon: dict[str, float] | None = None, *, policy: str = "value_at_stake", seed: int = 1,
         capacity: Capacity = DEFAULT_CAPACITY, view: View | None = None,
         segment: dict[str, str] | None = None) -> Plan:  # fmt: skip
    view = book.view() if view is None else view
    return plan(view, prediction(view, soon or {}, segment=segment), policy=policy, capacity=capacity, seed=seed)


def arm_of(made: Plan, customer_id: str) -> str:
    return str(made.decisions.filter(pl.col("customer_id") == customer_id).item(0, "arm"))


def reason_of(made: Plan, customer_id: str) -> str:
    return str(made.not_worked.filter(pl.col("customer_id") == customer_id).item(0, "reason"))


def why_of(made: Plan, customer_id: str) -> str:
    return str(made.worklist.filter(pl.col("customer_id") == customer_id).item(0, "why"))


def masked_of(made: Plan, customer_id: str) -> dict[str, str]:
    masks: dict[str, str] = json.loads(made.decisions.filter(pl.col("customer_id") == customer_id).item(0, "masked"))
    return masks


def a2_book() -> Book:
    book = Book()
    for name in "ABCD":
        book.customer(name)
    book.history("A", [10, 11, 12, 13, 14, 15] * 2).invoice("A1", "A", days_late=35, minor=4_500_000)
    book.history("B", [0, -1, 0, -2, 0, -1] * 2).invoice("B1", "B", days_late=8, minor=1_200_000)
    book.add("activities", activity_id="Q", customer_id="B", channel="email", direction="in",
             occurred_at=moment(AS_OF, -3), text="Which order is this for?")  # fmt: skip
    book.history("C", [5, 8, 10, 12, 20, 30, 40, 45, 50, 55])
    for key, late, minor in (("C1", 60, 4_000_000), ("C2", 55, 2_000_000), ("C3", 50, 1_800_000)):
        book.invoice(key, "C", days_late=late, minor=minor)
    book.add("disputes", dispute_id="X1", invoice_id="C1", opened_on=AS_OF - timedelta(20), disputed_minor=2_000_000)
    book.add("disputes", dispute_id="X2", invoice_id="C2", opened_on=AS_OF - timedelta(10))
    return book.history("D", [18, 19, 20, 21, 22, 20] * 2).invoice("D1", "D", days_late=20, minor=2_500_000)


@pytest.mark.parametrize("policy", ["ladder", "value_at_stake"])
def test_a2_day_view_settles_answers_contacts_and_leaves_alone(policy: str) -> None:
    made = make(a2_book(), {"A1": 0.5, "B1": 0.7, "C1": 0.1, "C2": 0.1, "C3": 0.2, "D1": 0.97}, policy=policy)
    assert made.day_view() == ["C", "B", "A", "D"]
    assert [arm_of(made, name) for name in "CBAD"] == ["route_dispute", "send_documents", "call_service", "none"]
    assert why_of(made, "C") == "2 open disputes hold €60,000.00; settle that before asking for the rest."
    assert "no reminder" in why_of(made, "B")
    assert "35 days over" in why_of(made, "A")
    assert "20 days beyond its own habit" in why_of(made, "A")
    needs = dict(made.worklist.select("customer_id", "needs_human").iter_rows())
    assert needs == {"C": "policy", "B": "unclear_reply", "A": ""}
    assert reason_of(made, "D") == "self_cure"
    detail = made.not_worked.item(0, "detail")
    assert detail.startswith("20 days over; usual for this customer is 20; expected in ")
    assert detail.endswith("no contact needed.")
    assert made.resolution.select("customer_id", "disputed_minor", "cash_at_stake_minor").rows() == [
        ("C", 4_000_000, 6_000_000)
    ]
    assert made.worklist.item(0, "invoice_ids").to_list() == ["C1", "C3"]  # the wholly disputed C2 is not asked for


def test_a4_the_same_lateness_is_told_against_each_customers_own_habit() -> None:
    book = Book().customer("TEN").customer("ZERO")
    book.history("TEN", [10] * 12).history("ZERO", [0] * 12)
    book.invoice("T", "TEN", days_late=15).invoice("Z", "ZERO", days_late=15)
    made = make(book, {"T": 0.5, "Z": 0.5})
    assert "5 days beyond its own habit" in why_of(made, "TEN")
    assert "15 days" in why_of(made, "ZERO")
    beyond = dict(made.worklist.select("customer_id", "beyond_habit_days").iter_rows())
    assert beyond == {"TEN": 5, "ZERO": 15}


def test_a5_the_tone_follows_the_record_and_final_is_no_arm() -> None:
    book = Book().customer("CLEAN").customer("LATE")
    book.history("CLEAN", [0] * 36, first_due=1095).invoice("N", "CLEAN", days_late=5)
    book.history("LATE", [45, 50, 45, 40], first_due=360, every=85).invoice("L", "LATE", days_late=45)
    made = make(book, {"N": 0.5, "L": 0.3}, segment={"CLEAN": "prompt", "LATE": "chronic"})
    assert arm_of(made, "CLEAN") == "email_soft"
    assert arm_of(made, "LATE") == "call_firm"
    assert "tone ceiling is soft" in masked_of(made, "CLEAN")["email_firm"]
    assert made.worklist.filter(pl.col("customer_id") == "LATE").item(0, "needs_human") == "first_firm_tone"
    no_phone = Capacity(420, 7, 0.1, {name: Arm(30, 0) for name in ("email_soft", "email_neutral", "email_firm")})
    assert arm_of(make(book, {"N": 0.5, "L": 0.3}, capacity=no_phone), "LATE") == "email_firm"


def full_book() -> Book:
    """Many customers in every situation, three currencies."""
    book = Book()
    for number in range(60):
        name = f"C{number:02}"
        book.customer(name, strategic=number % 17 == 0, debtor_kind="consumer" if number % 13 == 0 else None)
        book.history(name, [number % 9, number % 4, number % 15] * 3, first_due=380)
        for item in range(1 + number % 3):
            book.invoice(f"{name}-{item}", name, days_late=number * 2 - 20 - 5 * item, minor=10_000 * (number + 1),
                         currency=("EUR", "JPY", "KWD")[number % 3])  # fmt: skip
        if number % 7 == 0:
            book.add("disputes", dispute_id=f"D{number}", invoice_id=f"{name}-0", opened_on=AS_OF - timedelta(2))
        if number % 5 == 0:
            book.contacted(name, days_ago=number % 12)
    return book


@pytest.mark.parametrize("policy", ["ladder", "value_at_stake"])
@pytest.mark.parametrize("horizon", [1, 7])
def test_every_account_is_in_exactly_one_list_with_a_reason(policy: str, horizon: int) -> None:
    book = full_book()
    made = make(book, policy=policy, capacity=Capacity(60, horizon, 0.1, DEFAULT_CAPACITY.arms))
    worked = made.worklist.get_column("customer_id").to_list()
    alone = made.not_worked.get_column("customer_id").to_list()
    assert sorted(worked + alone) == [f"C{number:02}" for number in range(60)]
    assert made.not_worked.get_column("detail").str.len_chars().min() > 10  # type: ignore[operator]
    known = {"deferred", "self_cure", "masked", "capacity", "nothing_collectible", "no_gain"}
    assert set(made.not_worked.get_column("reason")) <= known
    decided = dict(made.decisions.select("customer_id", "arm").iter_rows())
    assert {name for name, arm in decided.items() if arm != "none"} == set(worked)
    assert made.worklist.get_column("rank").to_list() == list(range(1, len(worked) + 1))


@pytest.mark.parametrize("policy", ["ladder", "value_at_stake"])
def test_propensities_are_exact_and_cover_exactly_what_is_not_masked(policy: str) -> None:
    made = make(full_book(), policy=policy)
    for row in made.decisions.iter_rows(named=True):
        propensities, masked = json.loads(row["propensities"]), json.loads(row["masked"])
        assert sum(propensities.values()) == 1.0
        assert propensities[row["arm"]] == row["propensity"] == 1.0
        assert set(propensities) | set(masked) == set(TABLES["decisions"].by_name["arm"].values)
        assert not set(propensities) & set(masked)
        assert "none" in propensities
        assert all(masked.values())
    assert made.decisions.columns == list(TABLES["decisions"].dtypes)


def test_capacity_is_never_exceeded_on_any_day_and_the_price_of_a_minute_shows() -> None:
    capacity = Capacity(30, 7, 0.1, DEFAULT_CAPACITY.arms)
    made = make(full_book(), {}, policy="ladder", capacity=capacity)
    calls = made.worklist.filter(pl.col("minutes") > 0)
    assert calls.get_column("minutes").sum() <= 30 * 5
    assert made.decisions.get_column("minute_price_minor").max() > 0  # type: ignore[operator]
    none = make(full_book(), policy="ladder", capacity=Capacity(0, 7, 0.1, DEFAULT_CAPACITY.arms))
    assert none.worklist.get_column("minutes").sum() == 0
    assert set(none.worklist.get_column("arm")) <= {"email_soft", "email_neutral", "email_firm"}


def test_who_is_left_out_for_want_of_minutes_is_named_and_owes_least() -> None:
    book = Book()
    for number in range(8):
        book.customer(f"C{number}").invoice(f"I{number}", f"C{number}", days_late=30, minor=1000 * (number + 1))
    made = make(book, policy="ladder", capacity=Capacity(12, 7, 0.1, {"call_service": Arm(0, 12)}))
    assert made.worklist.get_column("customer_id").to_list() == ["C7", "C6", "C5", "C4", "C3"]
    assert made.not_worked.select("customer_id", "reason").rows() == [(f"C{n}", "capacity") for n in range(3)]
    assert made.not_worked.item(0, "detail") == "A call (12 min, €10.00) did not fit: others bring more per minute."
    days = made.worklist.get_column("send_at").dt.date().to_list()
    assert days == [AS_OF + timedelta(day) for day in range(5)]


def test_arms_that_are_not_listed_are_not_available() -> None:
    made = make(full_book(), capacity=Capacity(420, 7, 0.1, {}))
    assert made.worklist.is_empty()
    assert all("not available" in masked_of(made, "C30")[arm] for arm in ("email_soft", "call_service"))


def test_replay_is_equal_and_the_seed_moves_only_sending_times() -> None:
    view = full_book().view()
    first, again, other = (make(full_book(), seed=seed, view=view) for seed in (1, 1, 2))
    for name in ("decisions", "worklist", "not_worked", "resolution"):
        assert getattr(first, name).equals(getattr(again, name))
    assert first.worklist.drop("send_at", "decision_id").equals(other.worklist.drop("send_at", "decision_id"))
    assert not first.worklist.get_column("decision_id").equals(other.worklist.get_column("decision_id"))


def test_one_message_per_paying_parent_lists_the_invoices_of_all_subsidiaries() -> None:
    book = Book().customer("P").customer("S1", parent_id="P").customer("S2", parent_id="S1")
    book.invoice("I1", "S1", days_late=10).invoice("I2", "S2", days_late=12).invoice("I3", "P", days_late=2)
    made = make(book, {}, policy="ladder")
    assert made.worklist.select("customer_id", "contact_id", "invoice_ids", "open_minor").rows() == [
        ("P", "P-ap", ["I2", "I1", "I3"], 300_000)
    ]


def test_a_circle_of_parents_ends() -> None:
    book = Book().customer("X", parent_id="Y").customer("Y", parent_id="X")
    book.invoice("I1", "X", days_late=10).invoice("I2", "Y", days_late=10)
    assert make(book, {}).worklist.get_column("customer_id").to_list() == ["X"]


def test_what_was_sent_lately_or_covered_or_promised_is_left_alone() -> None:
    book = Book()
    for name in ("SENT", "CASH", "PROMISE", "STEP", "SOON"):
        book.customer(name).invoice(f"I-{name}", name, days_late=-5 if name == "SOON" else 16)
    book.contacted("SENT", days_ago=3).contacted("STEP", days_ago=8, tone="soft")
    book.add("payments", payment_id="P", received_on=AS_OF - timedelta(2), amount_minor=100_000, currency="EUR",
             customer_id="CASH")  # fmt: skip
    book.add("promises", promise_id="R", customer_id="PROMISE", promised_on=AS_OF - timedelta(3),
             due_on=AS_OF + timedelta(5), amount_minor=100_000, currency="EUR", invoice_ids=["I-PROMISE"])  # fmt: skip
    made = make(book, {})
    reasons = dict(made.not_worked.select("customer_id", "reason").iter_rows())
    assert reasons == {
        "SENT": "deferred", "CASH": "nothing_collectible", "PROMISE": "nothing_collectible", "SOON": "deferred",
    }  # fmt: skip
    assert made.worklist.get_column("customer_id").to_list() == ["STEP"]  # the step of week 2 began after that mail
    detail = dict(made.not_worked.select("customer_id", "detail").iter_rows())
    assert detail["SENT"] == "Contacted 3 days ago; not again before 2026-06-05."
    assert "covered by cash" in detail["CASH"]
    assert "promised" in detail["PROMISE"]


def test_a_broken_promise_is_an_event_and_ends_the_silence() -> None:
    book = Book().customer("B").history("B", [5] * 10).invoice("I", "B", days_late=5)
    book.add("promises", promise_id="R", customer_id="B", promised_on=AS_OF - timedelta(40),
             due_on=AS_OF - timedelta(25), amount_minor=100_000, currency="EUR", invoice_ids=["I"])  # fmt: skip
    made = make(book, {"I": 0.95})
    assert arm_of(made, "B") == "email_soft"
    assert why_of(made, "B").startswith("Promise not kept; 5 days over")


def test_a_small_dispute_does_not_hide_a_large_undisputed_rest() -> None:
    book = Book().customer("K").invoice("BIG", "K", days_late=40, minor=9_000_000)
    book.invoice("SMALL", "K", days_late=10, minor=2_000).add(
        "disputes", dispute_id="D", invoice_id="SMALL", opened_on=AS_OF - timedelta(3)
    )
    made = make(book, {"BIG": 0.1})
    assert arm_of(made, "K") == "call_service"
    assert made.worklist.item(0, "invoice_ids").to_list() == ["BIG"]
    assert made.worklist.item(0, "asked_minor") == 9_000_000
    assert made.resolution.select("customer_id", "cash_at_stake_minor", "decided_arm").rows() == [
        ("K", 2_000, "call_service")
    ]
    assert "the disputed part is left out" in why_of(made, "K")


def test_a_leftover_does_not_set_the_tone() -> None:
    book = Book().customer("K").invoice("CENT", "K", days_late=300, minor=10).invoice("REAL", "K", days_late=5)
    made = make(book, {})
    assert arm_of(made, "K") == "email_soft"
    assert why_of(made, "K").startswith("Invoice REAL is 5 days over, the oldest 300 days; ")


def test_a_short_horizon_decides_only_for_those_whose_turn_it_is() -> None:
    book = full_book()
    week = {day: make(book, capacity=Capacity(420, 1, 0.1, DEFAULT_CAPACITY.arms),
                      view=book.ledger().as_of(AS_OF + timedelta(day))) for day in range(5)}  # fmt: skip
    scheduled = [
        set(made.decisions.filter(pl.col("epoch_kind") == "scheduled").get_column("customer_id"))
        for made in week.values()
    ]
    assert all(not a & b for i, a in enumerate(scheduled) for b in scheduled[i + 1 :])
    weekend = make(book, capacity=Capacity(420, 1, 0.1, DEFAULT_CAPACITY.arms),
                   view=book.ledger().as_of(AS_OF + timedelta(5)))  # fmt: skip
    assert weekend.worklist.is_empty()
    assert weekend.decisions.is_empty()


def test_unknown_policies_are_refused_with_what_exists() -> None:
    for policy in ("greedy", "magic"):
        with pytest.raises(UsageError, match="ladder, value_at_stake"):
            make(a2_book(), policy=policy)


def test_a_prediction_of_another_book_is_refused() -> None:
    view = a2_book().view()
    other = prediction(Book().invoice("Z", "Z", days_late=1).view(), {})
    with pytest.raises(ValueError, match="does not cover open invoice A1"):
        plan(view, other, policy="ladder", capacity=DEFAULT_CAPACITY, seed=1)


def test_an_empty_book_gives_an_empty_plan() -> None:
    empty = FixedPrediction(
        pl.DataFrame(schema={"invoice_id": pl.String, "p_never": pl.Float64}),
        pl.DataFrame(schema={"invoice_id": pl.String, "day": pl.Int32, "cdf": pl.Float64}),
    )
    made = plan(Book().view(), empty, policy="ladder", capacity=DEFAULT_CAPACITY, seed=1)
    assert made.worklist.is_empty()
    assert made.decisions.is_empty()
    assert made.day_view() == []


def test_draft_names_have_no_path_in_them() -> None:
    book = Book()
    for name in ("../../etc/passwd", "C:\\x\\..\\y", "a/b", "🙂", ". .", "CON", "x" * 300):
        book.invoice(f"I{name}", name, days_late=5)
    made = make(book, {}, policy="ladder")
    names = made.worklist.get_column("draft").to_list()
    assert len(set(names)) == 7
    for name in names:
        assert len(name) <= 80
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert name.count(".") == 1
