from datetime import date

import pytest

from duecourse.core.states import PROMISE, can_reach
from duecourse.ledger.promises import PromiseRules, promise_states
from support.books import Row, allocation, books, customer, invoice, payment, promise

# Due on Friday 2026-03-06. Grace of two business days ends on Tuesday 10; with a wire's lag of 2 days the money may be
# seen until Sunday 8 plus two business days: Tuesday 10 too.
DUE = "2026-03-06"
WIRE = payment("P0", 1, "2025-06-01", method="wire", customer_id="C1")
BOOK = [invoice("I1"), invoice("I2"), WIRE, allocation("I2", 1, "2025-06-01", source_id="P0")]
ON_I1 = promise("M", 4_000, "2026-02-20", DUE, invoice_ids=["I1"])


def states(as_of: str, *rows: Row) -> dict[str, str]:
    frame = promise_states(books(*BOOK, *rows).as_of(date.fromisoformat(as_of)))
    return dict(frame.select("promise_id", "state").iter_rows())


def state(as_of: str, *rows: Row) -> str:
    return states(as_of, *rows)["M"]


def test_limits() -> None:
    row = promise_states(books(*BOOK, ON_I1).as_of(date(2026, 3, 1))).row(0, named=True)
    assert (row["grace_until"], row["judged_after"]) == (date(2026, 3, 10), date(2026, 3, 10))
    assert (row["amount_minor"], row["arrived_minor"], row["remaining_minor"]) == (4_000, 0, 4_000)


def test_without_money_a_promise_is_open_then_due_then_broken() -> None:
    days = ["2026-02-21", "2026-03-05", DUE, "2026-03-10", "2026-03-11"]
    assert [state(day, ON_I1) for day in days] == ["open", "open", "due", "due", "broken"]


def test_a_promise_is_not_known_before_it_is_recorded() -> None:
    assert states("2026-02-20", ON_I1) == {}


@pytest.mark.parametrize(
    ("minor", "applied_on", "expected"),
    [
        (4_000, "2026-02-20", "kept"),
        (4_000, "2026-03-10", "kept"),
        (4_000, "2026-03-11", "broken"),
        (4_000, "2026-02-19", "broken"),  # paid before it was promised
        (3_999, "2026-03-02", "part_kept"),
        (2_000, "2026-03-02", "part_kept"),
        (1_999, "2026-03-02", "broken"),
        (9_999, "2026-03-02", "kept"),
    ],
)
def test_money_in_time_decides(minor: int, applied_on: str, expected: str) -> None:
    assert state("2026-04-01", ON_I1, allocation("I1", minor, applied_on)) == expected


def test_money_on_another_invoice_does_not_count() -> None:
    assert state("2026-04-01", ON_I1, allocation("I2", 4_000, "2026-03-02")) == "broken"


def test_a_promise_kept_early_stays_open_until_it_falls_due() -> None:
    money = allocation("I1", 4_000, "2026-02-25")
    assert [state(day, ON_I1, money) for day in ("2026-03-05", DUE)] == ["open", "kept"]


def test_money_that_came_in_time_and_was_recorded_late_mends_the_judgement() -> None:
    money = allocation("I1", 4_000, "2026-03-09", recorded_at="2026-03-20")
    assert [state(day, ON_I1, money) for day in ("2026-03-20", "2026-03-21")] == ["broken", "kept"]


def test_a_returned_payment_breaks_what_was_kept() -> None:
    money = allocation("I1", 4_000, "2026-03-02", reversed_on="2026-03-15")
    assert [state(day, ON_I1, money) for day in ("2026-03-15", "2026-03-16")] == ["kept", "broken"]


@pytest.mark.parametrize(("kind", "expected"), [("discount", "kept"), ("fee", "kept"), ("rounding", "kept"),
                                               ("credit", "part_kept"), ("write_off", "part_kept")])  # fmt: skip
def test_a_named_residual_does_not_break_a_promise(kind: str, expected: str) -> None:
    rows = [allocation("I1", 3_900, "2026-03-02"), allocation("I1", 100, "2026-03-02", kind)]
    assert state("2026-04-01", ON_I1, *rows) == expected


def test_the_day_that_counts_is_when_the_money_came_in() -> None:
    rows = [payment("P1", 4_000, "2026-03-10"), allocation("I1", 4_000, "2026-03-16", source_id="P1")]
    assert state("2026-04-01", ON_I1, *rows) == "kept"


def test_unapplied_cash_counts_for_the_earliest_promise_first() -> None:
    second = promise("N", 4_000, "2026-02-20", "2026-03-09", invoice_ids=["I2"])
    cash = payment("P1", 5_000, "2026-03-02")
    assert states("2026-04-01", ON_I1, second, cash) == {"M": "kept", "N": "broken"}
    foreign = [cash.also(currency="EUR"), cash.also(customer_id="C2"), cash.also(status="returned")]
    assert [state("2026-04-01", ON_I1, row) for row in foreign] == ["broken"] * 3


