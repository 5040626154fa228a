"""What a row is (invoice, payment, line, credit, copy), and since when the books knew of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from duecourse.core.errors import BadInput
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.importing import ImportOptions, ImportResult, import_files, import_on_the_fly
from duecourse.ledger.importing.maps import parse_map
from support.exports import HEADER, ROW, write

PAID = "Invoice No,Customer,Invoice Date,Due Date,Amount,Currency,Paid Date"


def rows(result: ImportResult, table: str, *columns: str) -> list[tuple[object, ...]]:
    return result.ledger.table(table).select(columns).rows()


def test_one_row_per_invoice_with_a_paid_date(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", PAID, ROW + ",2026-02-05", ROW.replace("1,", "2,", 1) + ",")
    result = import_on_the_fly(path)
    assert rows(result, "payments", "payment_id", "received_on", "amount_minor", "customer_id") == [
        ("P-1", date(2026, 2, 5), 10_00, "Birch")
    ]
    assert rows(result, "allocations", "invoice_id", "source_kind", "applied_on", "amount_minor", "source_id") == [
        ("1", "payment", date(2026, 2, 5), 10_00, "P-1")
    ]
    balances = invoice_balances(result.ledger.as_of(date(2026, 2, 6)))
    assert balances.select("invoice_id", "open_minor", "cleared_on").rows() == [
        ("1", 0, date(2026, 2, 5)),
        ("2", 10_00, None),
    ]
    assert result.ledger.last_known() == date(2026, 2, 5)


def test_one_row_per_payment(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        "Invoice Number,Customer,Invoice Date,Due Date,Invoice Amount,Payment Date,Payment Amount,Currency",
        "1,A,2026-01-01,2026-01-31,100.00,2026-02-01,60.00,EUR",
        "1,A,2026-01-01,2026-01-31,100.00,2026-02-11,40.00,EUR",
        "2,B,2026-01-01,2026-01-31,70.00,2026-02-03,20.00,EUR",
        "3,B,2026-01-02,2026-02-01,70.00,,,EUR",
    )
    result = import_files([path])
    assert rows(result, "invoices", "invoice_id", "amount_minor") == [("1", 100_00), ("2", 70_00), ("3", 70_00)]
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor") == [
        ("1", date(2026, 2, 1), 60_00),
        ("1", date(2026, 2, 11), 40_00),
        ("2", date(2026, 2, 3), 20_00),
    ]
    balances = invoice_balances(result.ledger.as_of(date(2026, 3, 1)))
    assert balances.get_column("open_minor").to_list() == [0, 50_00, 70_00]


def test_invoices_and_payments_in_two_files(tmp_path: Path) -> None:
    invoices = write(tmp_path, "i.csv", HEADER, ROW, ROW.replace("1,", "2,", 1), ROW.replace("1,", "3,", 1))
    payments = write(
        tmp_path,
        "p.csv",
        "Payment ID,Payment Date,Customer,Amount,Invoice Number",
        'P1,2026-02-01,Birch,14.00,"1, 2"',
        "P2,2026-02-02,Birch,9.00,2",
        "P3,2026-02-03,Birch,5.00,",
    )
    result = import_files([payments, invoices])  # in any order
    assert rows(result, "allocations", "invoice_id", "amount_minor", "source_id") == [
        ("1", 10_00, "P1"),
        ("2", 4_00, "P1"),
        ("2", 6_00, "P2"),
    ]
    # P2 was 3.00 too much and P3 names no invoice: that money stays unapplied, and no invoice is paid twice.
    assert rows(result, "payments", "payment_id", "amount_minor", "currency") == [
        ("P1", 14_00, "EUR"),
        ("P2", 9_00, "EUR"),
        ("P3", 5_00, "EUR"),
    ]


def test_payments_alone_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "Payment ID,Payment Date,Customer,Amount,Currency", "P1,2026-02-01,Birch,14.00,EUR")
    with pytest.raises(BadInput, match="give the invoice list as well"):
        import_files([path])


def test_the_books_know_when_a_row_was_made_not_before(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        PAID + ",Created At",
        ROW + ",2026-02-05,2026-01-20 09:30",
        ROW.replace("1,", "2,", 1) + ",2026-01-10,2026-01-20 09:30",
    )
    result = import_files([path])
    made = datetime(2026, 1, 20, 9, 30, tzinfo=UTC)
    assert rows(result, "invoices", "recorded_at") == [(made,), (made,)]
    assert rows(result, "allocations", "recorded_at") == [(datetime(2026, 2, 5, tzinfo=UTC),), (made,)]
    assert result.ledger.as_of(date(2026, 1, 20)).table("invoices").height == 0
    assert result.ledger.as_of(date(2026, 1, 21)).table("allocations").height == 1


def test_facts_known_only_afterwards_are_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", PAID + ",Disputed,DaysLate", ROW + ",2026-02-05,Yes,5")
    result = import_files([path])
    assert result.ledger.table("disputes").height == 0
    told = {guess.subject: guess.why for guess in result.guesses if guess.taken == "left out"}
    assert "known only afterwards" in told["x.csv, Disputed"]
    assert "x.csv, DaysLate" in told
    assert not {"Disputed", "DaysLate"} & set(result.ledger.table("invoices").columns)


def test_negative_amounts_and_credit_notes_become_credits(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        HEADER + ",Document Type",
        ROW + ",Invoice",
        "2,Birch,2026-01-05,2026-01-05,-3.00,EUR,Invoice",
        "3,Birch,2026-01-05,2026-01-05,4.00,EUR,Credit Note",
        "4,Birch,2026-01-05,2026-01-05,(5.00),EUR,Invoice",
    )
    result = import_files([path])
    assert rows(result, "invoices", "invoice_id") == [("1",)]
    assert rows(result, "credits", "credit_id", "amount_minor") == [("2", 3_00), ("3", 4_00), ("4", 5_00)]


def test_copies_are_dropped_and_listed_contradictions_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        HEADER,
        ROW,
        ROW,
        "2,A,2026-01-01,2026-01-31,10.00,EUR",
        "2,A,2026-01-01,2026-01-31,11.00,EUR",
    )
    with pytest.raises(BadInput, match="2 of 4 rows"):
        import_files([path])
    result = import_files([path], options=ImportOptions(skip_bad_rows=True))
    assert rows(result, "invoices", "invoice_id") == [("1",)]  # of two contents none is chosen
    assert result.problem_table.select("what", "row").rows() == [("duplicate", 3), ("refused", 4), ("refused", 5)]
    one = result.files[0]
    assert (one.rows, one.accepted, one.refused, one.duplicates) == (4, 1, 2, 1)


def test_a_prepayment_is_received_early_and_applied_on_the_day_of_the_invoice(tmp_path: Path) -> None:
    result = import_files([write(tmp_path, "x.csv", PAID, ROW + ",2025-12-31")])
    assert rows(result, "payments", "received_on") == [(date(2025, 12, 31),)]
    assert rows(result, "allocations", "applied_on") == [(date(2026, 1, 1),)]
    assert any("prepayments" in guess.subject for guess in result.guesses)


def test_a_payment_long_before_the_invoice_is_a_wrong_date(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", PAID, ROW + ",2025-01-02")
    with pytest.raises(BadInput, match="at most 90 days before the invoice date 2026-01-01"):
        import_files([path])


def test_ids_keep_leading_zeros_and_lose_float_tails(tmp_path: Path) -> None:
    head = "Invoice No,Customer Number,Customer Name,Invoice Date,Due Date,Amount,Currency"
    path = write(
        tmp_path,
        "x.csv",
        head,
        "1930571429.0,0012,Birch,2026-01-01,2026-01-31,1,EUR",
        '1930571430.0,"=""0013""",Cedar,2026-01-01,2026-01-31,1,EUR',
    )
    assert rows(import_files([path]), "invoices", "invoice_id", "customer_id") == [
        ("1930571429", "0012"),
        ("1930571430", "0013"),
    ]


