from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import polars as pl
import pytest

from duecourse.core.errors import Problem
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.audit import CHECKS, Reading, audit, find_faults
from duecourse.ledger.audit.evidence import Evidence
from duecourse.ledger.audit.model import Fault
from duecourse.ledger.audit.tables import refused_row_count
from duecourse.ledger.metrics import Books
from duecourse.ledger.schema import TABLES
from support import books as build
from support.planted_faults import AS_OF, PLANTS, Plant, clean
from support.realdata import highradius_ledger


def faults_of(frames: dict[str, pl.DataFrame]) -> tuple[Fault, ...]:
    ledger = Ledger.from_frames(frames)
    return find_faults(Evidence(ledger, Books(ledger.as_of(AS_OF))))


def numbers(value: Any) -> list[float]:
    """Every number anywhere in plain data."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, int | float) else []


def test_a_clean_ledger_has_no_fault_and_every_check_was_made() -> None:
    found = audit(Ledger.from_frames(clean()), AS_OF)
    assert found.faults == ()
    assert found.fault_kinds_checked == len(CHECKS) == len({check.code for check in CHECKS})
    assert found.verdict == "No fault was found in the data. The history carries to the rung 'terms'."
    assert found.rows_read == found.rows_accepted == sum(frame.height for frame in clean().values())


@pytest.mark.parametrize("plant", PLANTS, ids=[f"{number}-{plant.code}" for number, plant in enumerate(PLANTS)])
def test_every_planted_fault_is_found_with_its_count_and_nothing_else(plant: Plant) -> None:
    faults = {fault.code: fault for fault in faults_of(plant.spoil(clean()))}
    assert plant.code in faults
    assert faults[plant.code].rows == plant.rows
    assert set(faults) - plant.also == {plant.code}
    assert 1 <= len(faults[plant.code].examples) <= 5
    assert faults[plant.code].rule
    assert faults[plant.code].cure


def test_the_corpus_plants_every_kind_that_the_audit_knows() -> None:
    assert {plant.code for plant in PLANTS} == {check.code for check in CHECKS}


def test_all_faults_planted_at_once_are_found() -> None:
    frames = clean()
    for plant in PLANTS:
        if plant.code.endswith(("duplicate_id", "reused_invoice_id")) or plant.code == "customer_unknown":
            continue  # these take rows away from under the others
        frames = plant.spoil(frames)
    found = audit(Ledger.from_frames(frames), AS_OF)
    # later plants overwrite earlier ones in the same first rows; a large majority must survive side by side
    assert len(found.faults) >= 35
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_fault_says_how_many_rows_and_how_much_money() -> None:
    ledger = build.books(
        build.invoice("I1", 10_000, "2026-01-01"),
        build.invoice("I2", 10_000, "2026-01-01"),
        build.invoice("I3", 10_000, "2026-01-01", currency="EUR"),
        build.invoice("I4", 10_000, "2026-01-01", currency="EUR"),
    )
    fault = next(f for f in audit(ledger, date(2026, 3, 1)).faults if f.code == "duplicate_invoice")
    assert (fault.rows, fault.of, fault.amount_minor) == (2, 4, {"EUR": 10_000, "USD": 10_000})
    assert fault.examples[0].startswith("invoice_id I2, customer_id C1, issued_on 2026-01-01")


@pytest.mark.parametrize(
    "tables", [{}, {"invoices": TABLES["invoices"].empty()}, {n: t.empty() for n, t in TABLES.items()}]
)
def test_empty_books_give_reasons_and_no_crash(tables: dict[str, pl.DataFrame]) -> None:
    found = audit(Ledger.from_frames(tables), date(2026, 1, 1))
    assert found.verdict == "There is no invoice to audit: nothing was known before this day."
    assert found.books == ()
    assert found.history.rung == "terms"
    assert [fill.rows for fill in found.tables] == [0] * len(TABLES)
    json.dumps(found.to_dict(), allow_nan=False)


def test_one_open_invoice_gives_reasons_for_every_figure_that_it_cannot_give() -> None:
    found = audit(build.books(build.invoice("I1", 10_000, "2026-01-01")), date(2026, 1, 2))
    (book,) = found.books
    figures = {figure.key: figure for figure in book.figures}
    assert (figures["receivable"].value, figures["past_due"].value) == (10_000, 0)
    assert figures["dso_simple"].missing == "the books do not cover the 90 days before"
    assert figures["days_to_pay"].missing == "no invoice was paid in the last 12 months"
    assert figures["promise_kept_count"].missing == "needs the table promises (amount, day promised, day due)"
    assert all((figure.value is None) == bool(figure.missing) for figure in book.figures)
    assert all(math.isfinite(number) for number in numbers(found.to_dict()))
    assert book.drivers.missing
    assert book.contact_orders[0].missing == "needs the table activities (who was contacted, when, how)"
    assert [late.count_share for late in book.late] == [None] * 5


def test_currencies_are_never_added_up() -> None:
    found = audit(
        build.books(build.invoice("I1", 100), build.invoice("I2", 7, currency="JPY"), build.invoice("I3", 30)),
        date(2026, 2, 20),
    )
    amounts = {book.currency: {f.key: f.value for f in book.figures}["receivable"] for book in found.books}
    assert amounts == {"JPY": 7, "USD": 130}
    assert [book.exponent for book in found.books] == [0, 2]
    assert "2 currencies (JPY, USD) are shown apart and never added up." in found.notes


def test_the_audit_knows_nothing_that_was_recorded_on_or_after_its_day() -> None:
    known = [build.invoice("I1"), build.allocation("I1", 4_000, "2026-02-01")]
    later = [
        build.invoice("I2", recorded_at="2026-03-01"),
        build.allocation("I1", 6_000, "2026-02-10", recorded_at="2026-03-05"),
        build.customer("C1", recorded_at="2026-03-01T00:00:00Z"),
    ]
    day = date(2026, 3, 1)
    before, after = audit(build.books(*known), day).to_dict(), audit(build.books(*known, *later), day).to_dict()
    for part in ("faults", "history", "recording", "weekdays", "books"):
        assert after[part] == before[part]


def test_duplicates_are_counted_without_the_first_one_and_wherever_they_stand() -> None:
    rows = [build.invoice(f"I{number}", 500, "2026-01-05") for number in range(4)]
    fault = next(
        f for f in audit(build.books(*reversed(rows)), date(2026, 3, 1)).faults if f.code == "duplicate_invoice"
    )
    assert fault.rows == 3
    assert "I0" not in " ".join(fault.examples)


@pytest.mark.parametrize(
    ("paid", "every", "rung"),
    [(49, 3, "terms"), (50, 3, "customer_history"), (499, 1, "customer_history"), (500, 1, "model")],
)
def test_the_ladder_is_reached_at_its_stated_sizes(paid: int, every: int, rung: str) -> None:
    rows = []
    for number in range(paid):
        issued = date(2024, 1, 1).toordinal() + number * every
        rows += [
            build.invoice(f"I{number:04}", 1_000 + number, date.fromordinal(issued).isoformat()),
            build.allocation(f"I{number:04}", 1_000 + number, date.fromordinal(issued + 20).isoformat()),
        ]
    past = audit(build.books(*rows), date(2026, 3, 1)).history
    assert (past.rung, past.cleared) == (rung, paid)
    assert all(step.reached == (step.gap_costs == "") for step in past.ladder)


def test_four_columns_give_days_to_pay_against_terms_and_who_carries_the_late_cash() -> None:
    rows = []
    for number in range(10):
        amount = 80_000 if number == 0 else 1_000
        customer = "BIG" if number == 0 else f"S{number}"
        rows += [
            build.invoice(f"I{number}", amount, "2026-01-01", "2026-01-31", customer_id=customer),
            build.allocation(f"I{number}", amount, "2026-02-10"),
        ]
    (book,) = audit(build.books(*rows), date(2026, 3, 1)).books
    assert book.drivers.late_minor == 89_000
    assert (book.drivers.invoices_for_80, book.drivers.customers_for_80) == (1, 1)
    assert (book.drivers.late_invoices, book.drivers.late_customers) == (10, 10)
    assert book.drivers.curve[0] == (0.0, 0.0)
    assert book.drivers.curve[-1] == (1.0, 1.0)
    first = book.customers[0]
    assert (first.customer_id, first.terms_days, first.days_to_pay_days, first.days_beyond_terms_days) == (
        "BIG",
        30,
        40,
        10,
    )
    assert (first.km_median_days, first.late_count_share, first.late_minor) == (40, 1.0, 80_000)


def contact_order_book(contacts: dict[str, int]) -> Ledger:
    rows = []
    for number in range(6):
        customer = f"C{number}"
        rows += [  # customer n was n * 10 days late with its first invoice and owes the second
            build.invoice(f"P{number}", 1_000, "2025-10-01", "2025-10-31", customer_id=customer),
            build.allocation(
                f"P{number}", 1_000, date.fromordinal(date(2025, 10, 31).toordinal() + 10 * number).isoformat()
            ),
            build.invoice(f"O{number}", 1_000, "2026-01-01", "2026-03-20", customer_id=customer),
        ]
        rows += [
            build.activity(f"A{number}-{time}", "email", f"2026-02-{1 + time:02}", customer_id=customer)
            for time in range(contacts.get(customer, 0))
        ]
    return build.books(*rows)


def test_the_present_contact_order_is_compared_with_the_behaviour_rank() -> None:
    day = date(2026, 3, 1)
    right = audit(contact_order_book({f"C{n}": n for n in range(6)}), day).books[0].contact_orders[0]
    assert (right.order, right.customers, right.spearman, right.top_overlap) == ("present", 6, 1.0, 6)
    wrong = audit(contact_order_book({f"C{n}": 6 - n for n in range(6)}), day).books[0].contact_orders[0]
    assert wrong.spearman == -1.0
    nobody = audit(contact_order_book({}), day).books[0].contact_orders
    assert nobody[0].missing
    assert [order.missing for order in nobody[1:]] == ["every customer has the same rank"] * 2


def test_recording_delays_are_measured_where_there_are_two_clocks() -> None:
    found = audit(
        build.books(
            build.invoice("I1", issued_on="2026-01-01", recorded_at="2026-01-01"),
            build.invoice("I2", issued_on="2026-01-01", recorded_at="2026-01-11"),
            build.allocation("I1", 10_000, "2026-01-20"),
        ),
        date(2026, 3, 1),
    )
    delays = {delay.table: delay for delay in found.recording}
    assert (delays["invoices"].two_clocks, delays["invoices"].p50_days, delays["invoices"].max_days) == (True, 5.0, 10)
    assert delays["invoices"].same_day_share == 0.5
    assert not delays["allocations"].two_clocks
    assert delays["payments"].missing == "the table payments is empty"


def test_blank_text_is_not_a_value() -> None:
    found = audit(
        build.books(build.invoice("I1", po_number="  "), build.invoice("I2", po_number="7")), date(2026, 3, 1)
    )
    fill = next(c for t in found.tables if t.table == "invoices" for c in t.columns if c.column == "po_number")
    assert (fill.filled, fill.share, fill.required) == (1, 0.5, False)


def test_refused_rows_are_counted_once_and_accepted_plus_refused_is_all() -> None:
    problems = (
        Problem("invoices.csv", 3, "due_on", "x", "a date"),
        Problem("invoices.csv", 3, "amount_minor", "y", "a whole number"),
        Problem("invoices.csv", 9, "due_on", "z", "a date"),
        Problem("invoices.csv", None, None, None, "a newer file"),
    )
    assert refused_row_count(problems) == 2
    found = audit(build.books(build.invoice("I1")), date(2026, 3, 1), reading=Reading(3, 1, problems))
    assert found.rows_read == found.rows_accepted + found.rows_refused == 3
    assert [(line.column, line.rows) for line in found.refused] == [("due_on", 2), ("", 1), ("amount_minor", 1)]
    assert found.verdict.startswith("2 rows were refused")


def test_cost_per_unit_collected_says_what_it_lacks() -> None:
    rows = [
        build.invoice("I1", 100_000, "2026-01-01"),
        build.allocation("I1", 100_000, "2026-02-10"),
        build.activity("A1", "call", "2026-02-01", minutes=30.0),
    ]

    def cost(hourly: int | None, *more: build.Row) -> Any:
        book = audit(build.books(*rows, *more), date(2026, 3, 1), hourly_cost_minor=hourly).books[0]
        return next(figure for figure in book.figures if figure.key == "cost_per_unit_collected")

    assert cost(None).missing == "needs the cost of an hour of collection work"
    assert cost(4_000).value == 0.02
    assert cost(4_000, build.invoice("E1", currency="EUR")).missing.startswith("needs a book with one currency")


@pytest.mark.realdata
def test_the_real_ledger_has_the_baseline_that_its_description_states() -> None:
    found = audit(highradius_ledger(), date(2019, 9, 1))
    (book,) = found.books
    figures = {figure.key: figure for figure in book.figures}
    assert figures["receivable"].value == 5_294_796_382
    assert sum(bucket.invoices for bucket in book.ageing) == 1_619
    assert sum(bucket.open_minor for bucket in book.ageing) == figures["receivable"].value
    assert found.history.customers == 886
    assert [round(100 * (day.share or 0), 1) for day in found.weekdays] == [24.3, 21.4, 16.1, 16.0, 21.7, 0.4, 0.0]
    assert found.history.rung == "model"