def test_the_method_of_the_customer_sets_the_settlement_lag() -> None:
    cheques = [payment(f"Q{n}", 1, "2025-07-01", method="cheque") for n in range(2)]
    cheques += [allocation("I2", 1, f"2025-07-0{n + 1}", source_id=f"Q{n}") for n in range(2)]
    assert state("2026-03-11", ON_I1, *cheques) == "due"
    assert state("2026-03-25", ON_I1, *cheques) == "broken"  # 6 + 14 = Friday 20, + 2 business days = Tuesday 24


def test_holidays_of_the_customer_extend_the_grace() -> None:
    new_year = promise("M", 4_000, "2025-12-01", "2025-12-31", invoice_ids=["I1"])
    rows = [invoice("I1", issued_on="2025-10-01"), new_year]
    at_home = promise_states(books(*rows, customer("C1", country="US")).as_of(date(2025, 12, 5)))
    unknown = promise_states(books(*rows).as_of(date(2025, 12, 5)))
    assert [frame["grace_until"][0] for frame in (unknown, at_home)] == [date(2026, 1, 2), date(2026, 1, 5)]


def test_a_later_promise_over_the_same_invoice_supersedes() -> None:
    later = promise("N", 4_000, "2026-03-02", "2026-03-20", invoice_ids=["I1", "I2"])
    assert states("2026-03-03", ON_I1, later) == {"M": "superseded", "N": "open"}
    assert state("2026-03-02", ON_I1, later) == "open"
    assert states("2026-03-03", ON_I1, later.also(invoice_ids=["I2"])) == {"M": "open", "N": "open"}
    assert states("2026-03-03", ON_I1, later.also(currency="EUR")) == {"M": "open", "N": "open"}


@pytest.mark.parametrize(("first", "second"), [(None, ["I1"]), (["I1"], None), (None, None)])
def test_a_promise_without_invoices_covers_the_whole_account(first: list[str] | None, second: list[str] | None) -> None:
    rows = [ON_I1.also(invoice_ids=first), promise("N", 4_000, "2026-03-02", "2026-03-20", invoice_ids=second)]
    assert states("2026-03-03", *rows) == {"M": "superseded", "N": "open"}


def test_replacing_an_overdue_promise_counts_as_broken() -> None:
    later = promise("N", 4_000, "2026-03-11", "2026-03-20", invoice_ids=["I1"])
    assert states("2026-03-12", ON_I1, later) == {"M": "broken", "N": "open"}
    in_grace = later.also(promised_on="2026-03-10")
    assert state("2026-03-12", ON_I1, in_grace) == "superseded"


def test_what_was_kept_before_the_next_promise_stays_kept() -> None:
    rows = [allocation("I1", 4_000, "2026-03-01"), promise("N", 500, "2026-03-02", "2026-03-20", invoice_ids=["I1"])]
    assert states("2026-03-25", ON_I1, *rows) == {"M": "kept", "N": "broken"}


def test_parts_promised_on_one_day_share_the_money_in_the_order_they_fall_due() -> None:
    parts = [ON_I1, promise("N", 4_000, "2026-02-20", "2026-03-20", invoice_ids=["I1"])]
    assert states("2026-04-20", *parts, allocation("I1", 6_000, "2026-03-02")) == {"M": "kept", "N": "part_kept"}


def test_a_newer_version_with_nothing_withdraws_and_a_void_removes() -> None:
    withdrawn = ON_I1.also(amount_minor=0, recorded_at="2026-02-25")
    assert [state(day, ON_I1, withdrawn) for day in ("2026-02-25", "2026-02-26")] == ["open", "withdrawn"]
    assert states("2026-03-01", ON_I1.also(voided_at="2026-02-25")) == {}


def test_states_move_only_as_the_table_allows() -> None:
    rows = [
        ON_I1, promise("N", 3_000, "2026-03-02", "2026-03-20", invoice_ids=["I2"]),
        promise("O", 100, "2026-03-09", "2026-03-25", invoice_ids=["I2"]), allocation("I1", 2_500, "2026-03-02"),
    ]  # fmt: skip
    seen: dict[str, str] = {}
    for ordinal in range(date(2026, 2, 15).toordinal(), date(2026, 5, 1).toordinal()):
        for name, now in states(date.fromordinal(ordinal).isoformat(), *rows).items():
            assert can_reach(PROMISE, seen.get(name, "open"), now), (name, seen.get(name), now)
            seen[name] = now
    assert seen == {"M": "part_kept", "N": "superseded", "O": "broken"}


def test_rules_are_parameters() -> None:
    rules = PromiseRules(grace_business_days=0, part_kept_percent=90, settlement_days={"other": 0})
    view = books(*BOOK, ON_I1, allocation("I1", 3_000, "2026-03-02")).as_of(date(2026, 3, 7))
    assert promise_states(view, rules)["state"].to_list() == ["broken"]


def test_no_promises() -> None:
    assert promise_states(books(invoice("I1")).as_of(date(2026, 3, 7))).height == 0