def test_a_map_gives_fields_constants_and_values(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        "Beleg;Wer;Vom;Bis;Summe;Art",
        "7;Birch;01.02.2026;03.04.2026;10,00;X",
        "8;Birch;01.02.2026;03.04.2026;4,00;Y",
        encoding="utf-8",
    )
    column_map = parse_map(
        """
format = 1
name = "own"
[[table]]
rows = "invoices"
date_order = "dmy"
decimal = "comma"
[table.columns]
invoice_id = "Beleg"
customer_name = "Wer"
issued_on = "Vom"
due_on = "Bis"
amount = "Summe"
kind = "Art"
[table.constants]
currency = "CHF"
[table.values.kind]
X = "invoice"
Y = "credit"
""",
        "own.toml",
    )
    result = import_files([path], column_map=column_map)
    assert rows(result, "invoices", "invoice_id", "issued_on", "amount_minor", "currency") == [
        ("7", date(2026, 2, 1), 10_00, "CHF")
    ]
    assert rows(result, "credits", "credit_id", "amount_minor") == [("8", 4_00)]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("nonsense", "TOML"),
        ("format = 9", "format = 1"),
        ("format = 1", r"\[\[table\]\]"),
        ('format = 1\n[[table]]\nrows = "lines"', "invoices or payments"),
        ('format = 1\n[[table]]\nrows = "invoices"\n[table.columns]\nfoo = "x"', "columns.foo"),
    ],
)
def test_a_damaged_map_says_which_key(text: str, match: str) -> None:
    with pytest.raises(BadInput, match=match):
        parse_map(text, "map.toml")


def test_a_map_that_does_not_fit_says_which_columns_it_needs(tmp_path: Path) -> None:
    from duecourse.ledger.importing import load_map

    with pytest.raises(BadInput, match="the columns of the map ibm: customerID"):
        import_files([write(tmp_path, "x.csv", HEADER, ROW)], column_map=load_map("ibm"))


def test_an_invoice_in_two_files_counts_once(tmp_path: Path) -> None:
    first = write(tmp_path, "a.csv", HEADER, ROW)
    second = write(tmp_path, "b.csv", HEADER, ROW, ROW.replace("1,", "2,", 1))
    result = import_files([first, second])
    assert rows(result, "invoices", "invoice_id") == [("1",), ("2",)]
    assert result.problem_table.select("what", "file", "row").rows() == [("duplicate", "b.csv", 2)]
    assert [(one.rows, one.accepted, one.duplicates) for one in result.files] == [(1, 1, 0), (2, 1, 1)]
