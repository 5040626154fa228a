"""List exports of six products find their ready map and become the ledger that they mean."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.importing import ImportOptions, ImportResult, import_files
from duecourse.ledger.importing.maps import load_map, parse_map, ready_maps
from support.exports import PRODUCT_EXPORTS, write

OCT15, NOV14 = date(2026, 10, 15), date(2026, 11, 14)


def imported(name: str, directory: Path, **options: object) -> ImportResult:
    paths = [write(directory, file, text.rstrip("\n")) for file, text in PRODUCT_EXPORTS[name]]
    result = import_files(paths, options=ImportOptions(**options))  # type: ignore[arg-type]
    assert invariant_problems(result.ledger) == ()
    for one in result.files:
        assert one.accepted + one.refused + one.duplicates + one.left_out == one.rows
    return result


def rows(result: ImportResult, table: str, *columns: str) -> list[tuple[object, ...]]:
    return result.ledger.table(table).select(columns).rows()


def test_every_product_has_a_ready_map() -> None:
    assert set(ready_maps()) == {
        "highradius",
        "cassandra",
        "ibm",
        "quickbooks",
        "xero",
        "netsuite",
        "odoo",
        "erpnext",
        "tryton",
    }


def test_quickbooks_report_takes_the_customer_from_the_line_above_its_rows(tmp_path: Path) -> None:
    result = imported("quickbooks", tmp_path, currency="USD")
    assert result.column_map.name == "quickbooks"
    assert rows(result, "invoices", "invoice_id", "customer_id", "issued_on", "due_on", "amount_minor") == [
        ("0999", "Cedar Ltd", date(2026, 9, 30), date(2026, 10, 15), 99_99),
        ("1001", "Birch & Co", OCT15, NOV14, 1_200_00),
        ("1002", "Birch & Co", date(2026, 10, 20), date(2026, 11, 19), 350_50),
    ]
    assert rows(result, "credits", "credit_id", "amount_minor") == [("1003", 50_00)]
    assert result.problem_table.height == 0


def test_quickbooks_list_with_its_payments(tmp_path: Path) -> None:
    result = imported("quickbooks_with_payments", tmp_path, currency="USD")
    assert rows(result, "invoices", "invoice_id", "amount_minor") == [("1001", 1_200_00), ("1002", 350_50)]
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor") == [
        ("1002", date(2026, 10, 28), 350_50)
    ]
    left_out = result.problem_table.filter(what="left_out").get_column("row").to_list()
    assert left_out == [4, 5]  # the payment that the second file tells better, and the estimate


def test_xero_export_has_one_row_per_line_and_no_paid_day(tmp_path: Path) -> None:
    result = imported("xero", tmp_path)
    assert rows(result, "invoices", "invoice_id", "amount_minor", "currency") == [("INV-0001", 120_00, "GBP")]
    # The part payment counts from the day of the export on; it is no payment of an earlier day.
    assert rows(result, "allocations", "applied_on", "amount_minor") == [(date(2026, 10, 16), 20_00)]
    assert rows(result, "credits", "credit_id", "amount_minor") == [("CN-0001", 10_00)]
    assert rows(result, "contacts", "customer_id", "email") == [("Birch", "a@b.example")]
    # INV-0002 is paid on an unknown day, INV-0003 a draft: neither may look open.
    assert result.problem_table.get_column("value").to_list() == ["INV-0001", "INV-0002", "INV-0003"]


def test_xero_export_day_can_be_said(tmp_path: Path) -> None:
    result = imported("xero", tmp_path, exported_on=date(2026, 11, 30))
    assert rows(result, "allocations", "applied_on", "amount_minor") == [(date(2026, 11, 30), 20_00)]


def test_xero_report_has_a_preamble_a_total_and_payment_dates(tmp_path: Path) -> None:
    result = imported("xero_report", tmp_path)
    assert rows(result, "invoices", "invoice_id", "amount_minor") == [("INV-0001", 1_120_00), ("INV-0002", 50_00)]
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor") == [
        ("INV-0002", date(2026, 11, 20), 50_00)
    ]


def test_netsuite_date_closed_and_applied_payment(tmp_path: Path) -> None:
    result = imported("netsuite", tmp_path)
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor", "source_id") == [
        ("INV1001", date(2026, 10, 30), 500_00, "PYMT5"),
        ("INV1002", date(2026, 11, 20), 300_00, "P-INV1002"),
    ]
    assert set(result.ledger.table("invoices").get_column("currency")) == {"USD"}
    assert rows(result, "credits", "credit_id", "amount_minor") == [("CM1", 30_00)]


def test_odoo_payment_names_its_invoice_in_the_memo(tmp_path: Path) -> None:
    result = imported("odoo", tmp_path)
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor") == [
        ("INV/2026/00002", date(2026, 11, 10), 120_00)
    ]
    assert rows(result, "invoices", "invoice_id") == [("INV/2026/00001",), ("INV/2026/00002",)]


def test_erpnext_payment_takes_the_currency_of_the_invoices(tmp_path: Path) -> None:
    result = imported("erpnext", tmp_path)
    assert rows(result, "payments", "payment_id", "amount_minor", "currency", "method") == [
        ("PAY-1", 500_00, "INR", "wire")
    ]
    assert rows(result, "allocations", "invoice_id", "amount_minor") == [("SINV-2", 500_00)]
    assert rows(result, "invoices", "invoice_id") == [("SINV-1",), ("SINV-2",)]  # a return and a cancelled one are none


def test_tryton_reconciled_date_and_payment_list(tmp_path: Path) -> None:
    result = imported("tryton", tmp_path)
    assert rows(result, "allocations", "invoice_id", "applied_on", "amount_minor") == [
        ("2026-1", date(2026, 11, 1), 200_00),
        ("2026-2", date(2026, 11, 18), 200_00),
    ]


@pytest.mark.parametrize("name", PRODUCT_EXPORTS)
def test_a_saved_map_reads_the_same_ledger_again(name: str, tmp_path: Path) -> None:
    options = {"currency": "USD"} if name.startswith("quickbooks") else {}
    first = imported(name, tmp_path, **options)
    again = parse_map(first.column_map.to_toml(), "map.toml")
    paths = [tmp_path / file for file, _ in PRODUCT_EXPORTS[name]]
    second = import_files(paths, column_map=again)
    assert {k: v.rows() for k, v in second.ledger.tables.items()} == {
        k: v.rows() for k, v in first.ledger.tables.items()
    }


def test_a_ready_map_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "i.csv", *PRODUCT_EXPORTS["tryton"][0][1].rstrip("\n").split("\n"))
    assert import_files([path], column_map=load_map("tryton")).ledger.table("invoices").height == 2
