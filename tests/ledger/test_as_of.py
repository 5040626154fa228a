from datetime import date

import polars as pl

from duecourse.ledger.as_of import Ledger, start_of_day
from support.books import activity, allocation, books, contact, customer, decision, dispute, invoice, known, payment


def ids(ledger: Ledger, as_of: str, table: str = "invoices") -> list[str]:
    view = ledger.as_of(date.fromisoformat(as_of))
    return view.table(table).to_series(0).to_list()


def test_a_row_is_visible_from_the_day_after_it_was_recorded() -> None:
    ledger = books(invoice("I1", recorded_at="2026-01-05T23:59:59Z"), invoice("I2", recorded_at="2026-01-06"))
    assert ids(ledger, "2026-01-05") == []
    assert ids(ledger, "2026-01-06") == ["I1"]
    assert ids(ledger, "2026-01-07") == ["I1", "I2"]


def test_recorded_at_defaults_to_the_date_of_the_thing_itself() -> None:
    ledger = books(invoice("I1", issued_on="2026-01-05"), payment("P1", 5, "2026-01-06"))
    assert ids(ledger, "2026-01-05") == []
    assert ids(ledger, "2026-01-06") == ["I1"]
    assert ids(ledger, "2026-01-07", "payments") == ["P1"]
    assert ledger.table("invoices")["recorded_at"][0] == start_of_day(date(2026, 1, 5))


def test_customers_without_a_time_have_always_been_known() -> None:
    assert ids(books(customer("C1"), contact("K1")), "1990-01-01", "customers") == ["C1"]


def test_the_newest_visible_version_counts_and_yesterday_stays_as_it_was() -> None:
    first = invoice("I1", 100, recorded_at="2026-01-02")
    ledger = books(first.also(amount_minor=90, recorded_at="2026-01-10"), first)
    amounts = {day: ledger.as_of(date(2026, 1, day)).table("invoices")["amount_minor"].to_list() for day in (3, 10, 11)}
    assert amounts == {3: [100], 10: [100], 11: [90]}


def test_the_oldest_version_says_since_when_a_row_is_known() -> None:
    first = invoice("I1", recorded_at="2026-01-02")
    row = books(first, first.also(po_number="7", recorded_at="2026-01-10")).as_of(date(2026, 2, 1)).table("invoices")
    assert row["first_recorded_at"].to_list() == [start_of_day(date(2026, 1, 2))]
    assert row["recorded_at"].to_list() == [start_of_day(date(2026, 1, 10))]


def test_a_version_of_a_customer_with_a_time_follows_the_one_without() -> None:
    ledger = books(customer("C1", segment="new", recorded_at="2026-02-01"), customer("C1", segment="old"))
    segments = [ledger.as_of(date(2026, month, 1)).table("customers")["segment"].item() for month in (2, 3)]
    assert segments == ["old", "new"]


def test_a_voided_row_is_gone_from_the_next_day_on_and_unknown_as_voided_before() -> None:
    ledger = books(invoice("I1", voided_at="2026-02-01T12:00:00Z"))
    before = ledger.as_of(date(2026, 2, 1)).table("invoices")
    assert before["invoice_id"].to_list() == ["I1"]
    assert before["voided_at"].to_list() == [None]
    assert ids(ledger, "2026-02-02") == []


def test_a_voided_newest_version_does_not_bring_back_the_older_one() -> None:
    first = invoice("I1", recorded_at="2026-01-02")
    ledger = books(first, first.also(recorded_at="2026-01-10", voided_at="2026-01-10"))
    assert ids(ledger, "2026-01-10") == ["I1"]
    assert ids(ledger, "2026-01-11") == []


def test_dates_that_a_row_gained_later_are_hidden_until_they_come() -> None:
    ledger = books(
        invoice("I1", delivered_on="2026-01-20"),
        allocation("I1", 100, "2026-01-10", reversed_on="2026-02-01"),
        dispute("I1", "2026-01-12", closed_on="2026-02-01", outcome="valid", valid_minor=7, credit_id="K"),
        decision("X", "2026-01-10T08:00:00Z", executed_arm="email_soft", executed_at="2026-01-20T08:00:00Z"),
    )
    hidden = {
        "invoices": ["delivered_on"],
        "allocations": ["reversed_on"],
        "disputes": ["closed_on", "outcome", "valid_minor", "credit_id"],
        "decisions": ["executed_at", "executed_arm"],
    }
    for name, columns in hidden.items():
        early, late = ledger.as_of(date(2026, 1, 20)).table(name), ledger.as_of(date(2026, 2, 2)).table(name)
        assert early.select(columns).row(0) == (None,) * len(columns), name
        assert None not in late.select(columns).row(0), name


def test_invoice_lines_are_seen_through_their_invoice() -> None:
    lines = pl.DataFrame({"invoice_id": ["I1", "I2"], "line_no": [1, 1]})
    invoices = books(invoice("I1"), invoice("I2", recorded_at="2026-03-01")).table("invoices")
    ledger = Ledger.from_frames({"invoices": invoices, "invoice_lines": lines})
    assert ids(ledger, "2026-02-01", "invoice_lines") == ["I1"]
    assert ids(ledger, "2026-03-02", "invoice_lines") == ["I1", "I2"]


def test_absent_tables_are_empty_and_typed() -> None:
    view = known("2026-02-01", invoice("I1"))
    assert view.table("payments").height == 0
    assert view.table("payments").schema["amount_minor"] == pl.Int64
    assert "first_recorded_at" in view.table("payments").columns


def test_unknown_columns_are_kept() -> None:
    view = known("2026-02-01", invoice("I1", our_branch="north"))
    assert view.table("invoices")["our_branch"].to_list() == ["north"]


def test_snapshot_id_is_that_of_the_content() -> None:
    rows = [invoice("I1", po_number="a long text beyond twelve bytes"), activity("X", "call", "2026-01-02T10:00:00Z")]
    same = known("2026-02-01", *rows).snapshot_id
    assert known("2026-02-01", *reversed(rows)).snapshot_id == same
    later = invoice("I2", po_number="another long text beyond twelve", recorded_at="2026-02-01")
    assert known("2026-02-01", *rows, later).snapshot_id == same
    assert known("2026-02-02", *rows).snapshot_id != same
    assert known("2026-02-01", rows[0].also(amount_minor=1), rows[1]).snapshot_id != same
    assert known("2026-02-01", rows[0].also(po_number=None), rows[1]).snapshot_id != same


def test_snapshot_id_tells_lists_apart() -> None:
    joined, apart = ([["a", "b"], ["c"]], [["a"], ["b", "c"]])
    two = [
        known(
            "2026-02-01", *(activity(f"X{n}", "call", "2026-01-02", invoice_ids=part) for n, part in enumerate(lists))
        )
        for lists in (joined, apart)
    ]
    assert two[0].snapshot_id != two[1].snapshot_id


def test_last_known_is_the_last_day_of_invoices_and_money() -> None:
    ledger = books(invoice("I1"), allocation("I1", 5, "2026-02-03"), customer("C1", recorded_at="2026-12-01"))
    assert ledger.last_known() == date(2026, 2, 3)
    assert Ledger.from_frames({}).last_known() is None
