import pytest

from duecourse.core.errors import Problem
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.checks import invariant_problems
from support.books import Row, allocation, books, credit, customer, decision, dispute, invoice, payment, plan, promise


def found(*rows: Row) -> list[tuple[str, str | None, str | None]]:
    return [(problem.file, problem.column, problem.value) for problem in invariant_problems(books(*rows))]


PAYS = {"source_id": "P1"}


def test_a_sound_ledger_has_no_problems() -> None:
    assert found(
        customer("C1"), invoice("I1"), invoice("I2", 500),
        payment("P1", 9_000, "2026-02-01"), credit("K", 1_500, "2026-02-01"),
        allocation("I1", 9_000, "2026-02-01", source_id="P1"),
        allocation("I1", 1_000, "2026-02-01", "credit", source_id="K"),
        allocation("I2", 500, "2026-02-01", "credit", source_id="K"),
        dispute("I1", "2026-01-05", closed_on="2026-01-05"),
        promise("M", 5, "2026-01-01", "2026-01-01"), plan("L", "2026-01-01", ["2026-02-01:5"]),
    ) == []  # fmt: skip
    assert invariant_problems(Ledger.from_frames({})) == ()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([invoice("I1", due_on="2025-12-31")], ("invoices", "due_on", "invoice_id I1: 2025-12-31")),
        ([invoice("I1", -1)], ("invoices", "amount_minor", "invoice_id I1: -1")),
        ([invoice("I1"), invoice("I1", 5)], ("invoices", "invoice_id", "invoice_id I1: I1")),
        (
            [invoice("I1"), payment("P1", 5, "2026-02-02", recorded_at="2026-02-01")],
            ("payments", "recorded_at", "payment_id P1: 2026-02-01"),
        ),
        (
            [invoice("I1"), promise("M", 5, "2026-01-02", "2026-01-01")],
            ("promises", "due_on", "promise_id M: 2026-01-01"),
        ),
        (
            [invoice("I1"), dispute("I1", "2026-01-05", closed_on="2026-01-04")],
            ("disputes", "closed_on", "dispute_id D/I1/2026-01-05: 2026-01-04"),
        ),
        (
            [invoice("I1"), decision("E", "2026-01-05T00:00:00Z", executed_at="2026-01-04T00:00:00Z")],
            ("decisions", "executed_at", "decision_id E: 2026-01-04"),
        ),
        (
            [invoice("I1"), plan("L", "2026-01-01", ["2026-02-30:5"])],
            ("plans", "instalments", "plan_id L: 2026-02-30:5"),
        ),
        ([invoice("I1"), dispute("I7", "2026-01-05")], ("disputes", "invoice_id", "dispute_id D/I7/2026-01-05: I7")),
    ],
)
def test_a_broken_row_is_named_by_its_id(rows: list[Row], expected: tuple[str, str, str]) -> None:
    assert found(*rows)[0] == expected


@pytest.mark.parametrize(
    ("rows", "column", "value"),
    [
        ([allocation("I9", 5, "2026-02-01")], "invoice_id", "I9"),
        ([allocation("I1", 5, "2026-02-01", source_id="P9"), payment("P1", 5, "2026-02-01")], "source_id", "P9"),
        ([allocation("I1", 0, "2026-02-01")], "amount_minor", "0"),
        ([allocation("I1", 5, "2026-02-01", reversed_on="2026-01-31")], "reversed_on", "2026-01-31"),
        (
            [allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", currency="EUR")],
            "source_id",
            "P1",
        ),
        (
            [allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id="C2")],
            "source_id",
            "P1",
        ),
        ([allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 4, "2026-02-01")], "amount_minor", "5"),
        ([allocation("I1", 10_001, "2026-02-01")], "amount_minor", "10001"),
        (
            [allocation("I1", 5, "2026-02-01", "credit", source_id="K"), credit("K", 4, "2026-02-01")],
            "amount_minor",
            "5",
        ),
    ],
)
def test_a_broken_allocation(rows: list[Row], column: str, value: str) -> None:
    problems = [problem for problem in invariant_problems(books(invoice("I1"), *rows)) if problem.file == "allocations"]
    assert [(problem.column, problem.value) for problem in problems] == [
        (column, f"allocation_id {rows[0].values['allocation_id']}: {value}")
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [allocation("I1", 5, "2026-02-01", source_id="P9")],  # without a table of payments nothing can be looked up
        [allocation("I1", 5, "2026-02-01"), payment("P1", 4, "2026-02-01")],  # no link, so no source to exceed
        [allocation("I1", 5, "2026-02-01", "fee", source_id="P1"), payment("P1", 4, "2026-02-01")],
        [allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id=None)],
        [
            allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id="C2"),
            customer("C1", parent_id="TOP"), customer("C2", parent_id="MID"), customer("MID", parent_id="TOP"),
        ],
        [
            allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id="TOP"),
            customer("C1", parent_id="TOP"),
        ],
    ],
)  # fmt: skip
def test_what_is_allowed(rows: list[Row]) -> None:
    assert found(invoice("I1"), *rows) == []


def test_a_customer_of_another_group_does_not_pay() -> None:
    group = [customer("C1", parent_id="TOP"), customer("C2", parent_id="OTHER")]
    rows = [allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id="C2")]
    (problem,) = invariant_problems(books(invoice("I1"), *rows, *group))
    assert problem.expected == "a payment of the invoice's customer C1 or of its group, this one is of C2"


def test_a_circle_of_parents_ends() -> None:
    circle = [customer("C1", parent_id="C2"), customer("C2", parent_id="C1"), customer("C3", parent_id="C3")]
    rows = [allocation("I1", 5, "2026-02-01", **PAYS), payment("P1", 5, "2026-02-01", customer_id="C3")]
    assert len(found(invoice("I1"), *rows, *circle)) == 1


def test_money_taken_back_may_be_used_again() -> None:
    again = [
        allocation("I1", 10_000, "2026-02-01", reversed_on="2026-02-20", source_id="P1"),
        allocation("I1", 10_000, "2026-02-20", source_id="P1"),
    ]
    assert found(invoice("I1"), payment("P1", 10_000, "2026-02-01"), *again) == []
    too_early = again[1].also(applied_on="2026-02-19")
    problems: tuple[Problem, ...] = invariant_problems(
        books(invoice("I1"), payment("P1", 10_000, "2026-02-01"), again[0], too_early)
    )
    assert [problem.expected for problem in problems if problem.file == "allocations"] == [
        "at most 10000 allocated of invoice I1, here it is 20000",
        "at most 10000 allocated of payment P1, here it is 20000",
    ]  # fmt: skip


def test_the_newest_version_is_what_counts() -> None:
    first = allocation("I1", 10_001, "2026-02-01", allocation_id="A")
    assert found(invoice("I1"), first, first.also(amount_minor=10_000, recorded_at="2026-02-02")) == []
    assert found(invoice("I1"), first.also(voided_at="2026-02-03")) == []


def test_open_amounts_that_hide_an_over_allocation_do_not_tie_out() -> None:
    rows = [invoice("I1", 100), invoice("I2", 100), allocation("I1", 150, "2026-02-01")]
    last = invariant_problems(books(*rows))[-1]
    assert (last.file, last.value) == ("invoices", "USD 100")
    assert last.expected == "ageing buckets that add up to the control total 50"
