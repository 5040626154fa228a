"""Encodings, delimiters, header rows and forms of files are found, and what was found is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from duecourse.ledger.importing import ImportOptions, ImportResult, NeedsAnswer, import_files
from support.exports import HEADER, ROW, workbook, write

GERMAN = (
    "Rechnungsnummer;Kundennummer;Kunde;Rechnungsdatum;Fällig am;Bruttobetrag;Bezahlt am;Währung",
    "R-1;00012;Müller GmbH;15.10.2026;14.11.2026;1.234,50;20.11.2026;EUR",
    "R-2;00013;Köhler AG;16.10.2026;15.11.2026;99,00;;EUR",
)


def invoices(result: ImportResult) -> list[tuple[object, ...]]:
    return result.ledger.table("invoices").select("invoice_id", "customer_id", "issued_on", "amount_minor").rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    result = import_files([write(tmp_path, "x.csv", *GERMAN, encoding=encoding)])
    assert invoices(result) == [
        ("R-1", "00012", date(2026, 10, 15), 123450),
        ("R-2", "00013", date(2026, 10, 16), 9900),
    ]
    assert result.ledger.table("customers").get_column("name").to_list() == ["Müller GmbH", "Köhler AG"]
    guessed = [guess for guess in result.guesses if guess.subject == "encoding"]
    assert len(guessed) == (1 if encoding in ("cp1252", "utf-16-le") else 0)


def test_cyrillic_code_page(tmp_path: Path) -> None:
    lines = (HEADER, *(f"{i},Берёза и сыновья {i},2026-01-01,2026-01-31,10.00,RUB" for i in range(30)))
    result = import_files([write(tmp_path, "x.csv", *lines, encoding="cp1251")])
    assert "Берёза и сыновья 1" in result.ledger.table("customers").get_column("name").to_list()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str, tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER.replace(",", delimiter), ROW.replace(",", delimiter))
    assert invoices(import_files([path])) == [("1", "Birch", date(2026, 1, 1), 1000)]


def test_a_spreadsheets_own_delimiter_hint(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "sep=;", HEADER.replace(",", ";"), ROW.replace(",", ";").replace("EUR", "XXQ"))
    with pytest.raises(Exception, match="row 3, column Currency"):  # rows count from the file's first line
        import_files([path])


def test_mixed_line_ends_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(
        (
            HEADER + "\r\n" + ROW + "\n\r\n" + ROW.replace("1,Birch", '2,"Ce\ndar"') + "\r" + ROW.replace("1,", "3,", 1)
        ).encode()
    )
    assert [row[:2] for row in invoices(import_files([path]))] == [("1", "Birch"), ("2", "Ce dar"), ("3", "Birch")]


def test_preamble_and_stray_quotation_marks(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x.csv",
        "My company",
        "List of invoices",
        "",
        HEADER,
        ROW.replace("Birch", 'Pipe 12" Ltd'),
        ROW.replace("1,", "2,", 1),
    )
    result = import_files([path])
    assert invoices(result)[0][1] == 'Pipe 12" Ltd'
    assert any(guess.subject == "header" and guess.taken == "row 4" for guess in result.guesses)


def test_doubled_headers_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", HEADER.replace("Currency", "Amount,Currency"), ROW.replace("10.00", "10.00,12.00"))
    result = import_files([path])
    assert invoices(result)[0][3] == 1000
    assert any(guess.subject == "doubled headers" and "Amount" in guess.taken for guess in result.guesses)


def test_workbook_cells_keep_what_they_are(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", [
        ["Report"], [], HEADER.split(","),
        [1930571429.0, "Birch", date(2026, 2, 3), date(2026, 3, 4), 1234.5, "EUR"],
        ["00042", "Cedar", date(2026, 2, 4), date(2026, 3, 5), 0.1 + 0.2, "EUR"],
    ])  # fmt: skip
    assert invoices(import_files([path])) == [
        ("00042", "Cedar", date(2026, 2, 4), 30),
        ("1930571429", "Birch", date(2026, 2, 3), 123450),  # no question of day and month: the cells are dates
    ]


def test_a_sheet_can_be_named(tmp_path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "x.xlsx"))
    for name, customer in (("Old", "Cedar"), ("New", "Birch")):
        page = book.add_worksheet(name)
        page.write_row(0, 0, HEADER.split(","))
        page.write_row(1, 0, ROW.replace("Birch", customer).split(","))
    book.close()
    result = import_files([tmp_path / "x.xlsx"], options=ImportOptions(sheet="New"))
    assert invoices(result)[0][1] == "Birch"
    with pytest.raises(Exception, match=r"no sheet is named 'Older'.*'Old', 'New'"):
        import_files([tmp_path / "x.xlsx"], options=ImportOptions(sheet="Older"))


def test_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({
        "Invoice No": [7, 8], "Customer": ["Birch", "Cedar"], "Invoice Date": [date(2026, 1, 2), date(2026, 1, 3)],
        "Due Date": [date(2026, 2, 1), date(2026, 2, 2)], "Amount": [10.5, 1_234.0], "Currency": ["EUR", "EUR"],
    })  # fmt: skip
    frame.write_parquet(tmp_path / "x.parquet")
    assert invoices(import_files([tmp_path / "x.parquet"])) == [
        ("7", "Birch", date(2026, 1, 2), 1050),
        ("8", "Cedar", date(2026, 1, 3), 123400),
    ]


def test_ambiguity_stops_with_every_question_and_its_option(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "Invoice No,Customer,Invoice Date,Due Date,Amount", "1,A,3/4/2026,4/4/2026,10.00")
    with pytest.raises(NeedsAnswer) as caught:
        import_files([path])
    assert "--date-order dmy" in str(caught.value)
    assert "--currency" in str(caught.value)
    dmy = import_files([path], options=ImportOptions(date_order="dmy", currency="USD"))
    mdy = import_files([path], options=ImportOptions(date_order="mdy", currency="USD"))
    assert invoices(dmy)[0][2] == date(2026, 4, 3)
    assert invoices(mdy)[0][2] == date(2026, 3, 4)


def test_currency_from_symbol_header_or_constant(tmp_path: Path) -> None:
    head = "Invoice No,Customer,Invoice Date,Due Date,{}"
    line = "1,A,2026-01-01,2026-01-31,{}"
    for header, cell, currency in (
        ("Amount", "€10.00", "EUR"),
        ("Amount (GBP)", "10.00", "GBP"),
        ("Amount", "$10.00", "USD"),
    ):
        result = import_files([write(tmp_path, "x.csv", head.format(header), line.format(cell))])
        assert result.ledger.table("invoices").get_column("currency").to_list() == [currency]
        assert any("currency" in guess.subject for guess in result.guesses)


def test_due_dates_from_terms_or_the_option(tmp_path: Path) -> None:
    head = "Invoice No,Customer,Invoice Date,Terms,Amount,Currency"
    path = write(tmp_path, "x.csv", head, "1,A,2026-01-01,2/10 net 30,5,EUR", "2,A,2026-01-01,Due on receipt,5,EUR")
    due = import_files([path]).ledger.table("invoices").get_column("due_on").to_list()
    assert due == [date(2026, 1, 31), date(2026, 1, 1)]
    path = write(tmp_path, "x.csv", "Invoice No,Customer,Invoice Date,Amount,Currency", "1,A,2026-01-01,5,EUR")
    with pytest.raises(NeedsAnswer, match="--default-terms"):
        import_files([path])
    due = import_files([path], options=ImportOptions(default_terms=14)).ledger.table("invoices").get_column("due_on")
    assert due.to_list() == [date(2026, 1, 15)]
